//! The batcher alone, on paused time: a scripted sink in place of BigQuery, and no real waiting.

use std::sync::{Mutex, MutexGuard};

use tokio::task::JoinHandle;

use super::*;
use crate::decode::{EventId, TableSuffix};

const LIMITS: Limits = Limits { rows: 500, bytes: 1 << 20, inserts: 100, attempt: Duration::from_secs(60) };
const SECOND: Duration = Duration::from_secs(1);

/// What the sink was asked for.
#[derive(Debug, Clone, PartialEq)]
struct Call {
    at: Instant,
    table: String,
    rows: Vec<String>,
    deadline: Instant,
}

/// What it does with one call: takes a while, then settles each row.
type Script = Box<dyn Fn(usize, &[InsertRow]) -> (Duration, Vec<RowResult>) + Send + Sync>;

/// Does what its script says, by the number of the call.
struct Scripted {
    script: Script,
    calls: Mutex<Vec<Call>>,
    /// Calls under way now, and at most.
    under_way: Mutex<(usize, usize)>,
}

impl Scripted {
    fn calls(&self) -> MutexGuard<'_, Vec<Call>> {
        self.calls.lock().unwrap()
    }

    fn most_at_once(&self) -> usize {
        self.under_way.lock().unwrap().1
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
        let (takes, fates) = (self.script)(number, rows);
        {
            let (now, most) = &mut *self.under_way.lock().unwrap();
            *now += 1;
            *most = (*most).max(*now);
        }
        tokio::time::sleep(takes).await;
        self.under_way.lock().unwrap().0 -= 1;
        fates
    }
}

fn start(
    limits: Limits,
    script: impl Fn(usize, &[InsertRow]) -> (Duration, Vec<RowResult>) + Send + Sync + 'static,
) -> (Batcher, Arc<Scripted>, JoinHandle<()>) {
    let sink = Arc::new(Scripted { script: Box::new(script), calls: Mutex::default(), under_way: Mutex::default() });
    let (batcher, task) = Batcher::new(Arc::clone(&sink), limits);
    (batcher, sink, tokio::spawn(task.run()))
}

/// Every row is stored after so long.
fn stores_after(takes: Duration) -> impl Fn(usize, &[InsertRow]) -> (Duration, Vec<RowResult>) + Send + Sync + 'static {
    move |_, rows| (takes, vec![RowResult::Stored; rows.len()])
}

fn again(after: Duration) -> RowResult {
    RowResult::Again { trouble: ErrorClass::Unavailable, after }
}

/// Submits a row whose JSON is its name. Resolves with its fate.
fn submit(batcher: &Batcher, table: &str, name: &str, within: Duration) -> JoinHandle<Option<Settled>> {
    let batcher = batcher.clone();
    let destination = Destination { table: table.into(), suffix: TableSuffix::none() };
    let row = InsertRow { event_id: EventId::of_message(name), json: name.to_owned().into() };
    let deadline = Instant::now() + within;
    tokio::spawn(async move { batcher.store(destination, row, deadline).await })
}

/// Lets every task run until all of them wait.
async fn settle_down() {
    tokio::time::sleep(Duration::from_micros(1)).await;
}

