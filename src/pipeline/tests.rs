//! The pipeline with a scripted BigQuery, on paused time.

use reqwest::Method;
use serde_json::json;
use tokio_util::task::AbortOnDropHandle;

use super::*;
use crate::admission::Admission;
use crate::config::{Location, TemplateSettings};
use crate::decode::Schema;
use crate::google::scripted::{Answer, Call, Scripted};
use crate::google::{Tokens, Transport};
use crate::sink::batcher::Limits;
use crate::sink::bigquery::BigQuery;
use crate::sink::template::TemplateWatcher;
use crate::table_limit::{OverflowSuffix, TableLimits};
use crate::telemetry::captured::Captured;
use crate::telemetry::stats;

const SECOND: Duration = Duration::from_secs(1);
const INSERT: &str = "/insertAll";
const TEMPLATE: &str = "/tables/pixel";
const DEAD_LETTER: &str = "{";

/// What a pipeline works with.
pub(crate) struct Parts {
    pub(crate) transport: Arc<Scripted>,
    _tasks: [AbortOnDropHandle<()>; 2],
}

/// Starts a pipeline whose tables exist. `insert` answers the insertAll requests.
pub(crate) fn start(
    table_suffix: &str,
    tables_per_hour: usize,
    insert: impl Fn(&Call) -> Answer + Send + Sync + 'static,
) -> (Pipeline, Parts) {
    let transport = Scripted::new(move |call| match call {
        call if call.is(&Method::POST, INSERT) => insert(call),
        call if call.is(&Method::GET, TEMPLATE) => table(&Schema::shipped()),
        _ => table(&dead_letter::schema()),
    });
    let shared: Arc<dyn Transport> = Arc::clone(&transport) as _;
    let bigquery = BigQuery::with_transport(shared, Location::example(), Tokens::None, false, 8 * SECOND);
    let settings = TemplateSettings::example(table_suffix);
    let overflow = OverflowSuffix::parse("_overflow", &settings.decode.valid_attributes, "pixel", &settings.decode.table_suffix).unwrap();
    let table_limiter = TableLimiter::new(TableLimits { per_hour: tables_per_hour, overflow });
    let (watcher, template) = TemplateWatcher::new(Arc::clone(&bigquery), settings);
    let (batcher, batcher_task) = Batcher::new(bigquery, Limits { rows: 1, bytes: 1, inserts: 100, linger: Duration::ZERO });
    let watcher = tokio::spawn(async move { drop(watcher.run().await) });
    let tasks = [watcher, tokio::spawn(batcher_task.run())].map(AbortOnDropHandle::new);
    let pipeline = Pipeline::new(template, batcher, table_limiter, "pixel".into(), "dead_letters".into());
    (pipeline, Parts { transport, _tasks: tasks })
}

fn table(schema: &Schema) -> Answer {
    Answer::new(200, json!({"kind": "bigquery#table", "type": "TABLE", "schema": {"fields": schema.fields()}}).to_string())
}

