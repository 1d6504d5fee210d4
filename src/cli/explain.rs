//! `pixel-pipeline explain`: shows the outcome of URLs, log entries or push bodies, without sending anything.

mod lines;

use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::ValueEnum;
use jiff::Timestamp;

use super::input::{InputError, each_message, exit};
use super::{output, printable};
use crate::config::SettingArgs;
use crate::config::command::Command;
use crate::decode::{Decoder, Explanation};

/// Show the outcome of URLs, log entries or push bodies, without sending anything.
///
/// Prints one JSON object per line for each input, or readable text on a terminal. What is not a push body is read as a log
/// entry; `serve` answers 400 to it if it is not a log entry either. The schema is read from SCHEMA_FILE, else it
/// is the built-in schema. The table follows from TABLE_SUFFIX: only `serve` knows which events go to the overflow table
/// (MAX_NEW_TABLES_PER_HOUR, or a suffix of more than 256 characters). Names the parameters that are not kept, because
/// VALID_ATTRIBUTES does not list them. The exit code does not depend on the outcomes.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// URLs of the pixel, as a browser would request them now
    urls: Vec<String>,
    /// File of JSON, also gzip and zstd: log entries or push bodies, and all other forms that `replay` reads; - for standard
    /// input
    #[arg(long, value_name = "FILE")]
    input: Option<PathBuf>,
    /// Output format [default: text on a terminal, else json]
    #[arg(long, value_enum)]
    format: Option<ExplainFormat>,
    /// Answer each line of the input at once with one line of JSON, for a program that writes to standard input. Each line is
    /// one message. The answer for a dead letter has its row
    #[arg(long, requires = "input", conflicts_with_all = ["urls", "format"])]
    lines: bool,
    #[command(flatten)]
    settings: SettingArgs<{ Command::Explain as u8 }>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ExplainFormat {
    Json,
    Text,
}

/// Explains the inputs in order.
pub async fn run(args: Args) -> ExitCode {
    exit(explain(args))
}

fn explain(args: Args) -> Result<(), InputError> {
    let config = args.settings.load_decode()?;
    output::warn(&config.warnings);
    if args.urls.is_empty() && args.input.is_none() {
        return Err(InputError::NoInput);
    }
    let format = args.format.unwrap_or(if io::stdout().is_terminal() { ExplainFormat::Text } else { ExplainFormat::Json });
    let mut out = output::stdout();
    let decoder = Decoder::new(config.settings, &config.schema);
    for url in &args.urls {
        let now = Timestamp::now();
        print(&Explanation::of_url(&decoder, url, now, &config.table_name), format, &mut out)?;
    }
    if let Some(file) = args.input {
        if args.lines {
            return lines::answer(&file, &decoder, &config.table_name, &mut out);
        }
        let count = each_message(&file, |message| {
            let message = message.as_pubsub();
            print(&Explanation::of_message(&decoder, &message, Timestamp::now(), &config.table_name), format, &mut out)
                .map_err(InputError::from)
        });
        // Also before an error: the explanations belong to what precedes it.
        out.flush()?;
        if count? == 0 {
            output::note(format_args!("nothing to explain: {} has no entries", file.display()));
        }
    }
    Ok(out.flush()?)
}

fn print(explanation: &Explanation, format: ExplainFormat, out: &mut impl Write) -> io::Result<()> {
    match format {
        ExplainFormat::Json => {
            serde_json::to_writer(&mut *out, explanation)?;
            writeln!(out)
        }
        ExplainFormat::Text => print_text(explanation, out),
    }
}

fn print_text(explanation: &Explanation, out: &mut impl Write) -> io::Result<()> {
    let Explanation { outcome, reason, detail, table, insert_id, signed, row, not_kept, html_escaped, suffix: _ } = explanation;
    match reason {
        Some(reason) => writeln!(out, "{outcome}: {reason}")?,
        None => writeln!(out, "{outcome}")?,
    }
    let signed = signed.map(|signed| if signed { "yes" } else { "no" }.to_owned());
    for (name, value) in [("detail", detail), ("table", table), ("insertId", insert_id), ("signed", &signed)] {
        if let Some(value) = value {
            writeln!(out, "  {name:<9} {}", printable(value))?;
        }
    }
    let columns: serde_json::Map<String, serde_json::Value> =
        row.as_ref().and_then(|row| serde_json::from_str(row.get()).ok()).unwrap_or_default();
    for (name, value) in &columns {
        writeln!(out, "  {name} = {}", printable(&value.to_string()))?;
    }
    if !not_kept.is_empty() {
        writeln!(out, "  not kept: {} (VALID_ATTRIBUTES)", printable(&not_kept.join(", ")))?;
    }
    if *html_escaped {
        writeln!(out, "  read &amp; as &: the URL was escaped for HTML once too often")?;
    }
    writeln!(out)
}
