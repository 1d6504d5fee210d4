//! Admission of messages: at most MAX_IN_FLIGHT at once, and at most MAX_IN_FLIGHT_BYTES of their bodies, rows and connections.
//!
//! A message reserves memory for its body when it arrives, and for its payload and its row when the row is made: the larger of
//! the two counts. A row may have a multiple of the payload's bytes, because JSON needs six bytes for some characters and a
//! hash is longer than the value that it replaces. A push that is refused memory does not wait: it is answered 429, and
//! Pub/Sub delivers it again after a backoff.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// A large body or row. Log entries are smaller: Cloud Logging limits them to 256 KiB.
const LARGE_BYTES: usize = 1 << 20;

/// The limits and their use.
#[derive(Debug)]
pub struct Admission {
    max_messages: usize,
    max_bytes: usize,
    message_bytes: usize,
    usage: Mutex<Usage>,
    released: Notify,
}

/// What the messages in flight use.
#[derive(Debug, Default)]
struct Usage {
    messages: usize,
    bytes: usize,
    /// Messages whose row has memory.
    rows: usize,
}

/// A message in flight, until it is dropped.
#[derive(Debug)]
pub struct Admitted {
    admission: Arc<Admission>,
    bytes: usize,
    has_row: bool,
    /// The bytes that were refused for a row last.
    refused_row: usize,
}

/// MAX_IN_FLIGHT_BYTES is exhausted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BytesExhausted;

impl Admission {
    /// `max_messages` and `max_bytes` are MAX_IN_FLIGHT and MAX_IN_FLIGHT_BYTES. `message_bytes` is the memory of each message
    /// besides its body and its row.
    pub fn new(max_messages: usize, max_bytes: usize, message_bytes: usize) -> Arc<Self> {
        Arc::new(Self { max_messages, max_bytes, message_bytes, usage: Mutex::default(), released: Notify::new() })
    }

    /// Admits a message, which has reserved nothing yet. `None` if MAX_IN_FLIGHT are in flight.
    pub fn admit(self: &Arc<Self>) -> Option<Admitted> {
        let mut usage = self.usage();
        if usage.messages >= self.max_messages {
            return None;
        }
        usage.messages += 1;
        drop(usage);
        Some(Admitted { admission: Arc::clone(self), bytes: 0, has_row: false, refused_row: 0 })
    }

    /// Messages in flight.
    pub fn messages(&self) -> usize {
        self.usage().messages
    }

    /// Bytes that the messages in flight have reserved.
    pub fn bytes(&self) -> usize {
        self.usage().bytes
    }

    /// Locked for the duration of one calculation.
    fn usage(&self) -> MutexGuard<'_, Usage> {
        self.usage.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a message reserves memory for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Body,
    Row,
}

impl Admitted {
    /// A message without limits, of a command that limits its messages itself.
    pub fn unlimited() -> Self {
        let admission = Admission::new(1, usize::MAX, 0);
        admission.usage().messages = 1;
        Self { admission, bytes: 0, has_row: false, refused_row: 0 }
    }

    /// Reserves memory for this many bytes of the body in all. The only body in flight may exceed the limit: otherwise a
    /// message of that size could never be delivered.
    pub fn reserve_body(&mut self, bytes: usize) -> Result<(), BytesExhausted> {
        self.reserve(Part::Body, bytes)
    }

    /// Reserves memory for a payload and its row of this many bytes together. The only row in flight may exceed the limit:
    /// otherwise bodies could take all the memory, and none could become a row.
    pub fn reserve_row(&mut self, bytes: usize) -> Result<(), BytesExhausted> {
        self.reserve(Part::Row, bytes)
    }

    /// Waits until there is memory for the row that was refused last, and reserves it.
    pub async fn wait_for_row(&mut self) {
        let admission = Arc::clone(&self.admission);
        loop {
            let released = admission.released.notified();
            if self.reserve_row(self.refused_row).is_ok() {
                return;
            }
            released.await;
        }
    }

    /// Large bodies and rows leave a quarter to others, so that a few slow senders cannot block all events.
    fn reserve(&mut self, part: Part, bytes: usize) -> Result<(), BytesExhausted> {
        let Admission { max_bytes, message_bytes, .. } = *self.admission;
        let mut usage = self.admission.usage();
        let additional = bytes.saturating_add(message_bytes).saturating_sub(self.bytes);
        let is_only = match part {
            Part::Body => usage.bytes == self.bytes,
            Part::Row => usage.rows == usize::from(self.has_row),
        };
        let max_bytes = if bytes > LARGE_BYTES { max_bytes - max_bytes / 4 } else { max_bytes };
        let sum = usage.bytes.saturating_add(additional);
        if additional > 0 && sum > max_bytes && !is_only {
            if part == Part::Row {
                self.refused_row = bytes;
            }
            return Err(BytesExhausted);
        }
        usage.bytes = sum;
        self.bytes += additional;
        if part == Part::Row && !self.has_row {
            usage.rows += 1;
            self.has_row = true;
        }
        Ok(())
    }
}

