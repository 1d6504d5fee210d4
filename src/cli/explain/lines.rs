//! `explain --lines`: a filter that turns lines into rows, for a program that keeps it running, such as deploy/beam.
//!
//! It writes exactly one line for each line of the input, in order, and as soon as no complete line waits to be read. So
//! the other program knows which lines are done if this process dies.

use std::io::{BufRead as _, BufReader, Write};
use std::path::Path;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::cli::documents::message::Message;
use crate::cli::input::{InputError, open};
use crate::decode::{Decoded, Decoder, PubsubMessage};
use crate::sink::dead_letter;

/// What becomes of one line.
#[derive(Serialize)]
struct Answer<'a> {
    outcome: &'static str,
    reason: Option<&'static str>,
    /// TABLE_NAME with the suffix.
    #[serde(skip_serializing_if = "Option::is_none")]
    table: Option<String>,
    event_id: Option<&'a str>,
    /// Of the table, or of the dead-letter table. None for a dead letter is one that exceeds the largest row.
    row: Option<&'a RawValue>,
}

/// Answers each line of a file; `-` is standard input.
pub(super) fn answer(file: &Path, decoder: &Decoder, table_name: &str, out: &mut impl Write) -> Result<(), InputError> {
    let failed = |error| InputError::Input { file: file.to_owned(), error };
    let mut lines = BufReader::with_capacity(1 << 16, open(file).map_err(failed)?);
    let mut line = Vec::new();
    while lines.read_until(b'\n', &mut line).map_err(failed)? > 0 {
        let message = Message::of_object(line.trim_ascii());
        write_answer(&message.as_pubsub(), decoder, table_name, out)?;
        if !lines.buffer().contains(&b'\n') {
            out.flush()?;
        }
        line.clear();
    }
    Ok(out.flush()?)
}

fn write_answer(message: &PubsubMessage<'_>, decoder: &Decoder, table_name: &str, out: &mut impl Write) -> Result<(), InputError> {
    let now = Timestamp::now();
    match decoder.decode(message, now) {
        Decoded::Row(row) => {
            let table = Some(format!("{table_name}{}", row.suffix));
            write_line(&Answer { outcome: "stored", reason: None, table, event_id: Some(row.event_id.as_str()), row: raw(&row.json) }, out)
        }
        Decoded::Filtered(reason) => {
            write_line(&Answer { outcome: "filtered", reason: Some(reason.as_str()), table: None, event_id: None, row: None }, out)
        }
        Decoded::Rejected(rejected) => {
            let letter = dead_letter::row(message, &rejected, now);
            let row = letter.as_ref().and_then(|letter| raw(&letter.json));
            let (reason, event_id) = (Some(rejected.reason.as_str()), Some(rejected.event_id.as_str()));
            write_line(&Answer { outcome: "dead_letter", reason, table: None, event_id, row }, out)
        }
    }
}

fn write_line(answer: &Answer<'_>, out: &mut impl Write) -> Result<(), InputError> {
    serde_json::to_writer(&mut *out, answer).map_err(std::io::Error::from)?;
    Ok(out.write_all(b"\n")?)
}

/// The decoder writes JSON on one line.
fn raw(json: &[u8]) -> Option<&RawValue> {
    serde_json::from_slice(json).ok()
}
