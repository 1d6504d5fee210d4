//! The state machine of a table, without a task: each test passes the time itself.

use tokio::sync::oneshot;

use super::*;
use crate::decode::EventId;
use crate::sink::Refusal;

const LIMITS: Limits = Limits { rows: 3, bytes: 100, inserts: 10, linger: Duration::from_millis(64) };
const SECOND: Duration = Duration::from_secs(1);

/// A table, and the outcomes of its rows.
struct Test {
    table: Table,
    start: Instant,
    outcomes: Vec<(&'static str, oneshot::Receiver<RowOutcome>)>,
}

impl Test {
    fn new() -> Self {
        let start = Instant::now();
        Self { table: Table::new(start), start, outcomes: Vec::new() }
    }

    fn at(&self, millis: u64) -> Instant {
        self.start + Duration::from_millis(millis)
    }

    /// Adds a row with a deadline of eight seconds.
    fn add(&mut self, name: &'static str, millis: u64) {
        self.add_until(name, millis, millis + 8000);
    }

    fn add_until(&mut self, name: &'static str, millis: u64, deadline: u64) {
        let (reply, outcome) = oneshot::channel();
        let row = InsertRow { event_id: EventId::of_message(name), json: name.into() };
        let (deadline, now) = (self.at(deadline), self.at(millis));
        self.table.add(Pending::new(row, deadline, reply), now);
        self.outcomes.push((name, outcome));
    }

    fn next(&mut self, millis: u64) -> Next {
        let now = self.at(millis);
        self.table.next(now, &LIMITS)
    }

    /// Sends the batch that is due.
    fn send(&mut self, millis: u64, expected: &[&str]) -> Batch {
        let now = self.at(millis);
        assert_eq!(self.table.next(now, &LIMITS), Next::Insert, "{expected:?}");
        let batch = self.table.take_batch(now, &LIMITS).expect("a batch");
        let names: Vec<_> = batch.rows.iter().map(|row| std::str::from_utf8(&row.json).unwrap()).collect();
        assert_eq!(names, expected);
        batch
    }

    fn finish(&mut self, batch: Batch, result: &RowResult, millis: u64) {
        let results = vec![result.clone(); batch.rows.len()];
        let now = self.at(millis);
        self.table.finish(batch, results, now);
    }

    fn outcome(&mut self, name: &str) -> Option<RowOutcome> {
        self.outcomes.iter_mut().find(|(of, _)| *of == name).and_then(|(_, outcome)| outcome.try_recv().ok())
    }