impl Drop for Admitted {
    fn drop(&mut self) {
        let mut usage = self.admission.usage();
        usage.messages -= 1;
        usage.bytes -= self.bytes;
        usage.rows -= usize::from(self.has_row);
        drop(usage);
        self.admission.released.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    #[test]
    fn messages_are_admitted_up_to_the_count() {
        let admission = Admission::new(2, 100, 0);
        let (first, second) = (admission.admit(), admission.admit());
        assert!(first.is_some() && second.is_some() && admission.admit().is_none());
        drop(first);
        assert_eq!(admission.messages(), 1);
        assert!(admission.admit().is_some());
    }

    #[test]
    fn bodies_are_admitted_up_to_the_bytes() {
        let admission = Admission::new(9, 120, 10);
        let (mut first, mut second) = (admission.admit().unwrap(), admission.admit().unwrap());
        assert_eq!(first.reserve_body(60), Ok(()));
        assert_eq!(second.reserve_body(41), Err(BytesExhausted));
        assert_eq!(second.reserve_body(40), Ok(()));
        assert_eq!(first.reserve_body(61), Err(BytesExhausted));
        assert_eq!(first.reserve_body(10), Ok(()), "less than before");
        assert_eq!(admission.bytes(), 120);
        drop(second);
        assert_eq!(first.reserve_body(110), Ok(()));
        drop(first);
        assert_eq!((admission.bytes(), admission.messages()), (0, 0));
    }

    #[test]
    fn the_only_body_may_exceed_the_bytes() {
        let admission = Admission::new(9, 1, 10);
        let (mut large, mut other) = (admission.admit().unwrap(), admission.admit().unwrap());
        assert_eq!(large.reserve_body(50), Ok(()));
        assert_eq!(large.reserve_body(16 << 20), Ok(()), "it grows");
        assert_eq!(other.reserve_body(1), Err(BytesExhausted));
        drop(large);
        assert_eq!(other.reserve_body(16 << 20), Ok(()));
    }

    #[test]
    fn large_bodies_and_rows_leave_a_quarter_to_others() {
        let admission = Admission::new(9, 64 << 20, 0);
        for reserve in [Admitted::reserve_body, Admitted::reserve_row] {
            let mut large: Vec<_> = (0..4).map(|_| admission.admit().unwrap()).collect();
            let results: Vec<_> = large.iter_mut().map(|message| reserve(message, 16 << 20)).collect();
            assert_eq!(results, [Ok(()), Ok(()), Ok(()), Err(BytesExhausted)]);
            assert_eq!(admission.admit().unwrap().reserve_body(LARGE_BYTES), Ok(()));
        }
    }

    #[test]
    fn the_larger_of_body_and_payload_with_row_counts() {
        let admission = Admission::new(9, 100, 10);
        let mut message = admission.admit().unwrap();
        for (row, bytes) in [(20, 40), (30, 40), (50, 60), (20, 60)] {
            message.reserve_body(30).unwrap();
            message.reserve_row(row).unwrap();
            assert_eq!(admission.bytes(), bytes, "{row}");
        }
    }

    #[test]
    fn rows_are_admitted_up_to_the_bytes() {
        let admission = Admission::new(9, 100, 0);
        let mut messages: Vec<_> = (0..3).map(|_| admission.admit().unwrap()).collect();
        let reserve_body = |message: &mut Admitted| message.reserve_body(30);
        assert!(messages.iter_mut().all(|message| reserve_body(message).is_ok()));
        let reserve_row = |(message, bytes): (&mut Admitted, usize)| message.reserve_row(bytes);
        let rows: Vec<_> = messages.iter_mut().zip([40, 31, 30]).map(reserve_row).collect();
        assert_eq!(rows, [Ok(()), Err(BytesExhausted), Ok(())], "the last one needs no more than its body");
        assert_eq!(admission.bytes(), 100);
    }

    #[test]
    fn the_only_row_may_exceed_the_bytes() {
        let admission = Admission::new(9, 100, 0);
        let mut messages: Vec<_> = (0..3).map(|_| admission.admit().unwrap()).collect();
        assert!(messages.iter_mut().all(|message| message.reserve_body(30).is_ok()));
        assert_eq!(messages[0].reserve_row(500), Ok(()));
        assert_eq!(messages[0].reserve_row(600), Ok(()), "it grows");
        assert_eq!(messages[1].reserve_row(31), Err(BytesExhausted));
        drop(messages.remove(0));
        assert_eq!(messages[0].reserve_row(500), Ok(()));
    }

    #[tokio::test(start_paused = true)]
    async fn a_refused_row_waits_until_it_has_memory() {
        let admission = Admission::new(9, 100, 0);
        let mut messages: Vec<_> = (0..3).map(|_| admission.admit().unwrap()).collect();
        messages[0].reserve_row(60).unwrap();
        messages[1].reserve_row(40).unwrap();
        let mut waiting = messages.remove(2);
        waiting.reserve_body(0).unwrap();
        assert_eq!(waiting.reserve_row(50), Err(BytesExhausted));
        let mut wait = Box::pin(async move {
            waiting.wait_for_row().await;
            waiting
        });
        assert!(timeout(Duration::from_secs(1), &mut wait).await.is_err());
        drop(messages.remove(1));
        assert!(timeout(Duration::from_secs(1), &mut wait).await.is_err(), "40 bytes are free");
        drop(messages);
        let waiting = wait.await;
        assert_eq!(admission.bytes(), 50);
        drop(waiting);
        assert_eq!(admission.bytes(), 0);
    }
}
