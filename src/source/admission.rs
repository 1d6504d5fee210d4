//! Admission of deliveries: at most MAX_IN_FLIGHT at once, and at most MAX_IN_FLIGHT_BYTES of their bodies and connections.
//!
//! A delivery that is not admitted does not wait. It is answered 429, and Pub/Sub delivers it again after a backoff.

use std::sync::atomic::{AtomicUsize, Ordering};

/// A large body. Log entries are smaller: Cloud Logging limits them to 256 KiB.
const LARGE_BODY_BYTES: usize = 1 << 20;

/// Memory of a delivery besides its body: the buffers of its connection, and its task. Measured with bodies of 64 KiB.
pub const DELIVERY_BYTES: usize = 24 << 10;

/// The two limits and their use.
#[derive(Debug)]
pub struct Admission {
    max_deliveries: usize,
    max_bytes: usize,
    deliveries: AtomicUsize,
    bytes: AtomicUsize,
}

/// A delivery in flight, until it is dropped.
#[derive(Debug)]
pub struct Admitted<'a> {
    admission: &'a Admission,
    bytes: usize,
}

/// MAX_IN_FLIGHT_BYTES is exhausted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BytesExhausted;

impl Admission {
    /// `max_deliveries` and `max_bytes` are MAX_IN_FLIGHT and MAX_IN_FLIGHT_BYTES.
    pub fn new(max_deliveries: usize, max_bytes: usize) -> Self {
        Self { max_deliveries, max_bytes, deliveries: AtomicUsize::new(0), bytes: AtomicUsize::new(0) }
    }

    /// Admits a delivery, whose body has reserved nothing yet. `None` if MAX_IN_FLIGHT are in flight.
    pub fn admit(&self) -> Option<Admitted<'_>> {
        let more = |count| (count < self.max_deliveries).then_some(count + 1);
        self.deliveries.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).ok()?;
        Some(Admitted { admission: self, bytes: 0 })
    }

    /// Deliveries in flight.
    pub fn deliveries(&self) -> usize {
        self.deliveries.load(Ordering::Relaxed)
    }

    /// Bytes that the deliveries in flight have reserved.
    pub fn bytes(&self) -> usize {
        self.bytes.load(Ordering::Relaxed)
    }
}

impl Admitted<'_> {
    /// Reserves memory for this many bytes of the body in all, and for the delivery itself. Large bodies leave a quarter to others, so that a few slow
    /// senders cannot block all events. The only body in flight may exceed the limit: otherwise a message of that size could
    /// never be delivered.
    pub fn reserve(&mut self, bytes: usize) -> Result<(), BytesExhausted> {
        let additional = bytes.saturating_add(DELIVERY_BYTES).saturating_sub(self.bytes);
        let max_bytes = self.admission.max_bytes;
        let max_bytes = if bytes > LARGE_BODY_BYTES { max_bytes - max_bytes / 4 } else { max_bytes };
        let more = |total: usize| {
            let is_only_body = total == self.bytes;
            let sum = total.saturating_add(additional);
            (is_only_body || sum <= max_bytes).then_some(sum)
        };
        self.admission.bytes.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).map_err(|_| BytesExhausted)?;
        self.bytes += additional;
        Ok(())
    }
}

impl Drop for Admitted<'_> {
    fn drop(&mut self) {
        self.admission.bytes.fetch_sub(self.bytes, Ordering::Relaxed);
        self.admission.deliveries.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deliveries_are_admitted_up_to_the_count() {
        let admission = Admission::new(2, 100);
        let (first, second) = (admission.admit(), admission.admit());
        assert!(first.is_some() && second.is_some() && admission.admit().is_none());
        drop(first);
        assert_eq!(admission.deliveries(), 1);
        assert!(admission.admit().is_some());
    }

    #[test]
    fn bodies_are_admitted_up_to_the_bytes() {
        let admission = Admission::new(9, 2 * DELIVERY_BYTES + 100);
        let (mut first, mut second) = (admission.admit().unwrap(), admission.admit().unwrap());
        assert_eq!(first.reserve(60), Ok(()));
        assert_eq!(second.reserve(41), Err(BytesExhausted));
        assert_eq!(second.reserve(40), Ok(()));
        assert_eq!(first.reserve(61), Err(BytesExhausted));
        assert_eq!(first.reserve(10), Ok(()), "less than before");
        assert_eq!(admission.bytes(), 2 * DELIVERY_BYTES + 100);
        drop(second);
        assert_eq!(first.reserve(DELIVERY_BYTES + 100), Ok(()));
        drop(first);
        assert_eq!((admission.bytes(), admission.deliveries()), (0, 0));
    }

    #[test]
    fn the_only_body_may_exceed_the_bytes() {
        let admission = Admission::new(9, 1);
        let (mut large, mut other) = (admission.admit().unwrap(), admission.admit().unwrap());
        assert_eq!(large.reserve(50), Ok(()));
        assert_eq!(large.reserve(16 << 20), Ok(()), "it grows");
        assert_eq!(other.reserve(1), Err(BytesExhausted));
        drop(large);
        assert_eq!(other.reserve(16 << 20), Ok(()));
    }

    #[test]
    fn large_bodies_leave_a_quarter_to_others() {
        let admission = Admission::new(9, (64 << 20) + 4 * DELIVERY_BYTES);
        let mut large: Vec<_> = (0..4).map(|_| admission.admit().unwrap()).collect();
        let results: Vec<_> = large.iter_mut().map(|body| body.reserve(16 << 20)).collect();
        assert_eq!(results, [Ok(()), Ok(()), Ok(()), Err(BytesExhausted)]);
        assert_eq!(admission.admit().unwrap().reserve(LARGE_BODY_BYTES), Ok(()));
    }
}
