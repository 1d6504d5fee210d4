//! The handle through which the pipeline reads the last result of the watcher.

use std::sync::Arc;

use tokio::sync::{Notify, watch};
use tokio::time::Instant;

use super::MISMATCH_INTERVAL;
use crate::decode::Decoder;

/// The table that was read last.
#[derive(Debug, Clone)]
pub(super) struct Current {
    /// `None` if the table does not fit the settings.
    pub(super) decoder: Option<Arc<Decoder>>,
    /// When the request for the table was sent.
    pub(super) requested_at: Instant,
}

/// The schema that the watcher read last, as a decoder.
#[derive(Debug, Clone)]
pub struct Template {
    current: watch::Receiver<Option<Current>>,
    refresh: Arc<Notify>,
}

/// Why there is no decoder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TemplateError {
    /// The table was not read by the deadline.
    NotRead,
    /// The table does not fit the settings.
    Mismatch,
}

impl Template {
    pub(super) fn new(current: watch::Receiver<Option<Current>>, refresh: Arc<Notify>) -> Self {
        Self { current, refresh }
    }

    /// The decoder. Waits until `deadline` for the first read of the table, or for the next one while the table does not
    /// fit the settings.
    pub async fn decoder(&self, deadline: Instant) -> Result<Arc<Decoder>, TemplateError> {
        let read_after = match &*self.current.borrow() {
            Some(Current { decoder: Some(decoder), .. }) => return Ok(Arc::clone(decoder)),
            Some(current) if current.requested_at.elapsed() < MISMATCH_INTERVAL => return Err(TemplateError::Mismatch),
            Some(current) => Some(current.requested_at),
            None => None,
        };
        match read_after {
            // Cloud Run stops timers between requests, so the read may be due for longer.
            Some(time) => self.decoder_after(time, deadline).await,
            None => self.wait_until(deadline, |_| true).await,
        }
    }

    /// A decoder for a table that was read after `since`. Requests a read if necessary, and waits for it until `deadline`.
    pub async fn decoder_after(&self, since: Instant, deadline: Instant) -> Result<Arc<Decoder>, TemplateError> {
        let is_newer = |current: &Current| current.requested_at > since;
        if !self.current.borrow().as_ref().is_some_and(is_newer) {
            self.request_read();
        }
        self.wait_until(deadline, is_newer).await
    }

    /// Requests a read of the table, without waiting for it: BigQuery refuses all rows, so the table may be another one.
    pub fn request_read(&self) {
        self.refresh.notify_one();
    }

    /// Whether the table was read and fits the settings.
    pub fn is_ready(&self) -> bool {
        self.current.borrow().as_ref().is_some_and(|current| current.decoder.is_some())
    }

    /// Waits until the table was read; returns without it if the watcher has ended.
    #[cfg(feature = "local")]
    pub async fn until_ready(&self) {
        // The only error is that the watcher has ended.
        let _ = self.current.clone().wait_for(Option::is_some).await;
    }

    async fn wait_until(&self, deadline: Instant, is_enough: impl Fn(&Current) -> bool) -> Result<Arc<Decoder>, TemplateError> {
        let mut current = self.current.clone();
        let found = current.wait_for(|current| current.as_ref().is_some_and(&is_enough));
        match tokio::time::timeout_at(deadline, found).await {
            Ok(Ok(current)) => current.as_ref().and_then(|current| current.decoder.clone()).ok_or(TemplateError::Mismatch),
            // The deadline has passed, or the watcher has ended.
            Err(_) | Ok(Err(_)) => Err(TemplateError::NotRead),
        }
    }
}
