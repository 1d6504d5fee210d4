//! Standard output and standard error of all commands.
//!
//! A reader may close a pipe, and a file may be on a full disk. `println!` and `eprintln!` panic then, so Clippy rejects
//! them in this crate. A failure of standard error is ignored. A failure of standard output ends a command that only
//! prints; `error::printed` makes the exit code of it.

use std::fmt::Display;
use std::fs::{self, File};
use std::io::{self, BufWriter, StdoutLock, Write};
use std::os::fd::AsFd as _;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};

/// Standard output with a buffer. Flush it: an error at its drop is lost.
pub(crate) fn stdout() -> BufWriter<StdoutLock<'static>> {
    BufWriter::new(io::stdout().lock())
}

/// Writes a text to standard output, without delay.
pub(crate) fn print(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

/// Whether standard output is the null device, for a command whose output must not be lost. Rust's runtime opens the null
/// device where standard output is closed (`>&-`), so that writing succeeds.
pub(crate) fn is_discarded() -> bool {
    let output = io::stdout().as_fd().try_clone_to_owned().and_then(|fd| File::from(fd).metadata());
    match (output, fs::metadata("/dev/null")) {
        (Ok(output), Ok(null)) => output.file_type().is_char_device() && output.rdev() == null.rdev(),
        // An output that cannot be opened discards everything. If there is no null device, the output is another file.
        (output, _) => output.is_err(),
    }
}

/// Writes a line to standard error, if possible.
pub(crate) fn note(line: impl Display) {
    let _ = io::stderr().write_all(format!("{line}\n").as_bytes());
}

/// Writes warnings about settings to standard error.
pub(crate) fn warn(warnings: &[&str]) {
    warnings.iter().for_each(|warning| note(format_args!("warning: {warning}")));
}
