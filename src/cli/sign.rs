//! `pixel-pipeline sign`: URLs that a service with URL_SIGNING_KEY tracks.

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, ErrorKind, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use crate::config::SigningKeyArgs;

/// Sign URLs of the pixel, so that a service with the same URL_SIGNING_KEY tracks them.
///
/// Prints each URL with a parameter `sig`, one a line, and sends nothing. All other parameters are signed, in
/// whatever order: changing, adding or removing one, as cache-busters and mail services do, breaks the signature,
/// so sign what is final. Scheme, host and path are not signed. Exits with 2 without a usable key or input.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// URLs of the pixel, with their parameters
    urls: Vec<String>,
    /// File of URLs, one a line; - for standard input
    #[arg(long, value_name = "FILE")]
    input: Option<PathBuf>,
    #[command(flatten)]
    key: SigningKeyArgs,
}

#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("{0}")]
    Settings(#[from] crate::config::Problems),
    #[error("give URLs, or --input FILE (- for standard input)")]
    NoInput,
    #[error("cannot read {}: {error}", file.display())]
    Input { file: PathBuf, error: io::Error },
    #[error("cannot write: {0}")]
    Output(#[from] io::Error),
}

/// Signs every URL in turn.
pub fn run(args: Args) -> ExitCode {
    match sign(args) {
        Ok(()) => ExitCode::SUCCESS,
        // The reader has seen enough.
        Err(Failure::Output(error)) if error.kind() == ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(2)
        }
    }
}

fn sign(args: Args) -> Result<(), Failure> {
    if args.urls.is_empty() && args.input.is_none() {
        return Err(Failure::NoInput);
    }
    let keys = args.key.load()?;
    let mut out = BufWriter::new(io::stdout().lock());
    for url in &args.urls {
        writeln!(out, "{}", keys.sign(url.trim()))?;
    }
    if let Some(file) = args.input {
        let failed = |error| Failure::Input { file: file.clone(), error };
        let lines: Box<dyn BufRead> = if file.as_os_str() == "-" {
            Box::new(io::stdin().lock())
        } else {
            Box::new(BufReader::new(File::open(&file).map_err(failed)?))
        };
        for line in lines.lines() {
            let line = line.map_err(failed)?;
            if !line.trim().is_empty() {
                writeln!(out, "{}", keys.sign(line.trim()))?;
            }
        }
    }
    Ok(out.flush()?)
}
