//! Starts all parts of the local mode, owns them, and stops them in order.
//!
//! Connects the other modules of [`local`](super) to the [`Service`] that also runs on Cloud Run. It prints nothing;
//! settings, ports and the data directory come from the command line.

mod subscription;
mod task;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use self::subscription::Subscription;
use self::task::Task;
use super::address::Bound;
use super::console;
use super::demo::{self, Rate, Traffic};
use super::front::{Front, FrontKind};
use super::handles::{Handles, Urls};
use super::loopback;
use super::pubsub::emulator::EmulatorError;
use super::pubsub::{DeadLetterTopic, SubscriptionPolicy, Topic};
use super::stats::TopologyStats;
use super::summary::RunSummary;
use super::tables_api::TablesApi;
use super::template_table::{self, TemplateTableError};
use super::views::{self, Views};
use crate::config::Config;
use crate::google::ErrorBody;
use crate::google::body::read_body;
use crate::service::{Service, ServiceError};
use crate::source::http::server;
use crate::telemetry;
use bigquery_emulator::BigQuery;

/// Time for an HTTP server to finish its requests at shutdown.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(2);
/// Longest list with one table that is read.
const MAX_LIST_BYTES: usize = 64 << 10;

/// Settings of the topology, besides those of the service.
#[derive(Debug, Clone)]
pub struct TopologySettings {
    pub project: String,
    pub front: FrontKind,
    pub pubsub: PubsubMode,
    /// Rate of the demo traffic; `None` for no demo.
    pub demo: Option<Rate>,
}

/// The Pub/Sub between log sink and service.
#[derive(Debug, Clone)]
pub enum PubsubMode {
    /// The topic and push subscription of [`pubsub`](super::pubsub).
    InProcess(SubscriptionPolicy),
    /// Google's emulator.
    Emulator {
        /// `http://127.0.0.1:8085`
        address: String,
        /// The service's URL as seen by the emulator; `None` if the emulator runs on this machine.
        push_endpoint: Option<String>,
        ack_deadline: Duration,
    },
}

/// The bound ports of the parts.
#[derive(Debug)]
pub struct Listeners {
    pub pixel: Bound,
    pub service: Bound,
    pub bigquery: Bound,
}

