//! How often the watcher sends requests, and what it logs, with a scripted BigQuery and on paused time.

use std::sync::atomic::{AtomicBool, Ordering};

use reqwest::Method;
use serde_json::json;
use tokio_util::task::AbortOnDropHandle;

use super::*;
use crate::config::Location;
use crate::decode::{EventId, TableSuffix};
use crate::google::Tokens;
use crate::google::scripted::{Answer, Call, Scripted};
use crate::sink::batcher::Sink as _;
use crate::sink::{Destination, InsertRow, dead_letter};
use crate::telemetry::captured::Captured;

const SECOND: Duration = Duration::from_secs(1);
const TEMPLATE: &str = "/tables/pixel";
const DEAD_LETTERS: &str = "/tables/dead_letters";
const NOT_FOUND: &str = r#"{"error":{"code":404,"message":"Not found: Table","errors":[{"reason":"notFound"}],"status":"NOT_FOUND"}}"#;
const CREATED: &str = r#"{"kind":"bigquery#table","tableReference":{}}"#;

/// A watcher and what it works with.
struct Test {
    transport: Arc<Scripted>,
    bigquery: Arc<BigQuery>,
    template: Template,
    log: Captured,
    watcher: AbortOnDropHandle<Mismatch>,
}

fn table(kind: &str, schema: &Schema) -> Answer {
    Answer::new(200, json!({"kind": "bigquery#table", "type": kind, "schema": {"fields": schema.fields()}}).to_string())
}

fn template() -> Answer {
    table("TABLE", &Schema::shipped())
}

fn dead_letters() -> Answer {
    table("TABLE", &dead_letter::schema())
}

/// Starts a watcher. `script` answers the requests for the template table.
fn start(script: impl Fn() -> Answer + Send + Sync + 'static) -> Test {
    start_with(true, move |call| if call.is(&Method::GET, TEMPLATE) { script() } else { dead_letters() })
}

fn start_with(auto_create: bool, script: impl Fn(&Call) -> Answer + Send + Sync + 'static) -> Test {
    let log = Captured::start();
    let transport = Scripted::new(script);
    let shared: Arc<dyn crate::google::Transport> = Arc::clone(&transport) as _;
    let bigquery = BigQuery::with_transport(shared, Location::example(), Tokens::None, false, 8 * SECOND);
    let settings = TemplateSettings { auto_create, ..TemplateSettings::example("") };
    let (watcher, template) = TemplateWatcher::new(Arc::clone(&bigquery), settings);
    Test { transport, bigquery, template, log, watcher: AbortOnDropHandle::new(tokio::spawn(watcher.run())) }
}

impl Test {
    /// The pauses between the reads of a table.
    fn pauses(&self, table: &str) -> Vec<Duration> {
        self.transport.times(&Method::GET, table).windows(2).map(|pair| pair[1] - pair[0]).collect()
    }

    fn created(&self) -> usize {
        self.transport.times(&Method::POST, "/tables").len()
    }
}

