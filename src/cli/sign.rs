//! `pixel-pipeline sign`: signs URLs with URL_SIGNING_KEY.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use super::input::{InputError, each_line, exit};
use super::output;
use crate::config::SettingArgs;
use crate::config::command::Command;

/// Sign URLs of the pixel, so that a service with the same URL_SIGNING_KEY tracks them.
///
/// Prints each URL with a parameter `sig`, one per line, and sends nothing. The signature covers all other parameters, in
/// any order. A changed, added or removed parameter makes it invalid. Cache-busters and mail services change parameters:
/// sign the final URL. Scheme, host and path are not signed.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// URLs of the pixel, with their parameters
    urls: Vec<String>,
    /// File of URLs, one per line; - for standard input
    #[arg(long, value_name = "FILE")]
    input: Option<PathBuf>,
    /// File that contains the key, instead of URL_SIGNING_KEY
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,
    #[command(flatten)]
    settings: SettingArgs<{ Command::Sign as u8 }>,
}

/// Signs the URLs in order.
pub async fn run(args: Args) -> ExitCode {
    exit(sign(args))
}

fn sign(args: Args) -> Result<(), InputError> {
    if args.urls.is_empty() && args.input.is_none() {
        return Err(InputError::NoInput);
    }
    let keys = args.settings.signing_keys(args.key_file.as_deref())?;
    let mut out = output::stdout();
    for url in &args.urls {
        writeln!(out, "{}", keys.sign(url.trim()))?;
    }
    if let Some(file) = args.input {
        each_line(&file, |line| {
            let no_text = |error| InputError::Input { file: file.clone(), error: io::Error::new(io::ErrorKind::InvalidData, error) };
            Ok(writeln!(out, "{}", keys.sign(str::from_utf8(line).map_err(no_text)?))?)
        })?;
    }
    Ok(out.flush()?)
}
