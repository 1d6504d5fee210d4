//! The handle through which the pipeline reads the last result of the watcher.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
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
pub struct Template(Arc<Shared>);

/// The watcher's end of the handles.
#[derive(Debug)]
pub(super) struct Publisher(Arc<Shared>);

/// Not a channel of tokio's: it wakes those that wait in random order, and the simulation replays a seed exactly.
#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Notify,
    refresh: Notify,
}

#[derive(Debug, Default)]
struct State {
    current: Option<Current>,
    has_ended: bool,
}

/// Why there is no decoder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TemplateError {
    /// The table was not read by the deadline.
    NotRead,
    /// The table does not fit the settings.
    Mismatch,
}

/// A watcher that has read nothing, and a handle of it.
pub(super) fn channel() -> (Publisher, Template) {
    let shared = Arc::default();
    (Publisher(Arc::clone(&shared)), Template(shared))
}

impl Template {
    /// The decoder. Waits until `deadline` for the first read of the table, or for the next one while the table does not
    /// fit the settings.
    pub async fn decoder(&self, deadline: Instant) -> Result<Arc<Decoder>, TemplateError> {
        let due = match &self.0.state().current {
            Some(Current { decoder: Some(decoder), .. }) => return Ok(Arc::clone(decoder)),
            Some(current) if current.requested_at.elapsed() < MISMATCH_INTERVAL => return Err(TemplateError::Mismatch),
            Some(current) => Some(current.requested_at + MISMATCH_INTERVAL),
            None => None,
        };
        match due {
            // Cloud Run stops timers between requests, so the read may be due for longer.
            Some(time) => self.decoder_after(time, deadline).await,
            None => self.wait_until(deadline, |_| true).await,
        }
    }

    /// A decoder for a table whose read was requested at `since` or later. Requests it if necessary, and waits for it until
    /// `deadline`.
    pub async fn decoder_after(&self, since: Instant, deadline: Instant) -> Result<Arc<Decoder>, TemplateError> {
        let is_newer = |current: &Current| current.requested_at >= since;
        if !self.0.state().current.as_ref().is_some_and(is_newer) {
            self.request_read();
        }
        self.wait_until(deadline, is_newer).await
    }

    /// Requests a read of the table, without waiting for it: BigQuery refuses all rows, so the table may be another one.
    pub fn request_read(&self) {
        self.0.refresh.notify_one();
    }

    /// Whether the table was read and fits the settings.
    pub fn is_ready(&self) -> bool {
        self.0.state().current.as_ref().is_some_and(|current| current.decoder.is_some())
    }

    /// Waits until the table was read; returns without it if the watcher has ended.
    #[cfg(feature = "local")]
    pub async fn until_ready(&self) {
        self.0.wait_for(|_| true).await;
    }

    async fn wait_until(&self, deadline: Instant, is_enough: impl Fn(&Current) -> bool) -> Result<Arc<Decoder>, TemplateError> {
        match tokio::time::timeout_at(deadline, self.0.wait_for(is_enough)).await {
            Ok(Some(current)) => current.decoder.ok_or(TemplateError::Mismatch),
            // The deadline has passed, or the watcher has ended.
            Err(_) | Ok(None) => Err(TemplateError::NotRead),
        }
    }
}

impl Publisher {
    pub(super) fn publish(&self, current: Current) {
        self.0.state().current = Some(current);
        self.0.changed.notify_waiters();
    }

    /// Whether the last table does not fit the settings.
    pub(super) fn is_mismatch(&self) -> bool {
        self.0.state().current.as_ref().is_some_and(|current| current.decoder.is_none())
    }

    /// Waits until a handle requests a read.
    pub(super) async fn read_requested(&self) {
        self.0.refresh.notified().await;
    }
}

impl Drop for Publisher {
    fn drop(&mut self) {
        self.0.state().has_ended = true;
        self.0.changed.notify_waiters();
    }
}

impl Shared {
    /// `None` if the watcher has ended.
    async fn wait_for(&self, is_enough: impl Fn(&Current) -> bool) -> Option<Current> {
        loop {
            // Before the check: a change after this is not missed.
            let changed = self.changed.notified();
            {
                let state = self.state();
                if let Some(current) = state.current.as_ref().filter(|current| is_enough(current)) {
                    return Some(current.clone());
                }
                if state.has_ended {
                    return None;
                }
            }
            changed.await;
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
