//! The parts of the running soak test: the service under load, and everything around it.

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

use super::audit::Audit;
use super::counters::{self, ProcessCounters};
use super::delivery_results::DeliveryResults;
use super::disruptions::Disruption;
use super::fault_schedule::{FaultKind, FaultSchedule};
use super::messages::{self, Messages};
use super::subscription::{Endpoint, SENDERS, Subscription};
use crate::faults::scenario::settings;
use crate::support::metadata::Metadata;
use crate::support::service::{command, peak_memory};
use crate::support::{Service, TestBigQuery};

/// Number of messages for one round of disruptions and of fault bursts.
const ROUND: u32 = 100_000;
/// Time in which a new generated table is 404.
const NEW_TABLE_404: Duration = Duration::from_millis(300);
/// Longest time without an ack. Faults are shorter, on a busy machine too.
const STALL_TIMEOUT: Duration = Duration::from_secs(60);

/// Rounds of disruptions for this number of messages.
pub fn rounds(count: u32) -> u32 {
    1 + count / ROUND
}

pub struct Soak {
    pub random: Rng,
    pub results: Arc<DeliveryResults>,
    pub schedule: FaultSchedule,
    pub metadata: Arc<Metadata>,
    pub metadata_address: String,
    pub bigquery: TestBigQuery,
    /// Each request of the service to BigQuery holds a read lock.
    pub pause: Arc<RwLock<()>>,
    pub service: Service,
    endpoint: watch::Sender<Endpoint>,
    /// Ended and killed processes.
    pub processes: Vec<ProcessCounters>,
    subscription: Arc<Subscription>,
    pub senders: JoinSet<()>,
    pub audit: Audit,
    /// Number of injected disruptions.
    pub disruptions: BTreeMap<Disruption, u64>,
    pub began: Instant,
    /// Maximum of all processes, in bytes.
    pub peak_memory: u64,
}

impl Soak {
    pub async fn start(seed: u64, count: u32) -> Self {
        let messages = Arc::new(Messages::new(seed, count));
        let (metadata, metadata_address) = Metadata::start(Duration::from_secs(3600)).await;
        let pause = Arc::new(RwLock::new(()));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let bigquery = TestBigQuery::serve_behind(listener, |router| metadata.gate(pausable(router, Arc::clone(&pause))));
        let results = Arc::new(DeliveryResults::new(count, bigquery.stored_lookup()));
        let step = u64::from(count) / (FaultKind::ALL.len() as u64 * u64::from(rounds(count)) + 1);
        let schedule = FaultSchedule::new(seed, step, Arc::clone(&results));
        let service = start_service(&bigquery, &metadata_address).await;
        service.wait_until_ready().await;

        bigquery.faults().new_table_404(Some(NEW_TABLE_404));
        bigquery.faults().reject_rows_containing(messages::INVALID_ROW);
        let faults = schedule.clone();
        bigquery.faults().decide(move |table| faults.fault(table));

        let endpoint = watch::Sender::new(endpoint_of(&service, 0));
        let subscription = Arc::new(Subscription::new(Arc::clone(&messages), Arc::clone(&results), endpoint.subscribe()));
        let mut senders = JoinSet::new();
        for _ in 0..SENDERS {
            senders.spawn(Arc::clone(&subscription).send());
        }
        Self {
            random: Rng::with_seed(!seed),
            results,
            schedule,
            metadata,
            metadata_address,
            bigquery,
            pause,
            service,
            endpoint,
            processes: Vec::new(),
            subscription,
            senders,
            audit: Audit::new(messages),
            disruptions: BTreeMap::new(),
            began: Instant::now(),
            peak_memory: 0,
        }
    }

    /// Waits until `count` messages are acked.
    pub async fn wait_until_acked(&mut self, count: u64) {
        self.wait_while_progressing("messages are acked", |soak| soak.results.acked() >= count).await;
    }

    /// Waits until every message was sent at least once.
    pub async fn wait_until_sent(&mut self) {
        self.wait_while_progressing("messages are sent", |soak| soak.subscription.is_exhausted()).await;
    }

    /// Waits until the condition is true. The timeout begins again with each ack, because the number of messages is a
    /// setting.
    async fn wait_while_progressing(&mut self, what: &str, condition: impl Fn(&Self) -> bool) {
        let (mut acked, mut since) = (self.results.acked(), Instant::now());
        while !condition(self) {
            self.results.assert_no_early_acks();
            tokio::time::sleep(Duration::from_millis(5)).await;
            if self.results.acked() > acked {
                (acked, since) = (self.results.acked(), Instant::now());
            }
            assert!(since.elapsed() < STALL_TIMEOUT, "{what}: no ack for {STALL_TIMEOUT:?} after {acked}: {:#?}", self.results.counts());
        }
    }

    /// Directs the messages to the next process, which may not be ready. Returns the earlier one.
    pub fn replace(&mut self, next: Service) -> Service {
        check_log(&self.service.log());
        self.endpoint.send_replace(endpoint_of(&next, self.processes.len()));
        std::mem::replace(&mut self.service, next)
    }

    pub fn measure_memory(&mut self) {
        self.peak_memory = self.peak_memory.max(peak_memory(self.service.pid()).unwrap_or(0));
    }
}

pub async fn start_service(bigquery: &TestBigQuery, metadata: &str) -> Service {
    let mut serve = command("serve");
    serve.env("BIGQUERY_ENDPOINT", &bigquery.url).env("GCE_METADATA_HOST", metadata);
    Service::spawn(serve, &settings(&[])).await
}

/// Sends SIGTERM and waits until the process ends. Returns its counts.
pub async fn end(service: Service) -> counters::Counted {
    let (status, log) = service.end().await;
    assert_eq!(status.code(), Some(0));
    check_log(&log);
    counters::of_log(&log)
}

fn endpoint_of(service: &Service, process: usize) -> Endpoint {
    Endpoint { process, address: service.url.trim_start_matches("http://").to_owned() }
}

fn check_log(lines: &[String]) {
    let panics: Vec<&String> = lines.iter().filter(|line| line.contains("a panic, which is a bug")).collect();
    assert!(panics.is_empty(), "{panics:#?}");
}

/// Holds the service's requests while the lock is held for writing. Requests of the test pass.
fn pausable(router: Router, pause: Arc<RwLock<()>>) -> Router {
    router.layer(middleware::from_fn_with_state(pause, wait_while_paused))
}

async fn wait_while_paused(State(pause): State<Arc<RwLock<()>>>, request: Request, next: Next) -> axum::response::Response {
    let agent = request.headers().get("user-agent").and_then(|agent| agent.to_str().ok());
    let is_service = agent.is_some_and(|agent| agent.starts_with("pixel-pipeline/"));
    let _not_paused = if is_service { Some(pause.read().await) } else { None };
    next.run(request).await
}
