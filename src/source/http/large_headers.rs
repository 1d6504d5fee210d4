//! The memory for large headers, all connections together. A header needs no token, and a client can leave it incomplete.
//!
//! The buffer of a connection is at most twice as large as its header.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::telemetry::Throttle;

/// A header up to this size counts as part of its connection.
const SMALL_HEADER_BYTES: usize = 8 << 10;
/// A hundred headers of the maximum size. Pub/Sub's headers are small, unless a subscription writes the attributes of its
/// messages into headers.
const MAX_BYTES: usize = 16 << 20;

/// The memory in use.
#[derive(Debug)]
pub struct LargeHeaders {
    bytes: AtomicUsize,
    throttle: Throttle,
}

/// The share of one connection, until it is dropped.
#[derive(Debug)]
pub struct HeaderReservation {
    headers: Arc<LargeHeaders>,
    bytes: usize,
}

impl LargeHeaders {
    pub fn new() -> Arc<Self> {
        Arc::new(Self { bytes: AtomicUsize::new(0), throttle: Throttle::new(Duration::from_secs(1)) })
    }

    /// The share of a new connection.
    pub fn reservation(self: &Arc<Self>) -> HeaderReservation {
        HeaderReservation { headers: Arc::clone(self), bytes: 0 }
    }
}

impl HeaderReservation {
    /// Reserves memory for a header of that length so far. `false` if there is none: the connection has to be closed.
    pub fn reserve(&mut self, length: usize) -> bool {
        if length <= SMALL_HEADER_BYTES.max(self.bytes) {
            return true;
        }
        let additional = length - self.bytes;
        let more = |total: usize| Some(total + additional).filter(|total| *total <= MAX_BYTES);
        let is_reserved = self.headers.bytes.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).is_ok();
        if is_reserved {
            self.bytes = length;
        } else if let Some(suppressed) = self.headers.throttle.pass() {
            tracing::warn!(suppressed, "connection closed: the headers of other connections take all the memory for headers");
        }
        is_reserved
    }
}

impl Drop for HeaderReservation {
    fn drop(&mut self) {
        self.headers.bytes.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

/// Whether a header of that length has reserved memory.
pub fn is_large(length: usize) -> bool {
    length > SMALL_HEADER_BYTES
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_headers_share_their_memory() {
        let headers = LargeHeaders::new();
        let mut all: Vec<HeaderReservation> = (0..MAX_BYTES / (160 << 10)).map(|_| headers.reservation()).collect();
        assert!(all.iter_mut().all(|one| one.reserve(9 << 10) && one.reserve(160 << 10)));
        let mut another = headers.reservation();
        assert!(another.reserve(SMALL_HEADER_BYTES), "small headers need no reservation");
        assert!(!another.reserve(160 << 10));
        all.pop();
        assert!(another.reserve(160 << 10));
        drop((all, another));
        assert_eq!(headers.bytes.load(Ordering::Relaxed), 0);
    }
}