fn assert_between(pauses: &[Duration], expected: &[(u64, u64)]) {
    assert!(pauses.len() >= expected.len(), "{pauses:?}");
    for (pause, (least, most)) in pauses.iter().zip(expected) {
        let millis = pause.as_millis() as u64;
        assert!((*least..=*most + 10).contains(&millis), "{millis} ms in {pauses:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_table_that_fits_is_read_every_ten_minutes() {
    let test = start(template);
    tokio::time::sleep(3605 * SECOND).await;
    assert_eq!(test.pauses(TEMPLATE).len(), 6);
    assert_between(&test.pauses(TEMPLATE), &[(600_000, 600_000); 6]);
    assert_eq!(test.transport.times(&Method::GET, DEAD_LETTERS).len(), 1, "at the start only");
    assert_eq!((test.created(), test.log.count("")), (0, 0));
    assert!(test.template.is_ready());
}

#[tokio::test(start_paused = true)]
async fn requested_reads_have_a_pause_between_them() {
    let test = start(template);
    for _ in 0..2000 {
        tokio::time::sleep(Duration::from_millis(5)).await;
        test.template.request_read();
    }
    let pauses = test.pauses(TEMPLATE);
    assert!(pauses.len() > 30, "{}", pauses.len());
    assert_between(&pauses, &vec![(250, 260); pauses.len()]);
}

#[tokio::test(start_paused = true)]
async fn a_table_that_does_not_fit_is_read_every_ten_seconds() {
    let is_view = Arc::new(AtomicBool::new(false));
    let script = Arc::clone(&is_view);
    let test = start(move || table(if script.load(Ordering::Relaxed) { "VIEW" } else { "TABLE" }, &Schema::shipped()));
    tokio::time::sleep(SECOND).await;
    assert!(test.template.is_ready());
    is_view.store(true, Ordering::Relaxed);
    test.template.request_read();
    tokio::time::sleep(65 * SECOND).await;
    assert!(!test.template.is_ready());
    assert_between(&test.pauses(TEMPLATE)[1..], &[(10_000, 10_000); 6]);
    assert_eq!(test.log.count("has changed and does not fit the settings"), 1, "one line for a minute");
    is_view.store(false, Ordering::Relaxed);
    tokio::time::sleep(10 * SECOND).await;
    assert!(test.template.is_ready());
    assert_eq!(test.log.count("fits the settings again"), 1);
    tokio::time::sleep(600 * SECOND).await;
    assert_eq!(test.log.count("fits the settings again"), 1, "not at each read");
}

#[tokio::test(start_paused = true)]
async fn settings_that_do_not_fit_at_the_start_end_the_watcher() {
    let test = start(|| table("VIEW", &Schema::shipped()));
    let mismatch = tokio::time::timeout(SECOND, test.watcher).await.expect("it ends").unwrap();
    assert!(mismatch.to_string().contains("VIEW"), "{mismatch}");
}

#[tokio::test(start_paused = true)]
async fn the_first_read_is_repeated_with_growing_pauses() {
    let test = start(|| Answer::new(503, ""));
    tokio::time::sleep(60 * SECOND).await;
    assert_between(&test.pauses(TEMPLATE), &[(200, 400), (400, 800), (800, 1600), (1600, 3200), (3200, 6400)]);
    assert_eq!(test.log.count("cannot read the template table"), 1);
}

#[tokio::test(start_paused = true)]
async fn a_later_read_that_fails_is_repeated_with_growing_pauses() {
    let is_failing = Arc::new(AtomicBool::new(false));
    let script = Arc::clone(&is_failing);
    let test = start(move || if script.load(Ordering::Relaxed) { Answer::new(503, "") } else { template() });
    let mut reads = 1;
    for _ in 0..2 {
        tokio::time::sleep(SECOND).await;
        is_failing.store(true, Ordering::Relaxed);
        for _ in 0..200 {
            test.template.request_read();
            tokio::time::sleep(SECOND / 2).await;
        }
        assert_between(&test.pauses(TEMPLATE)[reads..], &[(2000, 4000), (4000, 8000), (8000, 16_000)]);
        assert!(test.template.is_ready(), "the schema of before");
        is_failing.store(false, Ordering::Relaxed);
        tokio::time::sleep(100 * SECOND).await;
        reads = test.pauses(TEMPLATE).len() + 1;
    }
}

#[tokio::test(start_paused = true)]
async fn a_missing_table_is_looked_for_every_ten_seconds_and_so_are_dead_letters() {
    let test = start_with(true, |call| match call {
        call if call.is(&Method::GET, TEMPLATE) => template(),
        call if call.is(&Method::POST, "/tables") => Answer::new(200, CREATED),
        _ => Answer::new(404, NOT_FOUND),
    });
    let destination = Destination { table: "dead_letters".into(), suffix: TableSuffix::none() };
    let rows = [InsertRow { event_id: EventId::of_message("1"), json: "{}".into() }];
    for _ in 0..450 {
        tokio::time::sleep(SECOND / 10).await;
        test.bigquery.store(&destination, &rows, Instant::now() + SECOND).await;
    }
    assert_between(&test.pauses(TEMPLATE), &[(10_000, 10_500); 4]);
    assert_between(&test.pauses(DEAD_LETTERS), &[(10_000, 10_500); 4]);
    assert_eq!(test.created(), test.pauses(DEAD_LETTERS).len() + 1);
}

#[tokio::test(start_paused = true)]
async fn a_template_table_is_created_with_the_columns_of_the_settings() {
    let test = start_with(true, |call| match call {
        call if call.is(&Method::POST, "/tables") => Answer::new(200, CREATED),
        call if call.is(&Method::GET, DEAD_LETTERS) => dead_letters(),
        _ => Answer::new(404, NOT_FOUND),
    });
    tokio::time::sleep(SECOND / 10).await;
    let body = test.transport.calls().iter().find(|call| call.method == Method::POST).expect("it is created").body.clone();
    let resource: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!(resource["tableReference"], json!({"projectId": "p", "datasetId": "d", "tableId": "pixel"}));
    assert_eq!(resource["schema"]["fields"], *Schema::shipped().fields());
    assert_eq!(test.log.count("created the template table"), 1);
    assert_eq!(test.log.count("was created and BigQuery does not return it yet"), 1);
}

#[tokio::test(start_paused = true)]
async fn no_table_is_created_without_auto_create() {
    let test = start_with(false, |_| Answer::new(404, NOT_FOUND));
    tokio::time::sleep(60 * SECOND).await;
    assert_eq!((test.created(), test.template.is_ready()), (0, false));
    assert_eq!(test.log.count("the template table does not exist and AUTO_CREATE is off"), 1);
    let test = start_with(false, |call| if call.is(&Method::GET, TEMPLATE) { template() } else { Answer::new(404, NOT_FOUND) });
    tokio::time::sleep(SECOND).await;
    assert_eq!((test.created(), test.template.is_ready()), (0, true));
    assert_eq!(test.log.count("the dead-letter table does not exist"), 1);
}

#[tokio::test(start_paused = true)]
async fn a_dead_letter_table_that_stores_nothing_is_logged() {
    for (answer, expected) in [
        (table("VIEW", &dead_letter::schema()), "cannot store dead letters: the dead-letter table is not a TABLE"),
        (template(), "cannot store dead letters: the dead-letter table lacks columns"),
        (Answer::new(403, "{}"), "cannot check or create the dead-letter table"),
    ] {
        let test = start_with(true, move |call| if call.is(&Method::GET, TEMPLATE) { template() } else { answer.clone() });
        tokio::time::sleep(SECOND).await;
        assert_eq!(test.log.count(expected), 1, "{expected}");
        assert_eq!((test.log.count(""), test.created()), (1, 0));
    }
}
