//! Why a replay does not start, or does not reach its summary.

use super::checkpoint::CheckpointError;
use super::source::archive::ArchivePrefix;
use super::source::files::FileError;
use crate::google::{ApiError, TokenError};
use crate::sink::template::Mismatch;

#[derive(Debug, thiserror::Error)]
pub(crate) enum ReplayError {
    #[error("{0}")]
    Usage(String),
    #[error(transparent)]
    File(#[from] FileError),
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    #[error(transparent)]
    Token(#[from] TokenError),
    #[error("cannot create an HTTP client")]
    Http(#[from] reqwest::Error),
    #[error("cannot list {prefix}: {error}")]
    List { prefix: ArchivePrefix, error: ApiError },
    #[error("cannot read the dead letters: {0}")]
    DeadLetters(ApiError),
    #[error("cannot read the template table")]
    Template(#[from] ApiError),
    #[error(transparent)]
    Mismatch(#[from] Mismatch),
    #[error("cannot continue: the watcher of the template table ended unexpectedly")]
    WatcherEnded,
    #[error("cannot write the checkpoint: {0}")]
    SaveCheckpoint(std::io::Error),
    #[error("cannot listen for signals")]
    Signal(#[source] std::io::Error),
    #[cfg(feature = "pubsub")]
    #[error(transparent)]
    Subscription(#[from] super::source::subscription::SubscriptionError),
}

impl ReplayError {
    /// Whether the command line is the cause.
    pub(crate) fn is_usage(&self) -> bool {
        matches!(self, Self::Usage(_) | Self::File(_) | Self::Checkpoint(_))
    }
}