/// Why the topology cannot start.
#[derive(Debug, thiserror::Error)]
pub enum TopologyError {
    #[error(transparent)]
    Service(#[from] ServiceError),
    #[error(transparent)]
    Emulator(#[from] EmulatorError),
    #[error(transparent)]
    TemplateTable(#[from] TemplateTableError),
    #[error("cannot create the HTTP client")]
    Http(#[from] reqwest::Error),
}

/// The running topology.
pub struct Topology {
    pub handles: Handles,
    /// A sentence for each difference between the template table and SCHEMA_FILE.
    pub schema_notes: Vec<String>,
    http: reqwest::Client,
    tables_before: Option<u64>,
    demo: Option<Task<Result<(), reqwest::Error>>>,
    front: Task<()>,
    subscription: Subscription,
    /// Writes the console's journal. The service serves the console's pages.
    journal_writer: Task<()>,
    service: Task<Result<(), ServiceError>>,
    /// Returns the number of created views.
    views: Task<u64>,
    bigquery_server: Task<()>,
}

impl Topology {
    /// Starts all parts: BigQuery first, demo last.
    pub async fn start(
        settings: TopologySettings,
        config: Config,
        bigquery: BigQuery,
        listeners: Listeners,
    ) -> Result<Self, TopologyError> {
        let TopologySettings { project, front, pubsub, demo } = settings;
        let Listeners { pixel: pixel_port, service: service_port, bigquery: bigquery_port } = listeners;
        let http = reqwest::Client::builder().no_proxy().timeout(SHUTDOWN_TIMEOUT).build()?;
        let stats = TopologyStats::default();
        let dead_letters = Arc::new(DeadLetterTopic::new(&project));
        let paths = config.template.decode.requests.paths.clone();
        let pixel_path = paths.example();
        let urls = Urls {
            pixel: format!("{}{pixel_path}", pixel_port.url()),
            front: pixel_port.url(),
            service: service_port.url(),
            tables: format!("{}/bigquery/v2/projects/{project}/datasets/{}/tables", bigquery_port.url(), config.location.dataset),
            bigquery: bigquery_port.url(),
        };

        let host = bigquery_port.address.ip();
        let router = loopback::restrict(bigquery.router(), host);
        let bigquery_server = Task::spawn(|end| server::serve(bigquery_port.listener, router, end));
        let tables_before = count_tables(&http, &urls.tables).await;

        let tables_api = TablesApi::new(http.clone(), urls.tables.clone());
        let schema_notes = template_table::prepare(&tables_api, &config.location, &config.template).await?;

        let (topic, published) = Topic::new(stats.clone());
        let dead_letter_topic = Arc::clone(&dead_letters);
        let subscription = Subscription::start(pubsub, published, &urls.service, &project, dead_letter_topic, stats.clone()).await?;

        let template = config.template.clone();
        let location = config.location.clone();
        let service = Service::start(config)?;
        let emulator = subscription.emulator.clone();
        let handles = Handles { front, urls, stats, topic, dead_letters, bigquery, template, emulator };
        let (routes, journal_writer) = console::new(handles.clone(), tables_api.clone(), &location, host, pixel_port.address.port());
        let journal_writer = Task::spawn(|end| journal_writer.run(end));
        let template = service.template();
        let views = Views::new(tables_api.clone(), views::ViewNames::of(&location, &handles.template));
        let views = Task::spawn(|end| async move {
            tokio::select! {
                biased;
                () = template.until_ready() => views.create_or_update().await,
                () = end => 0,
            }
        });
        let service = Task::spawn(|end| service.with_routes(routes).run(service_port.listener, end));
        let front = Front::new(front, &project, paths, handles.topic.clone(), handles.stats.clone());
        let front = Task::spawn(|end| server::serve_each(pixel_port.listener, move |peer| front.router(peer), end));
        let demo = demo.map(|rate| {
            let traffic = Traffic::new(&pixel_path, fastrand::u64(..));
            let url = handles.urls.front.clone();
            let keys = handles.template.decode.signatures.as_ref().map(|signatures| signatures.keys.clone());
            Task::spawn(|end| demo::run(url, traffic, rate, keys, end))
        });
        Ok(Self { handles, schema_notes, http, tables_before, demo, front, subscription, journal_writer, service, views, bigquery_server })
    }

    /// Waits until the service stops by itself, which is a failure.
    pub async fn service_ended(&mut self) -> ServiceError {
        match (&mut self.service.task).await {
            Ok(Err(error)) => error,
            Ok(Ok(())) | Err(_) => ServiceError::Ended("service"),
        }
    }

    /// Stops the parts one after the other, in the order in which an event passes them. Messages may finish until
    /// `timeout` is over or `cancel` completes.
    pub async fn shut_down(self, timeout: Duration, cancel: impl Future<Output = ()>) -> RunSummary {
        let Handles { urls, stats, dead_letters, bigquery, .. } = self.handles;
        if let Some(demo) = self.demo {
            demo.end(SHUTDOWN_TIMEOUT).await;
        }
        self.front.end(SHUTDOWN_TIMEOUT).await;
        let unfinished = self.subscription.drain(timeout, cancel, &stats).await;
        self.journal_writer.end(SHUTDOWN_TIMEOUT).await;
        let service = self.service;
        drop(service.stop);
        // The service limits its own shutdown time. If it stopped by itself, `service_ended` has reported it.
        if !service.task.is_finished() {
            let _ = service.task.await;
        }
        let views_created = self.views.end(SHUTDOWN_TIMEOUT).await.unwrap_or(0);
        let tables_after = count_tables(&self.http, &urls.tables).await;
        self.bigquery_server.end(SHUTDOWN_TIMEOUT).await;
        bigquery.close().await;
        RunSummary {
            counts: stats.counts(),
            outcomes: telemetry::stats().deliveries,
            unfinished,
            dead_lettered: dead_letters.messages().len() as u64,
            tables_created: tables_after.zip(self.tables_before).map(|(after, before)| after.saturating_sub(before + views_created)),
        }
    }
}

/// Number of tables and views; 0 if the dataset does not exist.
async fn count_tables(http: &reqwest::Client, tables: &str) -> Option<u64> {
    let answer = http.get(format!("{tables}?maxResults=1")).send().await.ok()?;
    let status = answer.status().as_u16();
    let body = read_body(answer, MAX_LIST_BYTES).await.ok()?;
    if ErrorBody::read(status, &body).is_some_and(|error| error.is_not_found()) {
        return Some(0);
    }
    serde_json::from_slice::<serde_json::Value>(&body).ok()?["totalItems"].as_u64()
}
