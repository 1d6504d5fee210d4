//! Where messages are replayed from, one file per source. The runner knows only these traits.

pub(crate) mod archive;
pub(crate) mod dead_letters;
pub(crate) mod document_source;
mod download;
pub(crate) mod files;
pub(crate) mod input;
#[cfg(feature = "pubsub")]
pub(crate) mod subscription;

use std::fmt;
use std::io;

use super::outcome::EntryOutcome;
use super::progress::ReadProgress;
use crate::cli::dead_letter_table::Deleted;
use crate::decode::PubsubMessage;

/// Events that wait between a reader and the runner. More would only use memory.
const CHANNEL_CAPACITY: usize = 256;

/// One message of a source. `Display` names it for an operator.
pub(crate) trait Entry: fmt::Display + Send + 'static {
    /// The message as the decoder takes it.
    fn message(&self) -> PubsubMessage<'_>;
}

/// One item of a source.
#[derive(Debug)]
pub(crate) enum SourceEvent<E> {
    Entry(E),
    /// A part of an input that is not the log entry of a request. It is not processed.
    Broken {
        place: String,
        reason: &'static str,
        detail: String,
    },
    /// An input cannot be read any further. Others may follow.
    Error(String),
}

/// Returns entries, and receives the outcome of each.
pub(crate) trait Source {
    type Entry: Entry;

    fn read_progress(&self) -> ReadProgress;

    /// Why there was no entry, if there was none.
    fn if_empty(&self) -> &'static str;

    /// The next event, or `None` at the end. Cancel safe.
    async fn next(&mut self) -> Option<SourceEvent<Self::Entry>>;

    /// Takes an entry back with its outcome.
    fn complete(&mut self, entry: Self::Entry, outcome: EntryOutcome);

    /// Writes the checkpoint, if the source has one and it has changed.
    fn save(&mut self) -> io::Result<()> {
        Ok(())
    }

    /// Stops reading, because of a shutdown.
    fn stop(&mut self);

    /// Finishes what has to follow the last entry.
    async fn close(&mut self) -> Closed {
        Closed::default()
    }
}

/// What closing a source resulted in.
#[derive(Debug, Default)]
pub(crate) struct Closed {
    pub(crate) errors: Vec<String>,
    /// Dead letters that became rows, if they were to be deleted.
    pub(crate) deleted: Option<Deleted>,
}
