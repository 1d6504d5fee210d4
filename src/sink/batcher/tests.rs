//! The batcher alone, on paused time, with a scripted sink instead of BigQuery.

use std::sync::{Mutex, MutexGuard};

use tokio::task::JoinHandle;

use super::*;
use crate::decode::{EventId, TableSuffix};

/// Rows wait for the end of the first insert of their table.
const LIMITS: Limits = Limits { rows: 500, bytes: 1 << 20, inserts: 100, linger: Duration::from_secs(600) };
/// As by default.
const LINGER: Duration = Duration::from_millis(16);
const SECOND: Duration = Duration::from_secs(1);

/// One call of the sink.
#[derive(Debug, Clone, PartialEq)]
struct Call {
    at: Instant,
    table: String,
    rows: Vec<String>,
    deadline: Instant,
}

/// The response to one call: how long it takes, and the result of each row.
type Script = Box<dyn Fn(usize, &[InsertRow]) -> (Duration, Vec<RowResult>) + Send + Sync>;

/// Returns the results of its script, by the number of the call.
struct Scripted {
    script: Script,
    calls: Mutex<Vec<Call>>,
    /// Calls in flight now, and at most.
    in_flight: Mutex<(usize, usize)>,
}

impl Scripted {
    fn calls(&self) -> MutexGuard<'_, Vec<Call>> {
        self.calls.lock().unwrap()
    }

    fn most_at_once(&self) -> usize {
        self.in_flight.lock().unwrap().1
    }

    /// How long after each call the next one came.
    fn pauses(&self) -> Vec<Duration> {
        self.calls().windows(2).map(|pair| pair[1].at - pair[0].at).collect()
    }
}

impl Sink for Scripted {
    async fn store(&self, destination: &Destination, rows: &[InsertRow], deadline: Instant) -> Vec<RowResult> {
        let names = rows.iter().map(|row| String::from_utf8(row.json.to_vec()).unwrap()).collect();
        let number = {
            let mut calls = self.calls();
            calls.push(Call { at: Instant::now(), table: destination.table.to_string(), rows: names, deadline });
            calls.len() - 1
        };
        let (takes, results) = (self.script)(number, rows);
        {
            let (now, most) = &mut *self.in_flight.lock().unwrap();
            *now += 1;
            *most = (*most).max(*now);
        }
        tokio::time::sleep(takes).await;
        self.in_flight.lock().unwrap().0 -= 1;
        results
    }
}

fn start(
    limits: Limits,
    script: impl Fn(usize, &[InsertRow]) -> (Duration, Vec<RowResult>) + Send + Sync + 'static,
) -> (Batcher, Arc<Scripted>, JoinHandle<()>) {
    let sink = Arc::new(Scripted { script: Box::new(script), calls: Mutex::default(), in_flight: Mutex::default() });
    let (batcher, task) = Batcher::new(Arc::clone(&sink), limits);
    (batcher, sink, tokio::spawn(task.run()))
}

/// Every row is stored after so long.
fn stores_after(takes: Duration) -> impl Fn(usize, &[InsertRow]) -> (Duration, Vec<RowResult>) + Send + Sync + 'static {
    move |_, rows| (takes, vec![RowResult::Stored; rows.len()])
}

fn retry(after: Duration) -> RowResult {
    RowResult::Retry { class: ErrorClass::Unavailable, after }
}

/// Submits a row whose JSON is its name. Resolves with its result.
fn submit(batcher: &Batcher, table: &str, name: &str, within: Duration) -> JoinHandle<Option<RowOutcome>> {
    let batcher = batcher.clone();
    let destination = Destination { table: table.into(), suffix: TableSuffix::none() };
    let row = InsertRow { event_id: EventId::of_message(name), json: name.to_owned().into() };
    let deadline = Instant::now() + within;
    tokio::spawn(async move { batcher.store(destination, row, deadline).await })
}

/// Lets every task run until all of them wait.
async fn run_all_tasks() {
    tokio::time::sleep(Duration::from_micros(1)).await;
}

/// Submits "a", and "b" while the insert of "a" is in flight.
async fn submit_one_behind_another(batcher: &Batcher) -> (JoinHandle<Option<RowOutcome>>, JoinHandle<Option<RowOutcome>>) {
    let first = submit(batcher, "t", "a", 60 * SECOND);
    run_all_tasks().await;
    (first, submit(batcher, "t", "b", 60 * SECOND))
}

