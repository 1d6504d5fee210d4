//! All faults at once, for as many messages as one likes, and then an account of every row.
//!
//! PIXEL_SOAK_MESSAGES is how many: some thousands unless it is set, and a million takes twenty minutes of two busy cores.
//! PIXEL_SOAK_SEED repeats the messages, the order of faults and their kinds; the moments are the machine's.
//! `--nocapture` shows what happened. With PIXEL_TEST_BINARY an optimised build of the service takes part:
//!
//! ```sh
//! cargo build --release --no-default-features
//! PIXEL_TEST_BINARY=$PWD/target/release/pixel-pipeline PIXEL_SOAK_MESSAGES=1000000 \
//!   cargo test --locked --test pipeline a_soak -- --nocapture
//! ```
//!
//! | file | |
//! |---|---|
//! | [`messages`] | what is sent, and where it belongs |
//! | [`pubsub`] | deliveries, and deliveries once more |
//! | [`weather`] | what BigQuery does to insertAll |
//! | [`incidents`] | what happens to the process, to tables and to tokens |
//! | [`tally`] | what was answered, and whether it was true at that moment |
//! | [`audit`] | what is stored in the end |
//! | [`counters`] | what the service says of itself |
//! | [`account`] | all that as a table |

mod account;
mod audit;
mod counters;
mod incidents;
mod messages;
mod pubsub;
mod tally;
mod weather;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{self, Next};
use fastrand::Rng;
use tokio::net::TcpListener;
use tokio::sync::{RwLock, watch};
use tokio::task::JoinSet;

use super::trial::settings;
use crate::support::metadata::Metadata;
use crate::support::service::command;
use crate::support::{Service, TestBigQuery};
use audit::Audit;
use counters::Life;
use incidents::Incident;
use messages::Messages;
use pubsub::{Endpoint, SENDERS, Subscription};
use tally::Tally;
use weather::{Sky, Weather};

/// Enough for every fault to happen.
const MESSAGES: u32 = 5_000;
/// So many messages go with one round of incidents and one deck of weather.
const ROUND: u32 = 100_000;
/// A generated table is not known before.
const NEW_TABLE_404: Duration = Duration::from_millis(300);
/// Without an ack. No fault lasts as long, on a busy machine either.
const STANDSTILL: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_soak_under_mixed_faults_is_reconciled_to_the_row() {
    let setting = |name| std::env::var(name).ok().map(|text| text.parse::<u64>().unwrap_or_else(|_| panic!("{name} is no number: {text}")));
    let count = setting("PIXEL_SOAK_MESSAGES").map_or(MESSAGES, |count| u32::try_from(count).unwrap());
    let seed = setting("PIXEL_SOAK_SEED").unwrap_or_else(|| fastrand::u64(..1_000_000));
    println!("PIXEL_SOAK_MESSAGES={count} PIXEL_SOAK_SEED={seed}");

    let mut soak = Soak::start(seed, count).await;
    let incidents = Incident::rounds(rounds(count), &mut soak.random);
    for (number, incident) in incidents.iter().enumerate() {
        soak.until_acked(u64::from(count) * (number as u64 + 1) / (incidents.len() as u64 + 1)).await;
        soak.suffer(*incident).await;
    }
    soak.until_sent().await;
    soak.sky.clear();
    soak.until_acked(u64::from(count)).await;
    soak.reconcile().await;
}

/// Rounds of faults that go with so many messages.
fn rounds(count: u32) -> u32 {
    1 + count / ROUND
}

/// A service under load and under everything else.
struct Soak {
    random: Rng,
    tally: Arc<Tally>,
    sky: Sky,
    metadata: Arc<Metadata>,
    metadata_address: String,
    bigquery: TestBigQuery,
    /// Taken by each request of the service.
    gate: Arc<RwLock<()>>,
    service: Service,
    endpoint: watch::Sender<Endpoint>,
    lives: Vec<Life>,
    subscription: Arc<Subscription>,
    senders: JoinSet<()>,
    audit: Audit,
    happened: BTreeMap<Incident, u64>,
    began: Instant,
    /// Of any process, in KiB.
    peak_memory: u64,
}

