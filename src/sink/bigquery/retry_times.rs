//! BigQuery's Retry-After, for each table: no request for the table is sent before it has passed.
//!
//! The batcher starts no insert of a paused table. But inserts that began before may still send requests: the second one of
//! `hedge`, the parts of `split`, and the repetitions of `confirm`.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::time::Instant;

use super::super::Destination;
use super::super::error::{ErrorClass, RequestError};

/// The tables that have to wait.
#[derive(Debug, Default)]
pub(super) struct RetryTimes(Mutex<HashMap<Destination, (Instant, ErrorClass)>>);

impl RetryTimes {
    /// The error of a request that comes too early.
    pub(super) fn check(&self, destination: &Destination, now: Instant) -> Result<(), RequestError> {
        match self.times().get(destination) {
            Some((time, class)) if *time > now => Err(RequestError::Retry { class: *class, after: *time - now }),
            Some(_) | None => Ok(()),
        }
    }

    /// Records the error of a request, which may have a Retry-After. The latest one counts.
    pub(super) fn record(&self, destination: &Destination, error: &RequestError, now: Instant) {
        let RequestError::Retry { class, after } = error else { return };
        if after.is_zero() {
            return;
        }
        let mut times = self.times();
        if times.len() == times.capacity() {
            times.retain(|_, (time, _)| *time > now);
        }
        let recorded = times.entry(destination.clone()).or_insert((now, *class));
        *recorded = (*recorded).max((now + *after, *class));
    }

    /// Locked for the duration of one lookup.
    fn times(&self) -> MutexGuard<'_, HashMap<Destination, (Instant, ErrorClass)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::decode::TableSuffix;

    const SECOND: Duration = Duration::from_secs(1);

    fn table(name: &str) -> Destination {
        Destination { table: name.into(), suffix: TableSuffix::none() }
    }

    fn retry(after: Duration) -> RequestError {
        RequestError::Retry { class: ErrorClass::Quota, after }
    }

    #[test]
    fn requests_of_a_table_wait_for_its_latest_retry_after() {
        let (times, now) = (RetryTimes::default(), Instant::now());
        for seconds in [3, 5, 2] {
            times.record(&table("a"), &retry(seconds * SECOND), now);
        }
        assert_eq!(times.check(&table("a"), now + SECOND), Err(retry(4 * SECOND)));
        assert_eq!(times.check(&table("a"), now + 5 * SECOND), Ok(()));
        assert_eq!(times.check(&table("b"), now), Ok(()));
    }

    #[test]
    fn errors_without_a_retry_after_record_nothing() {
        let (times, now) = (RetryTimes::default(), Instant::now());
        for error in [retry(Duration::ZERO), RequestError::NotFound, RequestError::Unavailable(ErrorClass::Denied)] {
            times.record(&table("a"), &error, now);
        }
        assert!(times.times().is_empty());
    }

    #[test]
    fn no_table_is_forgotten_before_its_time() {
        let (times, now) = (RetryTimes::default(), Instant::now());
        for number in 0..1000 {
            times.record(&table(&number.to_string()), &retry(SECOND), now);
        }
        for number in 0..1000 {
            assert_eq!(times.check(&table(&number.to_string()), now), Err(retry(SECOND)), "{number}");
        }
    }

    #[test]
    fn past_times_are_forgotten() {
        let (times, now) = (RetryTimes::default(), Instant::now());
        for number in 0..10_000 {
            times.record(&table(&number.to_string()), &retry(SECOND), now + number * SECOND);
        }
        assert!(times.times().len() < 10, "{}", times.times().len());
    }
}
