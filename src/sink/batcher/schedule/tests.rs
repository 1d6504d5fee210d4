//! The schedule without a task: each test passes the time itself.

use std::time::Duration;

use tokio::sync::oneshot;

use super::*;
use crate::decode::{EventId, TableSuffix};
use crate::sink::batcher::RowOutcome;
use crate::sink::{ErrorClass, InsertRow};

/// A schedule, and the channels of its rows.
struct Test {
    schedule: Schedule,
    start: Instant,
    outcomes: Vec<oneshot::Receiver<RowOutcome>>,
}

impl Test {
    fn new(inserts: usize) -> Self {
        let limits = Limits { rows: 1, bytes: 100, inserts, linger: Duration::from_millis(64) };
        Self { schedule: Schedule::new(limits), start: Instant::now(), outcomes: Vec::new() }
    }

    fn at(&self, millis: u64) -> Instant {
        self.start + Duration::from_millis(millis)
    }

    fn add(&mut self, table: &str, millis: u64) {
        let (reply, outcome) = oneshot::channel();
        let row = InsertRow { event_id: EventId::of_message(table), json: table.to_owned().into() };
        let pending = Pending::new(row, self.at(millis + 8000), reply);
        self.schedule.add(Destination { table: table.into(), suffix: TableSuffix::none() }, pending, self.at(millis));
        self.outcomes.push(outcome);
    }

    /// Takes all batches that can be sent.
    fn send(&mut self, millis: u64) -> Vec<(Arc<Destination>, Batch)> {
        let now = self.at(millis);
        self.schedule.wake(now);
        std::iter::from_fn(|| self.schedule.next_batch(now)).collect()
    }

    fn finish(&mut self, (destination, batch): (Arc<Destination>, Batch), result: RowResult, millis: u64) {
        let now = self.at(millis);
        self.schedule.finish(&destination, batch, vec![result], now);
    }
}

fn tables(batches: &[(Arc<Destination>, Batch)]) -> String {
    batches.iter().map(|(destination, _)| &*destination.table).collect()
}

#[test]
fn tables_take_turns() {
    let mut test = Test::new(7);
    for table in ["a", "a", "a", "b", "b", "c"] {
        test.add(table, 0);
    }
    assert_eq!(tables(&test.send(0)), "abcab");
}

#[test]
fn a_table_leaves_as_many_inserts_as_it_has() {
    for (inserts, most) in [(1, 1), (2, 1), (3, 2), (10, 5), (1000, 500)] {
        let mut test = Test::new(inserts);
        for _ in 0..inserts {
            test.add("a", 0);
        }
        assert_eq!(test.send(0).len(), most, "{inserts}");
    }
}

#[test]
fn a_table_without_a_share_keeps_its_turn() {
    let mut test = Test::new(2);
    test.add("a", 0);
    test.add("a", 0);
    let first = test.send(0).remove(0);
    test.add("b", 0);
    let second = test.send(0);
    assert_eq!(tables(&second), "b");
    test.add("c", 0);
    test.finish(first, RowResult::Stored, 10);
    assert_eq!(tables(&test.send(10)), "a", "it came before c");
}

#[test]
fn the_next_time_is_that_of_the_first_table() {
    let mut test = Test::new(10);
    assert_eq!(test.schedule.next_time(), None);
    let retry = |seconds| RowResult::Retry { class: ErrorClass::Quota, after: Duration::from_secs(seconds) };
    for table in ["a", "b"] {
        test.add(table, 0);
    }
    let mut sent = test.send(0);
    test.finish(sent.remove(0), retry(5), 0);
    test.finish(sent.remove(0), retry(3), 0);
    assert_eq!(test.schedule.next_time(), Some(test.at(3000)));
    assert_eq!(tables(&test.send(2999)), "");
    assert_eq!(tables(&test.send(3000)), "b");
    assert_eq!(tables(&test.send(5000)), "a");
}

#[test]
fn tables_without_rows_and_inserts_are_forgotten() {
    let mut test = Test::new(10);
    test.add("a", 0);
    let sent = test.send(0).remove(0);
    assert!(!test.schedule.is_empty());
    test.finish(sent, RowResult::Stored, 1);
    assert!(test.schedule.is_empty());
    test.add("a", 1);
    let sent = test.send(1).remove(0);
    test.finish(sent, RowResult::Retry { class: ErrorClass::Quota, after: Duration::from_secs(30) }, 2);
    assert!(!test.schedule.is_empty(), "it is paused");
    test.schedule.close(test.at(2));
    assert!(test.schedule.is_empty());
}