    /// The pause that a table is in.
    fn pause(&mut self, millis: u64) -> u128 {
        let now = self.at(millis);
        let Next::Time(until) = self.table.next(now, &LIMITS) else { panic!("it does not wait for a time") };
        (until - now).as_millis()
    }
}

fn retry(after: Duration) -> RowResult {
    RowResult::Retry { class: ErrorClass::Quota, after }
}

fn not_stored() -> Option<RowOutcome> {
    Some(RowOutcome::NotStored(ErrorClass::Quota))
}

#[test]
fn a_row_of_an_idle_table_is_sent_at_once() {
    let mut test = Test::new();
    assert_eq!(test.next(0), Next::Nothing);
    test.add("a", 0);
    let batch = test.send(0, &["a"]);
    assert_eq!(test.next(0), Next::Event);
    test.finish(batch, &RowResult::Stored, 33);
    assert_eq!((test.outcome("a"), test.next(33)), (Some(RowOutcome::Stored), Next::Nothing));
}

#[test]
fn rows_linger_for_a_step_for_each_insert_in_flight() {
    let mut test = Test::new();
    for (in_flight, name) in ["a", "b", "c", "d"].into_iter().enumerate() {
        let millis = 100 * in_flight as u64;
        test.add(name, millis);
        if in_flight > 0 {
            let due = test.at(millis + in_flight as u64);
            assert_eq!(test.next(millis), Next::Time(due), "behind {in_flight}");
        }
        let batch = test.send(millis + in_flight as u64, &[name]);
        // As if an answer had just come: the table is not slow.
        test.table.last_answer = test.at(millis + 100);
        drop(batch);
    }
}

#[test]
fn an_answer_shortens_the_wait() {
    let mut test = Test::new();
    test.add("a", 0);
    let first = test.send(0, &["a"]);
    test.add("b", 50);
    let due = test.at(51);
    assert_eq!(test.next(50), Next::Time(due));
    test.finish(first, &RowResult::Stored, 50);
    test.send(50, &["b"]);
}

#[test]
fn a_full_batch_does_not_linger() {
    let mut test = Test::new();
    test.add("a", 0);
    test.send(0, &["a"]);
    for name in ["b", "c", "d", "e"] {
        test.add(name, 0);
    }
    test.send(0, &["b", "c", "d"]);
    let due = test.at(2);
    assert_eq!(test.next(0), Next::Time(due), "the rest lingers");
    let long: &str = Box::leak("x".repeat(100).into_boxed_str());
    test.add(long, 0);
    test.send(0, &["e"]);
    test.send(0, &[long]);
}

#[test]
fn a_table_that_does_not_answer_gets_fewer_and_fewer_inserts() {
    let mut test = Test::new();
    test.add("a", 0);
    test.send(0, &["a"]);
    for (millis, linger) in [(800, 100), (4000, 500)] {
        test.add("b", millis);
        let due = test.at(millis + linger);
        assert_eq!(test.next(millis), Next::Time(due));
        test.send(millis + linger, &["b"]);
    }
}

#[test]
fn a_failure_pauses_the_table_and_one_probe_follows() {
    let mut test = Test::new();
    test.add("a", 0);
    let batch = test.send(0, &["a"]);
    test.finish(batch, &retry(Duration::ZERO), 0);
    assert!((50..=100).contains(&test.pause(0)));
    for name in ["b", "c", "d"] {
        test.add(name, 10);
    }
    assert!((40..=90).contains(&test.pause(10)), "a full batch does not end it");
    let probe = test.send(100, &["a", "b", "c"]);
    assert_eq!(test.pause(100), 1000, "the other rows wait for the probe");
    test.finish(probe, &retry(Duration::ZERO), 100);
    assert!((100..=200).contains(&test.pause(100)), "the next pause is longer");
    let probe = test.send(300, &["a", "b", "c"]);
    test.finish(probe, &RowResult::Stored, 300);
    let open = test.send(300, &["d"]);
    test.finish(open, &retry(Duration::ZERO), 300);
    assert!((50..=100).contains(&test.pause(300)), "the first pause again");
}

#[test]
fn inserts_that_fail_together_are_one_pause() {
    let mut test = Test::new();
    let mut batches = Vec::new();
    for name in ["a", "b", "c", "d", "e"] {
        test.add(name, 0);
        test.table.in_flight = 0;
        batches.push(test.send(0, &[name]));
    }
    test.table.in_flight = 5;
    for batch in batches {
        test.finish(batch, &retry(Duration::ZERO), 0);
        assert!((50..=100).contains(&test.pause(0)));
    }
    test.send(100, &["e", "d", "c"]);
}

#[test]
fn a_retry_after_is_kept_whatever_answers_come() {
    let mut test = Test::new();
    test.add("a", 0);
    let first = test.send(0, &["a"]);
    test.add("b", 0);
    let second = test.send(1, &["b"]);
    test.add("c", 1);
    let third = test.send(3, &["c"]);
    test.finish(first, &retry(2 * SECOND), 10);
    test.finish(second, &RowResult::Stored, 20);
    assert_eq!(test.pause(20), 1990, "a success of before does not end it");
    test.finish(third, &retry(SECOND), 30);
    assert_eq!(test.pause(30), 1980, "a shorter one does not end it");
    test.add_until("late", 30, 2010);
    assert_eq!(test.outcome("late"), not_stored(), "its deadline comes first");
    test.send(2010, &["c", "a"]);
}

#[test]
fn a_retry_after_during_a_probe_is_kept() {
    let mut test = Test::new();
    for name in ["a", "b"] {
        test.add(name, 0);
    }
    let first = test.send(0, &["a", "b"]);
    test.add("c", 0);
    let slow = test.send(1, &["c"]);
    test.finish(first, &retry(Duration::ZERO), 1);
    let probe = test.send(101, &["a", "b"]);
    test.finish(slow, &retry(3 * SECOND), 110);
    assert_eq!(test.pause(110), 3000);
    test.finish(probe, &RowResult::Stored, 120);
    assert_eq!(test.pause(120), 2990, "the probe began before");
    test.send(3110, &["c"]);
}

#[test]
fn a_probe_without_an_answer_keeps_rows_for_a_second() {
    let mut test = Test::new();
    test.add("a", 0);
    let batch = test.send(0, &["a"]);
    test.finish(batch, &retry(Duration::ZERO), 0);
    let probe = test.send(100, &["a"]);
    test.add("b", 200);
    assert_eq!(test.pause(200), 900);
    test.send(1100, &["b"]);
    test.finish(probe, &retry(Duration::ZERO), 1200);
    assert!((100..=200).contains(&test.pause(1200)), "its failure still counts");
}

#[test]
fn a_probe_that_is_denied_is_followed_by_the_next_one() {
    let mut test = Test::new();
    test.add("a", 0);
    let batch = test.send(0, &["a"]);
    test.finish(batch, &retry(Duration::ZERO), 0);
    for name in ["b", "c", "d"] {
        test.add(name, 10);
    }
    let probe = test.send(100, &["a", "b", "c"]);
    test.finish(probe, &RowResult::Unavailable(ErrorClass::Quota), 110);
    assert_eq!(test.outcome("b"), not_stored());
    test.add("e", 110);
    test.send(110, &["d", "e"]);
    test.add("f", 110);
    assert_eq!(test.pause(110), 1000, "one at a time");
}

#[test]
fn a_row_that_was_not_attempted_is_sent_at_once_without_others() {
    let mut test = Test::new();
    for name in ["bad", "a"] {
        test.add(name, 0);
    }
    let batch = test.send(0, &["bad", "a"]);
    test.add("b", 5);
    let refusal = Refusal { column: None, detail: "d".to_owned(), no_such_field: false };
    let now = test.at(5);
    test.table.finish(batch, vec![RowResult::Refused(refusal.clone()), RowResult::NotAttempted], now);
    assert_eq!(test.outcome("bad"), Some(RowOutcome::Refused(refusal)));
    test.send(5, &["a"]);
    let due = test.at(6);
    assert_eq!(test.next(5), Next::Time(due), "the new row lingers");
}

#[test]
fn a_batch_of_which_no_row_was_attempted_pauses_the_table() {
    let mut test = Test::new();
    test.add("a", 0);
    let batch = test.send(0, &["a"]);
    test.finish(batch, &RowResult::NotAttempted, 0);
    assert!((50..=100).contains(&test.pause(0)));
}

#[test]
fn a_failure_without_time_for_another_attempt_still_pauses_the_table() {
    let mut test = Test::new();
    test.add_until("a", 0, 20);
    let batch = test.send(0, &["a"]);
    test.finish(batch, &retry(Duration::ZERO), 0);
    assert_eq!(test.outcome("a"), not_stored());
    assert!((50..=100).contains(&test.pause(0)));
    assert_eq!(test.next(100), Next::Nothing);
}

#[test]
fn rows_of_gone_submitters_are_dropped() {
    let mut test = Test::new();
    for name in ["a", "b", "c"] {
        test.add(name, 0);
    }
    test.outcomes.remove(1);
    test.send(0, &["a", "c"]);
    test.add("d", 0);
    test.outcomes.clear();
    let now = test.at(10);
    assert!(test.table.take_batch(now, &LIMITS).is_none());
    assert_eq!((test.table.waiting.len(), test.table.waiting_bytes), (0, 0));
}
