//! Where the rows are printed: standard output, or a pager where a person would have to scroll.

use std::io::{self, IsTerminal as _, Write};
use std::process::{Child, Command, Stdio};

/// A running pager, or none.
pub(crate) struct Pager(Option<Child>);

/// Starts the pager for tables on a terminal. Where there is none, tables are printed as they are.
pub(crate) fn open(command: Option<&str>, wanted: bool) -> (Box<dyn Write>, Pager) {
    let direct = || -> Box<dyn Write> { Box::new(io::BufWriter::new(io::stdout())) };
    if !wanted || !io::stdout().is_terminal() {
        return (direct(), Pager(None));
    }
    let mut pager = match command.map(str::trim) {
        Some("" | "cat") => return (direct(), Pager(None)),
        Some(command) => {
            let mut shell = Command::new("sh");
            shell.args(["-c", command]);
            shell
        }
        None => {
            let mut less = Command::new("less");
            // Print a short result and end; scroll sideways; leave it on the screen.
            less.args(["--quit-if-one-screen", "--chop-long-lines", "--no-init"]);
            less
        }
    };
    match pager.stdin(Stdio::piped()).spawn() {
        Ok(mut child) => match child.stdin.take() {
            Some(stdin) => (Box::new(stdin), Pager(Some(child))),
            None => (direct(), Pager(Some(child))),
        },
        Err(_) => (direct(), Pager(None)),
    }
}

impl Pager {
    /// Waits until the person has seen enough. The pipe to it must be closed.
    pub(crate) fn wait(self) {
        if let Some(mut child) = self.0 {
            let _ = child.wait();
        }
    }
}
