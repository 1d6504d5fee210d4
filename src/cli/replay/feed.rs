//! Where entries come from, whatever it is: a channel that ends when there are no more.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use tokio::sync::mpsc;

use super::checkpoint::Identity;
use super::entry::Entry;
use super::lines::Offset;

/// Entries that may wait to be taken. More would only be memory.
pub(crate) const AHEAD: usize = 256;

/// What is to be waited for once every entry has come to its end.
pub(crate) type Closing = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Entries as they come.
pub(crate) struct Feed {
    pub(crate) events: mpsc::Receiver<Event>,
    /// Files and objects; their positions are those that events speak of.
    pub(crate) sources: Vec<Source>,
    pub(crate) reach: Reach,
    pub(crate) closing: Closing,
}

/// A file or an object.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    pub(crate) name: String,
    /// What it is known by in a checkpoint; `None` where it cannot be read twice.
    pub(crate) identity: Option<Identity>,
    pub(crate) start: Offset,
}

/// What comes.
#[derive(Debug)]
pub(crate) enum Event {
    Entry(Entry),
    /// A line that cannot be an entry.
    Unreadable {
        source: usize,
        line: u64,
        problem: &'static str,
    },
    /// The source has been read.
    End {
        source: usize,
        /// Where to go on if it has grown.
        resume: Offset,
    },
    /// It cannot be read any further.
    Broken {
        what: String,
    },
}

/// How far the feed has come, in units of its own.
#[derive(Debug, Clone)]
pub(crate) struct Reach {
    pub(crate) done: Arc<AtomicU64>,
    /// Unknown for what is endless, or not known beforehand.
    pub(crate) total: Option<u64>,
}

impl Reach {
    pub(crate) fn of(total: Option<u64>) -> Self {
        Self { done: Arc::default(), total }
    }

    /// Where nobody can say.
    #[cfg(feature = "pubsub")]
    pub(crate) fn unknown() -> Self {
        Self::of(None)
    }
}