/// All rows are stored.
pub(crate) fn stores(_: &Call) -> Answer {
    Answer::new(200, r#"{"kind":"bigquery#tableDataInsertAllResponse"}"#)
}

/// The log entry of a request with these parameters.
pub(crate) fn entry(parameters: &str) -> String {
    let url = format!("https://t.example/pixel.png?{parameters}");
    let request = json!({"requestMethod": "GET", "requestUrl": url, "status": 200, "referer": "https://r.example", "userAgent": "a"});
    json!({"insertId": "1", "logName": "projects/p/logs/requests", "timestamp": "2026-01-02T03:04:05Z", "httpRequest": request}).to_string()
}

/// A table without this column refuses the row.
fn no_such_field(column: &str) -> Answer {
    let error = json!({"reason": "invalid", "location": column, "message": format!("no such field: {column}.")});
    let errors = json!([{"index": 0, "errors": [error]}]);
    Answer::new(200, json!({"kind": "bigquery#tableDataInsertAllResponse", "insertErrors": errors}).to_string())
}

async fn process(pipeline: &Pipeline, data: &str) -> Outcome {
    process_with(pipeline, data, &mut Admitted::unlimited()).await
}

async fn process_with(pipeline: &Pipeline, data: &str, memory: &mut Admitted) -> Outcome {
    let now = "2026-01-02T03:04:06Z".parse().unwrap();
    pipeline.process(&PubsubMessage::raw(data.as_bytes()), now, Instant::now() + 8 * SECOND, memory).await
}

impl Parts {
    /// The bodies of the insertAll requests.
    fn inserts(&self) -> Vec<String> {
        self.transport.calls().iter().filter(|call| call.is(&Method::POST, INSERT)).map(|call| call.body.clone()).collect()
    }

    fn reads(&self) -> usize {
        self.transport.times(&Method::GET, TEMPLATE).len()
    }
}

#[tokio::test(start_paused = true)]
async fn an_event_is_stored_in_its_table_and_counted() {
    let before = stats();
    let (pipeline, parts) = start("_{user_id}", 10, stores);
    assert!(!pipeline.is_ready());
    assert_eq!(process(&pipeline, &entry("user_id=u&not_listed_here=1")).await, Outcome::Stored);
    assert!(pipeline.is_ready());
    assert_eq!(pipeline.tables(), 1);
    for user in ["v", "w"] {
        process(&pipeline, &entry(&format!("user_id={user}"))).await;
    }
    assert_eq!(pipeline.tables(), 3);
    assert!(parts.inserts()[0].contains(r#""templateSuffix":"_u""#), "{:?}", parts.inserts());
    assert_ne!(stats().end_to_end_seconds, before.end_to_end_seconds);
    assert!(stats().parameters_not_kept.contains_key("not_listed_here"));
}

#[tokio::test(start_paused = true)]
async fn an_event_beyond_the_limit_of_tables_is_counted_and_logged() {
    let count = || stats().overflow.get(&("too_many_tables", "")).copied().unwrap_or(0);
    let (before, log) = (count(), Captured::start());
    let (pipeline, parts) = start("_{user_id}", 1, stores);
    for user in ["u", "v", "w"] {
        assert_eq!(process(&pipeline, &entry(&format!("user_id={user}"))).await, Outcome::Stored);
    }
    assert!(parts.inserts()[1..].iter().all(|body| body.contains(r#""templateSuffix":"_overflow""#)), "{:?}", parts.inserts());
    assert!(count() >= before + 2);
    assert_eq!(log.count("event stored in the overflow table"), 1, "one line for a minute");
}

#[tokio::test(start_paused = true)]
async fn a_message_that_is_no_event_is_a_dead_letter() {
    let (pipeline, parts) = start("", 1, stores);
    assert_eq!(process(&pipeline, DEAD_LETTER).await, Outcome::DeadLetter(RejectReason::BadJson));
    assert_eq!(parts.transport.times(&Method::POST, "/dead_letters/insertAll").len(), 1);
    let pipeline = pipeline.without_dead_letters();
    assert_eq!(process(&pipeline, DEAD_LETTER).await, Outcome::DeadLetter(RejectReason::BadJson));
    assert_eq!(parts.inserts().len(), 1, "it is stored elsewhere");
    let (pipeline, _parts) = start("", 1, |_| Answer::new(503, ""));
    assert_eq!(process(&pipeline, DEAD_LETTER).await, Outcome::Retry(RetryReason::DeadLetterNotStored));
}

#[tokio::test(start_paused = true)]
async fn a_message_reserves_memory_for_its_payload_and_its_row() {
    let (pipeline, parts) = start("", 1, stores);
    for (data, outcome) in [(&*entry("user_id=u"), Outcome::Stored), (DEAD_LETTER, Outcome::DeadLetter(RejectReason::BadJson))] {
        let admission = Admission::new(2, usize::MAX, 0);
        let mut memory = admission.admit().unwrap();
        assert_eq!(process_with(&pipeline, data, &mut memory).await, outcome);
        let inserts = parts.inserts();
        let (_, row) = inserts.last().unwrap().split_once(r#""json":"#).unwrap();
        assert_eq!(admission.bytes(), data.len() + row.strip_suffix("}]}").unwrap().len(), "{row}");
        // Beside another row.
        let admission = Admission::new(2, 10, 0);
        let (mut other, mut memory) = (admission.admit().unwrap(), admission.admit().unwrap());
        other.reserve_row(1).unwrap();
        let sent = inserts.len();
        assert_eq!(process_with(&pipeline, data, &mut memory).await, Outcome::Saturated(SaturatedReason::InFlightBytes));
        assert_eq!(parts.inserts().len(), sent);
    }
}

#[tokio::test(start_paused = true)]
async fn the_template_is_read_again_if_its_table_is_refused() {
    let wrong = json!({"error": {"code": 400, "message": "The table is wrong.", "errors": [{"reason": "invalid"}]}}).to_string();
    for (answer, class, reads) in
        [(Answer::new(400, wrong), ErrorClass::TableRefused, 2), (Answer::new(503, ""), ErrorClass::Unavailable, 1)]
    {
        let (pipeline, parts) = start("", 1, move |_| answer.clone());
        assert_eq!(process(&pipeline, &entry("user_id=u")).await, Outcome::Retry(RetryReason::BigQuery(class)));
        tokio::time::sleep(SECOND).await;
        assert_eq!(parts.reads(), reads, "{class:?}");
    }
}

/// The template table has the columns, and the generated table is older.
#[tokio::test(start_paused = true)]
async fn columns_that_a_table_lacks_are_left_out_and_remembered() {
    let log = Captured::start();
    let (pipeline, parts) = start("_{user_id}", 10, |call| {
        let lacks = ["referer", "user_agent"].into_iter().find(|column| call.body.contains(&format!("\"{column}\":")));
        lacks.map_or_else(|| stores(call), no_such_field)
    });
    let stored = async |parameters: &str, inserts: usize| {
        let before = parts.inserts().len();
        assert_eq!(process(&pipeline, &entry(parameters)).await, Outcome::Stored, "{parameters}");
        assert_eq!(parts.inserts().len() - before, inserts, "{parameters}");
    };
    stored("user_id=u&order_id=1", 3).await;
    stored("user_id=u&order_id=2", 1).await;
    stored("user_id=v", 3).await;
    tokio::time::sleep(11 * SECOND).await;
    stored("user_id=u&order_id=3", 3).await;
    assert_eq!(log.count("a table lacks a column of the template table"), 1, "one line for a minute");
}

#[tokio::test(start_paused = true)]
async fn a_row_with_a_refused_value_is_a_dead_letter() {
    let error = json!({"reason": "invalid", "location": "order_id", "message": "Cannot convert the value."});
    let errors = json!([{"index": 0, "errors": [error]}]);
    let refused = json!({"kind": "bigquery#tableDataInsertAllResponse", "insertErrors": errors}).to_string();
    let (pipeline, parts) =
        start("", 1, move |call| if call.url.contains("dead_letters") { stores(call) } else { Answer::new(200, refused.clone()) });
    // The read at the start is older than the refusal.
    tokio::time::sleep(SECOND).await;
    assert_eq!(process(&pipeline, &entry("order_id=1")).await, Outcome::DeadLetter(RejectReason::Invalid));
    let inserts = parts.inserts();
    assert_eq!(inserts.len(), 2, "{inserts:?}");
    assert!(inserts[1].contains(r#""detail":"invalid: Cannot convert the value.","column":"order_id""#), "{}", inserts[1]);
    assert_eq!(parts.reads(), 2, "the table may have changed");
}