impl Soak {
    async fn start(seed: u64, count: u32) -> Self {
        let messages = Arc::new(Messages::new(seed, count));
        let (metadata, metadata_address) = Metadata::start(Duration::from_secs(3600)).await;
        let gate = Arc::new(RwLock::new(()));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let bigquery = TestBigQuery::serve_behind(listener, |router| metadata.gate(gated(router, Arc::clone(&gate))));
        let tally = Arc::new(Tally::new(count, bigquery.witness()));
        let step = u64::from(count) / (Weather::ALL.len() as u64 * u64::from(rounds(count)) + 1);
        let sky = Sky::new(seed, step, Arc::clone(&tally));
        let service = start_service(&bigquery, &metadata_address).await;
        service.wait_until_ready().await;

        bigquery.faults().new_table_404(Some(NEW_TABLE_404));
        bigquery.faults().reject_rows_containing(messages::POISON);
        let overhead = sky.clone();
        bigquery.faults().decide(move |table| overhead.fault(table));

        let endpoint = watch::Sender::new(endpoint_of(&service, 0));
        let subscription = Arc::new(Subscription::new(Arc::clone(&messages), Arc::clone(&tally), endpoint.subscribe()));
        let mut senders = JoinSet::new();
        for _ in 0..SENDERS {
            senders.spawn(Arc::clone(&subscription).send());
        }
        Self {
            random: Rng::with_seed(!seed),
            tally,
            sky,
            metadata,
            metadata_address,
            bigquery,
            gate,
            service,
            endpoint,
            lives: Vec::new(),
            subscription,
            senders,
            audit: Audit::new(messages),
            happened: BTreeMap::new(),
            began: Instant::now(),
            peak_memory: 0,
        }
    }

    /// Waits until so many messages are acked.
    async fn until_acked(&mut self, count: u64) {
        self.as_long_as_it_moves("messages are acked", |soak| soak.tally.acked() >= count).await;
    }

    /// Waits until every message was sent for the first time.
    async fn until_sent(&mut self) {
        self.as_long_as_it_moves("messages are sent", |soak| soak.subscription.is_exhausted()).await;
    }

    async fn as_long_as_it_moves(&mut self, what: &str, is_so: impl Fn(&Self) -> bool) {
        let (mut acked, mut since) = (self.tally.acked(), Instant::now());
        while !is_so(self) {
            self.tally.check_acks();
            tokio::time::sleep(Duration::from_millis(5)).await;
            if self.tally.acked() > acked {
                (acked, since) = (self.tally.acked(), Instant::now());
            }
            assert!(since.elapsed() < STANDSTILL, "{what}: no ack for {STANDSTILL:?} after {acked}: {:#?}", self.tally.answers());
        }
    }

    async fn kill(&mut self) {
        let answered = self.tally.answers_of(self.lives.len());
        let counted = counters::of_metrics(&self.service.get("/metrics").await.body);
        self.measure();
        self.service.signal("KILL");
        assert_eq!(self.service.wait().await.code(), None);
        self.lives.push(Life::Killed { counted, answered });
        let next = start_service(&self.bigquery, &self.metadata_address).await;
        self.replace(next);
    }

    /// As Cloud Run does it: the next process is started while this one still answers.
    async fn terminate(&mut self) {
        self.measure();
        self.service.signal("TERM");
        let next = start_service(&self.bigquery, &self.metadata_address).await;
        let life = self.lives.len();
        self.lives.push(Life::Ended { counted: counters::Counted::new() });
        let ended = self.replace(next);
        self.lives[life] = Life::Ended { counted: end(ended).await };
    }

    /// Messages go to that process, which may not be ready.
    fn replace(&mut self, next: Service) -> Service {
        check_log(&self.service.log());
        self.endpoint.send_replace(endpoint_of(&next, self.lives.len()));
        std::mem::replace(&mut self.service, next)
    }

    fn measure(&mut self) {
        self.peak_memory = self.peak_memory.max(account::peak_memory(self.service.pid()));
    }
}

async fn start_service(bigquery: &TestBigQuery, metadata: &str) -> Service {
    let mut serve = command("serve");
    serve.env("BIGQUERY_ENDPOINT", &bigquery.url).env("GCE_METADATA_HOST", metadata);
    Service::spawn(serve, &settings(&[])).await
}

fn endpoint_of(service: &Service, life: usize) -> Endpoint {
    Endpoint { life, address: service.url.trim_start_matches("http://").to_owned() }
}

/// Waits for the end of a process that was told to end; all that it counted.
async fn end(service: Service) -> counters::Counted {
    let (status, log) = service.end().await;
    assert_eq!(status.code(), Some(0));
    check_log(&log);
    counters::of_log(&log)
}

fn check_log(lines: &[String]) {
    let panics: Vec<&String> = lines.iter().filter(|line| line.contains("a panic, which is a bug")).collect();
    assert!(panics.is_empty(), "{panics:#?}");
}

/// Lets the service in while nobody holds the gate; the test itself goes around it.
fn gated(router: Router, gate: Arc<RwLock<()>>) -> Router {
    router.layer(middleware::from_fn_with_state(gate, pass))
}

async fn pass(State(gate): State<Arc<RwLock<()>>>, request: Request, next: Next) -> axum::response::Response {
    let agent = request.headers().get("user-agent").and_then(|agent| agent.to_str().ok());
    let is_service = agent.is_some_and(|agent| agent.starts_with("pixel-pipeline/"));
    let _passing = if is_service { Some(gate.read().await) } else { None };
    next.run(request).await
}