#[tokio::test(start_paused = true)]
async fn a_row_is_sent_at_once_when_its_table_is_idle() {
    let (batcher, sink, _task) = start(LIMITS, stores_after(SECOND));
    let began = Instant::now();
    assert_eq!(submit(&batcher, "t", "a", 8 * SECOND).await.unwrap(), Some(RowOutcome::Stored));
    assert_eq!(sink.calls()[0].at, began);
    assert!(began.elapsed() < SECOND + Duration::from_millis(2), "without a delay: {:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn rows_that_arrive_during_an_insert_are_the_next_batch() {
    let (batcher, sink, _task) = start(LIMITS, stores_after(SECOND));
    let first = submit(&batcher, "t", "a", 8 * SECOND);
    run_all_tasks().await;
    let others: Vec<_> = ["b", "c", "d"].iter().map(|name| submit(&batcher, "t", name, 8 * SECOND)).collect();
    first.await.unwrap();
    for other in others {
        assert_eq!(other.await.unwrap(), Some(RowOutcome::Stored));
    }
    let batches: Vec<_> = sink.calls().iter().map(|call| call.rows.clone()).collect();
    assert_eq!(batches, [vec!["a"], vec!["b", "c", "d"]]);
    assert!(sink.pauses()[0] < SECOND + Duration::from_millis(2), "{:?}", sink.pauses());
}

#[tokio::test(start_paused = true)]
async fn a_batch_is_bounded_by_rows() {
    let (batcher, sink, _task) = start(Limits { rows: 2, ..LIMITS }, stores_after(SECOND));
    let all: Vec<_> = ["a", "b", "c", "d", "e"].iter().map(|name| submit(&batcher, "t", name, 60 * SECOND)).collect();
    for row in all {
        row.await.unwrap();
    }
    let batches: Vec<_> = sink.calls().iter().map(|call| call.rows.clone()).collect();
    assert!(batches.iter().all(|batch| batch.len() <= 2), "{batches:?}");
    assert_eq!(batches.concat(), ["a", "b", "c", "d", "e"], "in the order of arrival");
}

#[tokio::test(start_paused = true)]
async fn a_batch_is_bounded_by_bytes_unless_one_row_has_more() {
    let (batcher, sink, _task) = start(Limits { bytes: 4, ..LIMITS }, stores_after(SECOND));
    let first = submit(&batcher, "t", "x", 60 * SECOND);
    run_all_tasks().await;
    let all: Vec<_> = ["aa", "bb", "c", "huge row", "d"].iter().map(|name| submit(&batcher, "t", name, 60 * SECOND)).collect();
    first.await.unwrap();
    for row in all {
        row.await.unwrap();
    }
    let batches: Vec<_> = sink.calls().iter().map(|call| call.rows.clone()).collect();
    assert_eq!(batches, [vec!["x"], vec!["aa", "bb"], vec!["c"], vec!["huge row"], vec!["d"]]);
}

#[tokio::test(start_paused = true)]
async fn a_failure_is_retried_after_a_growing_pause() {
    let (batcher, sink, _task) = start(LIMITS, |number, rows| {
        (Duration::ZERO, vec![if number < 8 { retry(Duration::ZERO) } else { RowResult::Stored }; rows.len()])
    });
    assert_eq!(submit(&batcher, "t", "a", 600 * SECOND).await.unwrap(), Some(RowOutcome::Stored));
    let pauses = sink.pauses();
    assert_eq!(pauses.len(), 8);
    for (pause, most) in pauses.iter().zip([100, 200, 400, 800, 1600, 2000, 2000, 2000]) {
        let millis = pause.as_millis();
        assert!((most / 2..=most + 5).contains(&millis), "{millis} of {most} in {pauses:?}");
    }
}

/// Submits a row each 10 ms for so long. None waits longer than its insert of 30 ms and a little lingering.
async fn assert_rows_are_stored_at_once(batcher: &Batcher, lasts: Duration) {
    let mut rows = Vec::new();
    for number in 0..lasts.as_millis() / 10 {
        let batcher = batcher.clone();
        rows.push(tokio::spawn(async move {
            let began = Instant::now();
            let outcome = submit(&batcher, "t", &format!("good {number}"), 600 * SECOND).await.unwrap();
            (outcome, began.elapsed())
        }));
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    for row in rows {
        let (outcome, took) = row.await.unwrap();
        assert_eq!(outcome, Some(RowOutcome::Stored));
        assert!(took < Duration::from_millis(50), "{took:?}");
    }
}

/// Each insert takes 30 ms. The first attempts of rows whose name begins with "bad" fail, this many.
fn fails_bad_rows(failures: usize) -> impl Fn(usize, &[InsertRow]) -> (Duration, Vec<RowResult>) + Send + Sync + 'static {
    let left = Mutex::new(failures);
    move |_, rows| {
        let result = |row: &InsertRow| {
            let mut left = left.lock().unwrap();
            if *left == 0 || !row.json.starts_with(b"bad") {
                return RowResult::Stored;
            }
            *left -= 1;
            retry(Duration::ZERO)
        };
        (Duration::from_millis(30), rows.iter().map(result).collect())
    }
}

#[tokio::test(start_paused = true)]
async fn a_failed_insert_holds_up_no_other_row_of_its_table() {
    let (batcher, sink, _task) = start(Limits { linger: LINGER, ..LIMITS }, fails_bad_rows(8));
    let others = assert_rows_are_stored_at_once(&batcher, 12 * SECOND);
    let bad = async {
        tokio::time::sleep(SECOND).await;
        assert_eq!(submit(&batcher, "t", "bad", 600 * SECOND).await.unwrap(), Some(RowOutcome::Stored));
    };
    tokio::join!(others, bad);
    let attempts: Vec<_> = sink.calls().iter().filter(|call| call.rows.contains(&"bad".to_owned())).map(|call| call.at).collect();
    let pauses: Vec<_> = attempts.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert_eq!(pauses.len(), 8);
    for (pause, most) in pauses.iter().zip([100, 200, 400, 800, 1600, 2000, 2000, 2000]) {
        let millis = pause.as_millis();
        assert!((most / 2..=most + 50).contains(&millis), "{millis} of {most} in {pauses:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_delayed_row_beyond_its_deadline_is_answered_at_once() {
    let (batcher, _sink, _task) = start(Limits { linger: LINGER, ..LIMITS }, fails_bad_rows(1));
    let others = assert_rows_are_stored_at_once(&batcher, SECOND);
    let bad = async {
        tokio::time::sleep(SECOND / 2).await;
        let began = Instant::now();
        let outcome = submit(&batcher, "t", "bad", Duration::from_millis(79)).await.unwrap();
        assert_eq!(outcome, Some(RowOutcome::NotStored(ErrorClass::Unavailable)));
        assert!(began.elapsed() < Duration::from_millis(50), "{:?}", began.elapsed());
    };
    tokio::join!(others, bad);
}

/// It is sent again although no row comes any more.
#[tokio::test(start_paused = true)]
async fn a_delayed_row_is_stored_after_the_last_submission() {
    let (batcher, sink, task) = start(Limits { linger: LINGER, ..LIMITS }, |number, rows| match number {
        0 => (2 * SECOND, vec![retry(Duration::ZERO)]),
        _ => (SECOND, vec![RowResult::Stored; rows.len()]),
    });
    let (first, behind) = submit_one_behind_another(&batcher).await;
    run_all_tasks().await;
    drop(batcher);
    assert_eq!((first.await.unwrap(), behind.await.unwrap()), (Some(RowOutcome::Stored), Some(RowOutcome::Stored)));
    assert_eq!(sink.calls()[2].rows, ["a"]);
    tokio::time::timeout(SECOND, task).await.expect("the task ends").unwrap();
}

#[tokio::test(start_paused = true)]
async fn the_pause_is_short_again_once_a_row_was_stored() {
    let (batcher, sink, _task) = start(LIMITS, |number, rows| {
        (Duration::ZERO, vec![if matches!(number, 4 | 6) { RowResult::Stored } else { retry(Duration::ZERO) }; rows.len()])
    });
    for name in ["a", "b"] {
        assert_eq!(submit(&batcher, "t", name, 600 * SECOND).await.unwrap(), Some(RowOutcome::Stored));
    }
    let calls = sink.calls().clone();
    assert!(calls[6].at - calls[5].at <= Duration::from_millis(105), "{calls:?}");
}

#[tokio::test(start_paused = true)]
async fn retry_after_is_waited_for() {
    let (batcher, sink, _task) =
        start(LIMITS, |number, rows| (Duration::ZERO, vec![if number == 0 { retry(3 * SECOND) } else { RowResult::Stored }; rows.len()]));
    assert_eq!(submit(&batcher, "t", "a", 8 * SECOND).await.unwrap(), Some(RowOutcome::Stored));
    let pause = sink.pauses()[0];
    assert!(pause >= 3 * SECOND && pause < 3 * SECOND + Duration::from_millis(100), "{pause:?}");
}

#[tokio::test(start_paused = true)]
async fn a_retry_beyond_the_deadline_is_answered_at_once() {
    let (batcher, sink, _task) = start(LIMITS, |_, rows| (SECOND, vec![retry(30 * SECOND); rows.len()]));
    let began = Instant::now();
    assert_eq!(submit(&batcher, "t", "a", 8 * SECOND).await.unwrap(), Some(RowOutcome::NotStored(ErrorClass::Unavailable)));
    assert!(began.elapsed() < SECOND + Duration::from_millis(10), "{:?}", began.elapsed());
    assert_eq!(sink.calls().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_row_is_answered_by_its_own_deadline() {
    let (batcher, sink, _task) =
        start(LIMITS, |number, rows| (Duration::ZERO, vec![if number < 2 { retry(3 * SECOND) } else { RowResult::Stored }; rows.len()]));
    let first = submit(&batcher, "t", "first", 60 * SECOND);
    let (hasty, patient) = (submit(&batcher, "t", "hasty", 2 * SECOND), submit(&batcher, "t", "patient", 60 * SECOND));
    let began = Instant::now();
    assert!(!matches!(hasty.await.unwrap(), Some(RowOutcome::Stored | RowOutcome::Refused(_))));
    assert!(began.elapsed() <= 2 * SECOND + Duration::from_millis(2), "{:?}", began.elapsed());
    assert_eq!((first.await.unwrap(), patient.await.unwrap()), (Some(RowOutcome::Stored), Some(RowOutcome::Stored)));
    let last = sink.calls().last().unwrap().rows.clone();
    assert!(!last.contains(&"hasty".to_owned()), "its submitter has gone: {last:?}");
}

#[tokio::test(start_paused = true)]
async fn a_row_is_never_waited_for_beyond_its_deadline() {
    let (batcher, _sink, _task) = start(LIMITS, stores_after(3600 * SECOND));
    let began = Instant::now();
    assert_eq!(submit(&batcher, "t", "a", 8 * SECOND).await.unwrap(), None);
    assert!(began.elapsed() <= 8 * SECOND + Duration::from_millis(2), "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn every_attempt_may_take_all_the_time_that_is_left() {
    let (batcher, sink, _task) =
        start(LIMITS, |number, rows| (2 * SECOND, vec![if number == 0 { retry(Duration::ZERO) } else { RowResult::Stored }; rows.len()]));
    let deadline = Instant::now() + 8 * SECOND;
    assert_eq!(submit(&batcher, "t", "a", 8 * SECOND).await.unwrap(), Some(RowOutcome::Stored));
    let allowed: Vec<_> = sink.calls().iter().map(|call| call.deadline).collect();
    assert_eq!(allowed, [deadline, deadline]);
}

/// With the time that they wait for it, their own insert would end too late, each time that they are delivered.
#[tokio::test(start_paused = true)]
async fn rows_behind_a_slow_insert_are_stored_within_their_deadline() {
    for seconds in [5, 6, 7] {
        let (batcher, sink, _task) = start(Limits { linger: LINGER, ..LIMITS }, stores_after(seconds * SECOND));
        let first = submit(&batcher, "t", "first", 8 * SECOND);
        run_all_tasks().await;
        let rows: Vec<_> = (0..11).map(|name| submit(&batcher, "t", &name.to_string(), 8 * SECOND)).collect();
        for row in rows.into_iter().chain([first]) {
            assert_eq!(row.await.unwrap(), Some(RowOutcome::Stored), "{seconds} s");
        }
        assert_eq!(sink.calls().len(), 2, "the rows behind share an insert");
    }
}

#[tokio::test(start_paused = true)]
async fn a_slow_table_stores_its_rows_within_their_deadline() {
    for (seconds, every) in [(5, 1), (6, 10), (6, 100), (7, 30)] {
        let (batcher, sink, _task) = start(Limits { linger: LINGER, inserts: 200, ..LIMITS }, stores_after(seconds * SECOND));
        let mut rows = Vec::new();
        for name in 0..30_000 / every {
            rows.push(submit(&batcher, "t", &name.to_string(), 8 * SECOND));
            tokio::time::sleep(Duration::from_millis(every)).await;
        }
        for row in rows {
            assert_eq!(row.await.unwrap(), Some(RowOutcome::Stored), "{seconds} s, a row each {every} ms");
        }
        assert!(sink.most_at_once() <= 100, "{} inserts", sink.most_at_once());
    }
}

#[tokio::test(start_paused = true)]
async fn rows_of_a_slow_insert_that_fails_are_sent_again() {
    let (batcher, sink, task) = start(Limits { linger: LINGER, ..LIMITS }, |number, rows| {
        (3 * SECOND, vec![if number == 0 { retry(SECOND) } else { RowResult::Stored }; rows.len()])
    });
    let (first, behind) = submit_one_behind_another(&batcher).await;
    run_all_tasks().await;
    // The table has no waiting rows while the inserts are in flight, and the task ends after both.
    drop(batcher);
    assert_eq!((first.await.unwrap(), behind.await.unwrap()), (Some(RowOutcome::Stored), Some(RowOutcome::Stored)));
    let batches: Vec<_> = sink.calls().iter().map(|call| call.rows.clone()).collect();
    assert_eq!(batches, [vec!["a"], vec!["b"], vec!["a"]]);
    tokio::time::timeout(SECOND, task).await.expect("the task ends").unwrap();
}

/// The pause applies to rows that were about to be sent, too.
#[tokio::test(start_paused = true)]
async fn a_slow_insert_that_asks_for_a_pause_pauses_its_table() {
    let (batcher, sink, _task) = start(Limits { linger: LINGER, inserts: 1, ..LIMITS }, |number, rows| {
        (3 * SECOND, vec![if number == 0 { retry(5 * SECOND) } else { RowResult::Stored }; rows.len()])
    });
    let (first, behind) = submit_one_behind_another(&batcher).await;
    assert_eq!((first.await.unwrap(), behind.await.unwrap()), (Some(RowOutcome::Stored), Some(RowOutcome::Stored)));
    assert!(sink.pauses()[0] >= 8 * SECOND, "{:?}", sink.pauses());
}

#[tokio::test(start_paused = true)]
async fn a_row_that_was_not_attempted_is_sent_again_at_once() {
    let (batcher, sink, _task) = start(LIMITS, |number, rows| match number {
        0 => (SECOND, vec![RowResult::Stored]),
        1 => (Duration::ZERO, vec![RowResult::Stored, RowResult::NotAttempted, RowResult::NotAttempted]),
        _ => (Duration::ZERO, vec![RowResult::Stored; rows.len()]),
    });
    let first = submit(&batcher, "t", "first", 8 * SECOND);
    run_all_tasks().await;
    let rows: Vec<_> = ["a", "b", "c"].iter().map(|name| submit(&batcher, "t", name, 8 * SECOND)).collect();
    first.await.unwrap();
    for row in rows {
        assert_eq!(row.await.unwrap(), Some(RowOutcome::Stored));
    }
    assert_eq!(sink.calls()[2].rows, ["b", "c"]);
    assert!(sink.pauses()[1] < Duration::from_millis(5), "{:?}", sink.pauses());
}

/// Among new rows there may be another bad one, and another after that: the row would never be attempted.
#[tokio::test(start_paused = true)]
async fn a_row_that_was_not_attempted_is_sent_without_new_rows() {
    let refusal = Refusal { column: None, detail: "d".into(), no_such_field: false };
    let (batcher, sink, _task) = start(LIMITS, move |_, rows| {
        let is_bad = |row: &InsertRow| row.json.starts_with(b"bad");
        let others = if rows.iter().any(is_bad) { RowResult::NotAttempted } else { RowResult::Stored };
        (SECOND, rows.iter().map(|row| if is_bad(row) { RowResult::Refused(refusal.clone()) } else { others.clone() }).collect())
    });
    let first = submit(&batcher, "t", "first", 60 * SECOND);
    run_all_tasks().await;
    let good = submit(&batcher, "t", "good", 60 * SECOND);
    let mut bad = vec![submit(&batcher, "t", "bad 0", 60 * SECOND)];
    first.await.unwrap();
    for number in 1..4 {
        bad.push(submit(&batcher, "t", &format!("bad {number}"), 60 * SECOND));
        tokio::time::sleep(SECOND).await;
    }
    assert_eq!(good.await.unwrap(), Some(RowOutcome::Stored));
    for row in bad {
        assert!(matches!(row.await.unwrap(), Some(RowOutcome::Refused(_))));
    }
    let batches: Vec<_> = sink.calls().iter().map(|call| call.rows.clone()).collect();
    assert_eq!(batches[..3], [vec!["first"], vec!["good", "bad 0"], vec!["good"]]);
}

/// Otherwise an answer that stops everything would be asked for without a pause until the deadline.
#[tokio::test(start_paused = true)]
async fn a_batch_of_which_no_row_was_attempted_is_sent_after_a_pause() {
    let (batcher, sink, _task) = start(LIMITS, |number, rows| {
        (Duration::from_millis(1), vec![if number < 3 { RowResult::NotAttempted } else { RowResult::Stored }; rows.len()])
    });
    assert_eq!(submit(&batcher, "t", "a", 8 * SECOND).await.unwrap(), Some(RowOutcome::Stored));
    assert!(sink.pauses()[1] >= Duration::from_millis(50), "{:?}", sink.pauses());
}

#[tokio::test(start_paused = true)]
async fn each_row_gets_its_own_outcome() {
    let refusal = Refusal { column: Some("c".into()), detail: "d".into(), no_such_field: false };
    let refused = refusal.clone();
    let (batcher, sink, _task) = start(LIMITS, move |number, rows| {
        let result = |row: &InsertRow| match &row.json[..] {
            b"bad" => RowResult::Refused(refused.clone()),
            b"denied" => RowResult::Unavailable(ErrorClass::Denied),
            b"later" if number < 2 => retry(Duration::ZERO),
            _ => RowResult::Stored,
        };
        (SECOND, rows.iter().map(result).collect())
    });
    let first = submit(&batcher, "t", "first", 60 * SECOND);
    run_all_tasks().await;
    let [good, bad, denied, later] = ["good", "bad", "denied", "later"].map(|name| submit(&batcher, "t", name, 60 * SECOND));
    first.await.unwrap();
    assert_eq!(good.await.unwrap(), Some(RowOutcome::Stored));
    assert_eq!(bad.await.unwrap(), Some(RowOutcome::Refused(refusal)));
    assert_eq!(denied.await.unwrap(), Some(RowOutcome::NotStored(ErrorClass::Denied)));
    assert_eq!(later.await.unwrap(), Some(RowOutcome::Stored));
    assert_eq!(sink.calls().last().unwrap().rows, ["later"]);
}

#[tokio::test(start_paused = true)]
async fn no_more_inserts_are_in_flight_than_allowed() {
    let (batcher, sink, _task) = start(Limits { inserts: 3, ..LIMITS }, stores_after(SECOND));
    let rows: Vec<_> = (0..10).map(|table| submit(&batcher, &table.to_string(), "a", 60 * SECOND)).collect();
    for row in rows {
        assert_eq!(row.await.unwrap(), Some(RowOutcome::Stored));
    }
    assert_eq!((sink.most_at_once(), sink.calls().len()), (3, 10));
}

#[tokio::test(start_paused = true)]
async fn a_table_leaves_as_many_inserts_free_as_it_has() {
    for (tables, each) in [(1, 5), (2, 4), (4, 2)] {
        let (batcher, sink, _task) = start(Limits { rows: 1, inserts: 10, ..LIMITS }, stores_after(SECOND));
        let tables: Vec<_> = (0..tables).map(|table| table.to_string()).collect();
        let rows: Vec<_> = (0..20).flat_map(|row| tables.iter().map(move |table| (table, row.to_string()))).collect();
        let rows: Vec<_> = rows.iter().map(|(table, row)| submit(&batcher, table, row, 60 * SECOND)).collect();
        run_all_tasks().await;
        for table in &tables {
            assert!(sink.calls().iter().filter(|call| call.table == *table).count() <= each, "{table} of {tables:?}");
        }
        assert_eq!(submit(&batcher, "another", "a", 2 * SECOND).await.unwrap(), Some(RowOutcome::Stored));
        for row in rows {
            assert_eq!(row.await.unwrap(), Some(RowOutcome::Stored));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn rows_wait_for_their_linger_and_not_for_an_insert() {
    let (batcher, sink, _task) = start(Limits { linger: 64 * SECOND, ..LIMITS }, stores_after(100 * SECOND));
    let mut rows = Vec::new();
    for name in ["a", "b", "c", "d", "e", "f"] {
        rows.push(submit(&batcher, "t", name, 600 * SECOND));
        tokio::time::sleep(Duration::from_millis(600)).await;
    }
    for row in rows {
        assert_eq!(row.await.unwrap(), Some(RowOutcome::Stored));
    }
    let batches: Vec<_> = sink.calls().iter().map(|call| call.rows.clone()).collect();
    // A row behind one insert waits for a second, and a row behind two of them for two.
    assert_eq!(batches, [vec!["a"], vec!["b", "c"], vec!["d", "e", "f"]]);
}

#[tokio::test(start_paused = true)]
async fn a_failure_does_not_hold_up_inserts_under_way() {
    let (batcher, sink, _task) = start(Limits { linger: LINGER, ..LIMITS }, |number, rows| match number {
        1 => (SECOND, vec![retry(60 * SECOND); rows.len()]),
        _ => (2 * SECOND, vec![RowResult::Stored; rows.len()]),
    });
    let began = Instant::now();
    let mut rows = Vec::new();
    for name in ["a", "fails", "b"] {
        rows.push(submit(&batcher, "t", name, 8 * SECOND));
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let mut outcomes = Vec::new();
    for row in rows {
        outcomes.push(row.await.unwrap());
    }
    let failed = RowOutcome::NotStored(ErrorClass::Unavailable);
    assert_eq!(outcomes, [Some(RowOutcome::Stored), Some(failed.clone()), Some(RowOutcome::Stored)]);
    assert!(began.elapsed() < 3 * SECOND, "{:?}", began.elapsed());
    // Answers of inserts that began before do not end the Retry-After.
    assert_eq!(submit(&batcher, "t", "c", 8 * SECOND).await.unwrap(), Some(failed));
    assert_eq!(sink.calls().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn one_insert_tells_whether_a_failing_table_works_again() {
    let (batcher, sink, _task) = start(Limits { rows: 1, linger: LINGER, ..LIMITS }, |number, rows| {
        (Duration::from_millis(30), vec![if number < 5 + 3 { retry(Duration::ZERO) } else { RowResult::Stored }; rows.len()])
    });
    let rows: Vec<_> = (0..5).map(|name| submit(&batcher, "t", &name.to_string(), 60 * SECOND)).collect();
    for row in rows {
        assert_eq!(row.await.unwrap(), Some(RowOutcome::Stored));
    }
    let pauses: Vec<_> = sink.pauses().iter().map(Duration::as_millis).collect();
    // Five together, whose failures are one pause; three probes that fail, one that succeeds; and the rest together.
    assert!(pauses[..4].iter().all(|pause| *pause == 0), "{pauses:?}");
    for (pause, most) in pauses[4..8].iter().zip([100, 200, 400, 800]) {
        assert!((30 + most / 2..=30 + most + 5).contains(pause), "{pause} of {most} in {pauses:?}");
    }
    assert!((30..33).contains(&pauses[8]), "{pauses:?}");
    assert!(pauses[9..].iter().all(|pause| *pause == 0), "{pauses:?}");
}

#[tokio::test(start_paused = true)]
async fn a_probe_without_an_answer_does_not_hold_up_the_table() {
    let (batcher, sink, _task) = start(Limits { linger: LINGER, ..LIMITS }, |number, rows| match number {
        0 => (Duration::ZERO, vec![retry(Duration::ZERO); rows.len()]),
        1 => (600 * SECOND, vec![RowResult::Stored; rows.len()]),
        _ => (SECOND, vec![RowResult::Stored; rows.len()]),
    });
    let first = submit(&batcher, "t", "a", 8 * SECOND);
    tokio::time::sleep(Duration::from_millis(150)).await;
    assert_eq!(sink.calls().len(), 2);
    let began = Instant::now();
    assert_eq!(submit(&batcher, "t", "b", 8 * SECOND).await.unwrap(), Some(RowOutcome::Stored));
    assert!(began.elapsed() < 3 * SECOND, "{:?}", began.elapsed());
    assert_eq!(first.await.unwrap(), None);
}

#[tokio::test(start_paused = true)]
async fn a_busy_table_does_not_starve_the_others() {
    let (batcher, sink, _task) = start(Limits { rows: 1, inserts: 1, ..LIMITS }, stores_after(SECOND));
    let busy: Vec<_> = (0..10).map(|name| submit(&batcher, "busy", &name.to_string(), 60 * SECOND)).collect();
    run_all_tasks().await;
    let quiet = submit(&batcher, "quiet", "a", 60 * SECOND);
    quiet.await.unwrap();
    let before = sink.calls().iter().position(|call| call.table == "quiet").unwrap();
    assert!(before <= 2, "{before} inserts of the busy table went first");
    for row in busy {
        assert_eq!(row.await.unwrap(), Some(RowOutcome::Stored));
    }
}

#[tokio::test(start_paused = true)]
async fn a_paused_table_occupies_no_insert() {
    let (batcher, _sink, _task) = start(Limits { inserts: 1, ..LIMITS }, |_, rows| {
        let result = if *rows[0].json == *b"failing" { retry(5 * SECOND) } else { RowResult::Stored };
        (Duration::ZERO, vec![result; rows.len()])
    });
    let failing = submit(&batcher, "failing", "failing", 8 * SECOND);
    run_all_tasks().await;
    let began = Instant::now();
    assert_eq!(submit(&batcher, "sound", "a", 8 * SECOND).await.unwrap(), Some(RowOutcome::Stored));
    assert!(began.elapsed() < Duration::from_millis(10), "{:?}", began.elapsed());
    assert_eq!(failing.await.unwrap(), Some(RowOutcome::NotStored(ErrorClass::Unavailable)));
}

#[tokio::test(start_paused = true)]
async fn rows_that_arrive_during_a_pause_are_sent_after_it() {
    let (batcher, sink, _task) =
        start(LIMITS, |number, rows| (Duration::ZERO, vec![if number == 0 { retry(3 * SECOND) } else { RowResult::Stored }; rows.len()]));
    let first = submit(&batcher, "t", "a", 8 * SECOND);
    tokio::time::sleep(SECOND).await;
    let second = submit(&batcher, "t", "b", 8 * SECOND);
    assert_eq!((first.await.unwrap(), second.await.unwrap()), (Some(RowOutcome::Stored), Some(RowOutcome::Stored)));
    assert_eq!(sink.calls().len(), 2);
    assert_eq!(sink.calls()[1].rows, ["a", "b"]);
}

#[tokio::test(start_paused = true)]
async fn a_panic_of_the_sink_fails_one_attempt_only() {
    let (batcher, _sink, task) = start(LIMITS, |_, rows| {
        assert!(*rows[0].json != *b"poison", "the sink panics, as this test wants it to");
        (SECOND, vec![RowResult::Stored; rows.len()])
    });
    let other = submit(&batcher, "other", "a", 8 * SECOND);
    let began = Instant::now();
    let poison = submit(&batcher, "t", "poison", 8 * SECOND);
    run_all_tasks().await;
    assert_eq!(poison.await.unwrap(), Some(RowOutcome::Unknown), "to be delivered again");
    assert!(began.elapsed() < SECOND, "at once: {:?}", began.elapsed());
    assert_eq!(submit(&batcher, "t", "b", 8 * SECOND).await.unwrap(), Some(RowOutcome::Stored));
    assert_eq!(other.await.unwrap(), Some(RowOutcome::Stored));
    assert!(!task.is_finished());
}

#[tokio::test(start_paused = true)]
async fn rows_behind_a_panic_are_sent() {
    let (batcher, _sink, _task) = start(Limits { rows: 1, ..LIMITS }, |_, rows| {
        assert!(*rows[0].json != *b"poison", "the sink panics, as this test wants it to");
        (Duration::ZERO, vec![RowResult::Stored; rows.len()])
    });
    let [poison, behind] = ["poison", "behind"].map(|name| submit(&batcher, "t", name, 8 * SECOND));
    assert_eq!(poison.await.unwrap(), Some(RowOutcome::Unknown));
    assert_eq!(behind.await.unwrap(), Some(RowOutcome::Stored));
}

/// A sink with a bug, which returns fewer results than rows.
#[tokio::test(start_paused = true)]
async fn a_row_without_a_result_is_not_reported_as_stored() {
    let (batcher, _sink, _task) = start(LIMITS, |_, _| (Duration::ZERO, Vec::new()));
    assert_eq!(submit(&batcher, "t", "a", 8 * SECOND).await.unwrap(), Some(RowOutcome::Unknown));
}

#[tokio::test(start_paused = true)]
async fn the_task_ends_when_every_row_has_its_outcome() {
    let (batcher, _sink, task) =
        start(LIMITS, |number, rows| (SECOND, vec![if number == 0 { retry(SECOND) } else { RowResult::Stored }; rows.len()]));
    let row = submit(&batcher, "t", "a", 8 * SECOND);
    run_all_tasks().await;
    drop(batcher);
    run_all_tasks().await;
    assert!(!task.is_finished(), "a row is in flight");
    assert_eq!(row.await.unwrap(), Some(RowOutcome::Stored));
    tokio::time::timeout(SECOND, task).await.expect("it ends").unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_idle_task_ends_with_the_last_batcher() {
    let (batcher, sink, task) = start(LIMITS, stores_after(SECOND));
    drop(batcher.clone());
    run_all_tasks().await;
    assert!(!task.is_finished());
    drop(batcher);
    tokio::time::timeout(SECOND, task).await.expect("it ends").unwrap();
    assert!(sink.calls().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_retry_after_beyond_every_deadline_applies_to_later_rows() {
    let (batcher, sink, task) = start(LIMITS, |_, rows| (Duration::ZERO, vec![retry(30 * SECOND); rows.len()]));
    for name in ["a", "b", "c"] {
        let began = Instant::now();
        assert_eq!(submit(&batcher, "t", name, 8 * SECOND).await.unwrap(), Some(RowOutcome::NotStored(ErrorClass::Unavailable)));
        assert!(began.elapsed() < Duration::from_millis(10), "{name}: {:?}", began.elapsed());
    }
    assert_eq!(sink.calls().len(), 1, "no request during the pause");
    tokio::time::sleep(30 * SECOND).await;
    submit(&batcher, "t", "d", 8 * SECOND).await.unwrap();
    assert_eq!(sink.calls().len(), 2);
    // A paused table without rows does not delay the shutdown.
    drop(batcher);
    tokio::time::timeout(SECOND, task).await.expect("the task ends").unwrap();
}
