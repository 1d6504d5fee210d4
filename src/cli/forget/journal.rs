//! The journal: a line before each deletion and one after it, so that an interrupted run does not lose its receipt.
//!
//! It is a file of JSON lines (--journal), or standard error. What cannot be written there is not deleted.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde_json::{Map, Value, json};

/// Where the lines go.
#[derive(Debug)]
pub(crate) enum Journal {
    File { file: File, path: PathBuf },
    StandardError,
}

/// A deletion.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deletion<'a> {
    pub(crate) table: &'a str,
    /// The table as a whole.
    pub(crate) is_table: bool,
    /// What is deleted, as in `row`.
    pub(crate) thing: &'static str,
    pub(crate) count: u64,
}

/// What is known of a deletion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    Started,
    Deleted,
    /// BigQuery does not delete the rows yet.
    Held,
    /// The request has failed. It may have taken effect.
    Failed,
}

impl Journal {
    /// Opens the file, to append to it.
    pub(crate) fn open(path: Option<&Path>) -> io::Result<Self> {
        let Some(path) = path else { return Ok(Self::StandardError) };
        let file = OpenOptions::new().create(true).append(true).open(path)?;
        Ok(Self::File { file, path: path.to_owned() })
    }

    /// The place, for an error.
    pub(crate) fn place(&self) -> String {
        match self {
            Self::File { path, .. } => path.display().to_string(),
            Self::StandardError => "standard error".to_owned(),
        }
    }

    /// Writes the receipt, before the deletion or after it. Standard error gets none: the receipt is on standard output.
    pub(crate) fn receipt(&mut self, receipt: &Map<String, Value>) -> io::Result<()> {
        match self {
            Self::File { file, .. } => write_line(file, &json!(receipt)),
            Self::StandardError => Ok(()),
        }
    }

    /// Writes a step. It is on the disk when this returns.
    pub(crate) fn record(&mut self, step: Step, deletion: Deletion<'_>) -> io::Result<()> {
        let Deletion { table, is_table, thing, count } = deletion;
        match self {
            Self::File { file, .. } => {
                let step = match step {
                    Step::Started => "started",
                    Step::Deleted => "deleted",
                    Step::Held => "held",
                    Step::Failed => "failed",
                };
                let what = if is_table { "table" } else { thing };
                write_line(file, &json!({"at": Timestamp::now().to_string(), "step": step, "table": table, "what": what, "count": count}))
            }
            Self::StandardError => {
                let things = super::receipt::count(count, thing);
                let what = if is_table { format!("{table} ({things})") } else { format!("{things} of {table}") };
                let line = match step {
                    Step::Started => format!("deleting {what}\n"),
                    Step::Deleted => format!("deleted {what}\n"),
                    Step::Held => format!("not deleted yet: {what}\n"),
                    Step::Failed => format!("failed to delete {what}\n"),
                };
                io::stderr().write_all(line.as_bytes())
            }
        }
    }
}

fn write_line(file: &mut File, value: &Value) -> io::Result<()> {
    file.write_all(format!("{value}\n").as_bytes())?;
    file.sync_data()
}