#[tokio::test(start_paused = true)]
async fn a_row_goes_at_once_when_its_table_is_idle() {
    let (batcher, sink, _task) = start(LIMITS, stores_after(SECOND));
    let began = Instant::now();
    assert_eq!(submit(&batcher, "t", "a", 8 * SECOND).await.unwrap(), Some(Settled::Stored));
    assert_eq!(sink.calls()[0].at, began);
    assert!(began.elapsed() < SECOND + Duration::from_millis(2), "nothing lingers: {:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn rows_that_arrive_during_an_insert_are_the_next_one() {
    let (batcher, sink, _task) = start(LIMITS, stores_after(SECOND));
    let first = submit(&batcher, "t", "a", 8 * SECOND);
    settle_down().await;
    let others: Vec<_> = ["b", "c", "d"].iter().map(|name| submit(&batcher, "t", name, 8 * SECOND)).collect();
    first.await.unwrap();
    for other in others {
        assert_eq!(other.await.unwrap(), Some(Settled::Stored));
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
async fn a_batch_is_bounded_by_bytes_and_a_row_that_has_more_goes_alone() {
    let (batcher, sink, _task) = start(Limits { bytes: 4, ..LIMITS }, stores_after(SECOND));
    let first = submit(&batcher, "t", "x", 60 * SECOND);
    settle_down().await;
    let all: Vec<_> = ["aa", "bb", "c", "huge row", "d"].iter().map(|name| submit(&batcher, "t", name, 60 * SECOND)).collect();
    first.await.unwrap();
    for row in all {
        row.await.unwrap();
    }
    let batches: Vec<_> = sink.calls().iter().map(|call| call.rows.clone()).collect();
    assert_eq!(batches, [vec!["x"], vec!["aa", "bb"], vec!["c"], vec!["huge row"], vec!["d"]]);
}

#[tokio::test(start_paused = true)]
async fn a_failure_is_tried_again_after_a_growing_pause() {
    let (batcher, sink, _task) = start(LIMITS, |number, rows| {
        (Duration::ZERO, vec![if number < 8 { again(Duration::ZERO) } else { RowResult::Stored }; rows.len()])
    });
    assert_eq!(submit(&batcher, "t", "a", 600 * SECOND).await.unwrap(), Some(Settled::Stored));
    let pauses = sink.pauses();
    assert_eq!(pauses.len(), 8);
    for (pause, most) in pauses.iter().zip([100, 200, 400, 800, 1600, 2000, 2000, 2000]) {
        let millis = pause.as_millis();
        assert!((most / 2..=most + 5).contains(&millis), "{millis} of {most} in {pauses:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_pause_begins_small_again_once_a_row_was_stored() {
    let (batcher, sink, _task) = start(LIMITS, |number, rows| {
        (Duration::ZERO, vec![if matches!(number, 4 | 6) { RowResult::Stored } else { again(Duration::ZERO) }; rows.len()])
    });
    for name in ["a", "b"] {
        assert_eq!(submit(&batcher, "t", name, 600 * SECOND).await.unwrap(), Some(Settled::Stored));
    }
    let calls = sink.calls().clone();
    assert!(calls[6].at - calls[5].at <= Duration::from_millis(105), "{calls:?}");
}

#[tokio::test(start_paused = true)]
async fn retry_after_is_waited_for() {
    let (batcher, sink, _task) =
        start(LIMITS, |number, rows| (Duration::ZERO, vec![if number == 0 { again(3 * SECOND) } else { RowResult::Stored }; rows.len()]));
    assert_eq!(submit(&batcher, "t", "a", 8 * SECOND).await.unwrap(), Some(Settled::Stored));
    let pause = sink.pauses()[0];
    assert!(pause >= 3 * SECOND && pause < 3 * SECOND + Duration::from_millis(100), "{pause:?}");
}

#[tokio::test(start_paused = true)]
async fn a_retry_that_would_come_too_late_is_answered_at_once() {
    let (batcher, sink, _task) = start(LIMITS, |_, rows| (SECOND, vec![again(30 * SECOND); rows.len()]));
    let began = Instant::now();
    assert_eq!(submit(&batcher, "t", "a", 8 * SECOND).await.unwrap(), Some(Settled::Unsettled(ErrorClass::Unavailable)));
    assert!(began.elapsed() < SECOND + Duration::from_millis(10), "{:?}", began.elapsed());
    assert_eq!(sink.calls().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_row_whose_neighbour_has_more_time_is_answered_by_its_own_deadline() {
    let (batcher, sink, _task) =
        start(LIMITS, |number, rows| (Duration::ZERO, vec![if number < 2 { again(3 * SECOND) } else { RowResult::Stored }; rows.len()]));
    let first = submit(&batcher, "t", "first", 60 * SECOND);
    let (hasty, patient) = (submit(&batcher, "t", "hasty", 2 * SECOND), submit(&batcher, "t", "patient", 60 * SECOND));
    let began = Instant::now();
    assert!(!matches!(hasty.await.unwrap(), Some(Settled::Stored | Settled::Refused(_))));
    assert!(began.elapsed() <= 2 * SECOND + Duration::from_millis(2), "{:?}", began.elapsed());
    assert_eq!((first.await.unwrap(), patient.await.unwrap()), (Some(Settled::Stored), Some(Settled::Stored)));
    let last = sink.calls().last().unwrap().rows.clone();
    assert!(!last.contains(&"hasty".to_owned()), "nobody waits for it: {last:?}");
}

#[tokio::test(start_paused = true)]
async fn a_row_is_never_waited_for_beyond_its_deadline() {
    let (batcher, _sink, _task) = start(LIMITS, stores_after(3600 * SECOND));
    let began = Instant::now();
    assert_eq!(submit(&batcher, "t", "a", 8 * SECOND).await.unwrap(), None);
    assert!(began.elapsed() <= 8 * SECOND + Duration::from_millis(2), "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn an_attempt_ends_at_the_latest_deadline_or_its_own_limit() {
    let (batcher, sink, _task) = start(Limits { attempt: 5 * SECOND, ..LIMITS }, stores_after(Duration::ZERO));
    let began = Instant::now();
    for (table, within, expected) in [("t", 3 * SECOND, 3 * SECOND), ("u", 60 * SECOND, 5 * SECOND)] {
        submit(&batcher, table, "a", within).await.unwrap();
        let allowed = sink.calls().last().unwrap().deadline - began;
        assert!(allowed >= expected && allowed < expected + Duration::from_millis(10), "{allowed:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_row_that_was_stopped_goes_again_at_once() {
    let (batcher, sink, _task) = start(LIMITS, |number, rows| match number {
        0 => (SECOND, vec![RowResult::Stored]),
        1 => (Duration::ZERO, vec![RowResult::Stored, RowResult::Stopped, RowResult::Stopped]),
        _ => (Duration::ZERO, vec![RowResult::Stored; rows.len()]),
    });
    let first = submit(&batcher, "t", "first", 8 * SECOND);
    settle_down().await;
    let rows: Vec<_> = ["a", "b", "c"].iter().map(|name| submit(&batcher, "t", name, 8 * SECOND)).collect();
    first.await.unwrap();
    for row in rows {
        assert_eq!(row.await.unwrap(), Some(Settled::Stored));
    }
    assert_eq!(sink.calls()[2].rows, ["b", "c"]);
    assert!(sink.pauses()[1] < Duration::from_millis(5), "{:?}", sink.pauses());
}

/// Among newcomers there may be another bad row, and another after that: it would be stopped again and again.
#[tokio::test(start_paused = true)]
async fn a_row_that_was_stopped_goes_without_newcomers() {
    let refusal = Refusal { column: None, detail: "d".into(), no_such_field: false };
    let (batcher, sink, _task) = start(LIMITS, move |_, rows| {
        let is_bad = |row: &InsertRow| row.json.starts_with(b"bad");
        let others = if rows.iter().any(is_bad) { RowResult::Stopped } else { RowResult::Stored };
        (SECOND, rows.iter().map(|row| if is_bad(row) { RowResult::Refused(refusal.clone()) } else { others.clone() }).collect())
    });
    let first = submit(&batcher, "t", "first", 60 * SECOND);
    settle_down().await;
    let good = submit(&batcher, "t", "good", 60 * SECOND);
    let mut bad = vec![submit(&batcher, "t", "bad 0", 60 * SECOND)];
    first.await.unwrap();
    for number in 1..4 {
        bad.push(submit(&batcher, "t", &format!("bad {number}"), 60 * SECOND));
        tokio::time::sleep(SECOND).await;
    }
    assert_eq!(good.await.unwrap(), Some(Settled::Stored));
    for row in bad {
        assert!(matches!(row.await.unwrap(), Some(Settled::Refused(_))));
    }
    let batches: Vec<_> = sink.calls().iter().map(|call| call.rows.clone()).collect();
    assert_eq!(batches[..3], [vec!["first"], vec!["good", "bad 0"], vec!["good"]]);
}

/// Otherwise an answer that stops everything would be asked for without a pause until the deadline.
#[tokio::test(start_paused = true)]
async fn a_batch_that_was_stopped_as_a_whole_waits_before_it_goes_again() {
    let (batcher, sink, _task) = start(LIMITS, |number, rows| {
        (Duration::from_millis(1), vec![if number < 3 { RowResult::Stopped } else { RowResult::Stored }; rows.len()])
    });
    assert_eq!(submit(&batcher, "t", "a", 8 * SECOND).await.unwrap(), Some(Settled::Stored));
    assert!(sink.pauses()[1] >= Duration::from_millis(50), "{:?}", sink.pauses());
}

#[tokio::test(start_paused = true)]
async fn each_row_learns_its_own_fate() {
    let refusal = Refusal { column: Some("c".into()), detail: "d".into(), no_such_field: false };
    let refused = refusal.clone();
    let (batcher, sink, _task) = start(LIMITS, move |number, rows| {
        let fate = |row: &InsertRow| match &row.json[..] {
            b"bad" => RowResult::Refused(refused.clone()),
            b"denied" => RowResult::NotNow(ErrorClass::Denied),
            b"later" if number < 2 => again(Duration::ZERO),
            _ => RowResult::Stored,
        };
        (SECOND, rows.iter().map(fate).collect())
    });
    let first = submit(&batcher, "t", "first", 60 * SECOND);
    settle_down().await;
    let [good, bad, denied, later] = ["good", "bad", "denied", "later"].map(|name| submit(&batcher, "t", name, 60 * SECOND));
    first.await.unwrap();
    assert_eq!(good.await.unwrap(), Some(Settled::Stored));
    assert_eq!(bad.await.unwrap(), Some(Settled::Refused(refusal)));
    assert_eq!(denied.await.unwrap(), Some(Settled::Unsettled(ErrorClass::Denied)));
    assert_eq!(later.await.unwrap(), Some(Settled::Stored));
    assert_eq!(sink.calls().last().unwrap().rows, ["later"]);
}

#[tokio::test(start_paused = true)]
async fn no_more_inserts_are_under_way_than_allowed() {
    let (batcher, sink, _task) = start(Limits { inserts: 3, ..LIMITS }, stores_after(SECOND));
    let rows: Vec<_> = (0..10).map(|table| submit(&batcher, &table.to_string(), "a", 60 * SECOND)).collect();
    for row in rows {
        assert_eq!(row.await.unwrap(), Some(Settled::Stored));
    }
    assert_eq!((sink.most_at_once(), sink.calls().len()), (3, 10));
}

#[tokio::test(start_paused = true)]
async fn one_table_has_one_insert_under_way() {
    let (batcher, sink, _task) = start(Limits { rows: 1, ..LIMITS }, stores_after(SECOND));
    let rows: Vec<_> = (0..5).map(|name| submit(&batcher, "t", &name.to_string(), 60 * SECOND)).collect();
    for row in rows {
        row.await.unwrap();
    }
    assert_eq!(sink.most_at_once(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_busy_table_lets_the_others_have_their_turn() {
    let (batcher, sink, _task) = start(Limits { rows: 1, inserts: 1, ..LIMITS }, stores_after(SECOND));
    let busy: Vec<_> = (0..10).map(|name| submit(&batcher, "busy", &name.to_string(), 60 * SECOND)).collect();
    settle_down().await;
    let quiet = submit(&batcher, "quiet", "a", 60 * SECOND);
    quiet.await.unwrap();
    let before = sink.calls().iter().position(|call| call.table == "quiet").unwrap();
    assert!(before <= 2, "{before} inserts of the busy table went first");
    for row in busy {
        assert_eq!(row.await.unwrap(), Some(Settled::Stored));
    }
}

#[tokio::test(start_paused = true)]
async fn a_table_that_waits_out_a_failure_takes_nobodys_place() {
    let (batcher, _sink, _task) = start(Limits { inserts: 1, ..LIMITS }, |_, rows| {
        let fate = if *rows[0].json == *b"failing" { again(5 * SECOND) } else { RowResult::Stored };
        (Duration::ZERO, vec![fate; rows.len()])
    });
    let failing = submit(&batcher, "failing", "failing", 8 * SECOND);
    settle_down().await;
    let began = Instant::now();
    assert_eq!(submit(&batcher, "sound", "a", 8 * SECOND).await.unwrap(), Some(Settled::Stored));
    assert!(began.elapsed() < Duration::from_millis(10), "{:?}", began.elapsed());
    assert_eq!(failing.await.unwrap(), Some(Settled::Unsettled(ErrorClass::Unavailable)));
}

#[tokio::test(start_paused = true)]
async fn rows_that_arrive_during_a_pause_wait_for_its_end_and_go_along() {
    let (batcher, sink, _task) =
        start(LIMITS, |number, rows| (Duration::ZERO, vec![if number == 0 { again(3 * SECOND) } else { RowResult::Stored }; rows.len()]));
    let first = submit(&batcher, "t", "a", 8 * SECOND);
    tokio::time::sleep(SECOND).await;
    let second = submit(&batcher, "t", "b", 8 * SECOND);
    assert_eq!((first.await.unwrap(), second.await.unwrap()), (Some(Settled::Stored), Some(Settled::Stored)));
    assert_eq!(sink.calls().len(), 2);
    assert_eq!(sink.calls()[1].rows, ["a", "b"]);
}

#[tokio::test(start_paused = true)]
async fn a_sink_that_panics_costs_one_attempt_and_no_table() {
    let (batcher, _sink, task) = start(LIMITS, |_, rows| {
        assert!(*rows[0].json != *b"poison", "the sink panics, as this test wants it to");
        (SECOND, vec![RowResult::Stored; rows.len()])
    });
    let other = submit(&batcher, "other", "a", 8 * SECOND);
    let began = Instant::now();
    let poison = submit(&batcher, "t", "poison", 8 * SECOND);
    settle_down().await;
    assert_eq!(poison.await.unwrap(), Some(Settled::Lost), "to be delivered again");
    assert!(began.elapsed() < SECOND, "at once: {:?}", began.elapsed());
    assert_eq!(submit(&batcher, "t", "b", 8 * SECOND).await.unwrap(), Some(Settled::Stored));
    assert_eq!(other.await.unwrap(), Some(Settled::Stored));
    assert!(!task.is_finished());
}

#[tokio::test(start_paused = true)]
async fn rows_behind_a_panic_are_sent() {
    let (batcher, _sink, _task) = start(Limits { rows: 1, ..LIMITS }, |_, rows| {
        assert!(*rows[0].json != *b"poison", "the sink panics, as this test wants it to");
        (Duration::ZERO, vec![RowResult::Stored; rows.len()])
    });
    let [poison, behind] = ["poison", "behind"].map(|name| submit(&batcher, "t", name, 8 * SECOND));
    assert_eq!(poison.await.unwrap(), Some(Settled::Lost));
    assert_eq!(behind.await.unwrap(), Some(Settled::Stored));
}

/// A sink that breaks its word and answers for fewer rows than it was given.
#[tokio::test(start_paused = true)]
async fn a_row_that_the_sink_forgets_is_not_taken_for_stored() {
    let (batcher, _sink, _task) = start(LIMITS, |_, _| (Duration::ZERO, Vec::new()));
    assert_eq!(submit(&batcher, "t", "a", 8 * SECOND).await.unwrap(), Some(Settled::Lost));
}

#[tokio::test(start_paused = true)]
async fn the_task_ends_with_the_last_batcher_once_everything_is_settled() {
    let (batcher, _sink, task) =
        start(LIMITS, |number, rows| (SECOND, vec![if number == 0 { again(SECOND) } else { RowResult::Stored }; rows.len()]));
    let row = submit(&batcher, "t", "a", 8 * SECOND);
    settle_down().await;
    drop(batcher);
    settle_down().await;
    assert!(!task.is_finished(), "a row is under way");
    assert_eq!(row.await.unwrap(), Some(Settled::Stored));
    tokio::time::timeout(SECOND, task).await.expect("it ends").unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_idle_task_ends_with_the_last_batcher() {
    let (batcher, sink, task) = start(LIMITS, stores_after(SECOND));
    drop(batcher.clone());
    settle_down().await;
    assert!(!task.is_finished());
    drop(batcher);
    tokio::time::timeout(SECOND, task).await.expect("it ends").unwrap();
    assert!(sink.calls().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_retry_after_that_nobody_can_wait_for_keeps_later_rows_away_too() {
    let (batcher, sink, task) = start(LIMITS, |_, rows| (Duration::ZERO, vec![again(30 * SECOND); rows.len()]));
    for name in ["a", "b", "c"] {
        let began = Instant::now();
        assert_eq!(submit(&batcher, "t", name, 8 * SECOND).await.unwrap(), Some(Settled::Unsettled(ErrorClass::Unavailable)));
        assert!(began.elapsed() < Duration::from_millis(10), "{name}: {:?}", began.elapsed());
    }
    assert_eq!(sink.calls().len(), 1, "BigQuery was left alone");
    tokio::time::sleep(30 * SECOND).await;
    submit(&batcher, "t", "d", 8 * SECOND).await.unwrap();
    assert_eq!(sink.calls().len(), 2);
    // A table that only rests keeps nobody from shutting down.
    drop(batcher);
    tokio::time::timeout(SECOND, task).await.expect("the task ends").unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_second_attempt_may_take_all_the_time_that_is_left() {
    let (batcher, sink, _task) = start(Limits { attempt: 3 * SECOND, ..LIMITS }, |number, rows| {
        (3 * SECOND, vec![if number == 0 { again(Duration::ZERO) } else { RowResult::Stored }; rows.len()])
    });
    let deadline = Instant::now() + 8 * SECOND;
    assert_eq!(submit(&batcher, "t", "a", 8 * SECOND).await.unwrap(), Some(Settled::Stored));
    let allowed: Vec<_> = sink.calls().iter().map(|call| call.deadline).collect();
    assert_eq!(allowed, [deadline - 5 * SECOND, deadline]);
}
