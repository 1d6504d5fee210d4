//! The whole topology as one thing: its parts, who owns them, and the order in which they end.
//!
//! Puts together what the other modules of [`local`](super) are, around the very
//! [`Service`] that runs on Cloud Run. It decides nothing and prints nothing: settings, ports and
//! data directory come from the command line.

mod delivery;
mod part;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use self::delivery::Delivery;
use self::part::Part;
use super::activity::Activity;
use super::address::Bound;
use super::console;
use super::demo::{self, Rate, Traffic};
use super::load_balancer::LoadBalancer;
use super::log_sink::LogSink;
use super::loopback;
use super::pubsub::emulator::{EmulatorError, Setup};
use super::pubsub::{DeadLetterTopic, Policy, Topic};
use super::summary::Summary;
use super::views::{self, Views};
use crate::config::Config;
use crate::service::{Service, ServiceError};
use crate::sink::template::TemplateSettings;
use crate::source::http::server;
use crate::telemetry;
use bigquery_emulator::BigQuery;

/// How long an HTTP server may take to answer what it has begun with.
const GRACE: Duration = Duration::from_secs(2);
/// Where the pixel is if any path counts.
const PIXEL_PATH: &str = "/pixel.png";

/// What the topology can be told besides the service's settings.
#[derive(Debug, Clone)]
pub struct Settings {
    pub project: String,
    pub pubsub: Pubsub,
    /// Make traffic, and how much.
    pub demo: Option<Rate>,
}

/// Which Pub/Sub is between log sink and service.
#[derive(Debug, Clone)]
pub enum Pubsub {
    /// Ours.
    InProcess(Policy),
    /// Google's emulator.
    Emulator {
        /// `http://127.0.0.1:8085`
        address: String,
        /// The service's URL as the emulator sees it; `None` for the one that this machine does.
        push_endpoint: Option<String>,
        ack_deadline: Duration,
    },
}

/// The ports of the parts.
#[derive(Debug)]
pub struct Listeners {
    pub pixel: Bound,
    pub service: Bound,
    pub bigquery: Bound,
}

/// Where the parts are, each the root of a URL on this machine.
#[derive(Debug, Clone)]
pub struct Urls {
    pub load_balancer: String,
    /// Whole, with path.
    pub pixel: String,
    pub service: String,
    pub bigquery: String,
    /// The dataset's tables in BigQuery's API.
    pub tables: String,
}

/// Why the topology cannot run.
#[derive(Debug, thiserror::Error)]
pub enum TopologyError {
    #[error(transparent)]
    Service(#[from] ServiceError),
    #[error(transparent)]
    Emulator(#[from] EmulatorError),
    #[error("no HTTP client")]
    Http(#[from] reqwest::Error),
}

/// What others may see and touch of the running topology. Clones are the same.
#[derive(Clone)]
pub struct Handles {
    pub urls: Urls,
    pub activity: Activity,
    /// To publish to, besides the log sink.
    pub topic: Topic,
    /// What the push subscription gave up. Stays empty with the emulator.
    pub dead_letters: Arc<DeadLetterTopic>,
    pub bigquery: BigQuery,
    /// The template table's settings and how an entry becomes a row.
    pub template: TemplateSettings,
    /// With the emulator: what was found there, and what was made.
    pub emulator: Option<Setup>,
}

/// The running topology.
pub struct Topology {
    pub handles: Handles,
    http: reqwest::Client,
    tables_before: Option<u64>,
    demo: Option<Part<Result<(), reqwest::Error>>>,
    load_balancer: Part<()>,
    delivery: Delivery,
    /// Of the console, whose pages are the service's to serve.
    recorder: Part<()>,
    service: Part<Result<(), ServiceError>>,
    /// Ends with the number of views that it made.
    views: Part<u64>,
    bigquery_server: Part<()>,
}

impl Topology {
    /// Starts everything, BigQuery first and visitors last.
    pub async fn start(settings: Settings, config: Config, bigquery: BigQuery, listeners: Listeners) -> Result<Self, TopologyError> {
        let Settings { project, pubsub, demo } = settings;
        let Listeners { pixel: pixel_port, service: service_port, bigquery: bigquery_port } = listeners;
        let http = reqwest::Client::builder().no_proxy().timeout(GRACE).build()?;
        let activity = Activity::default();
        let dead_letters = Arc::new(DeadLetterTopic::new(&project));
        let paths = config.template.decode.pixel_paths.clone();
        let pixel_path = paths.first().map_or(PIXEL_PATH, String::as_str).to_owned();
        let urls = Urls {
            pixel: format!("{}{pixel_path}", pixel_port.url()),
            load_balancer: pixel_port.url(),
            service: service_port.url(),
            tables: format!("{}/bigquery/v2/projects/{project}/datasets/{}/tables", bigquery_port.url(), config.location.dataset),
            bigquery: bigquery_port.url(),
        };

        let host = bigquery_port.address.ip();
        let router = loopback::only(bigquery.router(), host);
        let bigquery_server = Part::spawn(|end| server::serve(bigquery_port.listener, router, end));
        let tables_before = count_tables(&http, &urls.tables).await;

        let (topic, published) = Topic::new(activity.clone());
        let letters = Arc::clone(&dead_letters);
        let delivery = Delivery::start(pubsub, published, &urls.service, &project, letters, activity.clone()).await?;

        let template = config.template.clone();
        let location = config.location.clone();
        let service = Service::start(config)?;
        let emulator = delivery.emulator.clone();
        let handles = Handles { urls, activity, topic, dead_letters, bigquery, template, emulator };
        let (routes, recorder) = console::new(handles.clone(), &location, host, pixel_port.address.port());
        let recorder = Part::spawn(|end| recorder.run(end));
        let template = service.template();
        let views = Views::new(http.clone(), handles.urls.tables.clone(), views::Names::of(&location, &handles.template));
        let views = Part::spawn(|end| async move {
            tokio::select! {
                biased;
                () = template.until_ready() => views.provide().await,
                () = end => 0,
            }
        });
        let service = Part::spawn(|end| service.with_routes(routes).run(service_port.listener, end));
        let sink = LogSink::new(&paths, handles.topic.clone(), handles.activity.clone());
        let held = if paths.is_empty() { vec![pixel_path.clone()] } else { paths };
        let load_balancer = Arc::new(LoadBalancer::new(&project, held, sink, handles.activity.clone()));
        let load_balancer = Part::spawn(|end| server::serve_each(pixel_port.listener, move |peer| load_balancer.router(peer), end));
        let demo = demo.map(|rate| {
            let traffic = Traffic::new(&pixel_path, fastrand::u64(..));
            let url = handles.urls.load_balancer.clone();
            let keys = handles.template.decode.signatures.as_ref().map(|signatures| signatures.keys.clone());
            Part::spawn(|end| demo::run(url, traffic, rate, keys, end))
        });
        Ok(Self { handles, http, tables_before, demo, load_balancer, delivery, recorder, service, views, bigquery_server })
    }

    /// Ends when the service does, which is not expected before it is told to.
    pub async fn service_ended(&mut self) -> ServiceError {
        match (&mut self.service.task).await {
            Ok(Err(error)) => error,
            Ok(Ok(())) | Err(_) => ServiceError::Ended("service"),
        }
    }

    /// Ends the parts one after the other, in the order in which an event passes them. Messages
    /// have until `patience` is over, or `hurry` has ended, to be settled.
    pub async fn shut_down(self, patience: Duration, hurry: impl Future<Output = ()>) -> Summary {
        let Handles { urls, activity, dead_letters, bigquery, .. } = self.handles;
        if let Some(demo) = self.demo {
            demo.end(GRACE).await;
        }
        self.load_balancer.end(GRACE).await;
        let unsettled = self.delivery.settle(patience, hurry, &activity).await;
        self.recorder.end(GRACE).await;
        let service = self.service;
        drop(service.stop);
        // Has a bound of its own. Where it ended by itself, that was told.
        if !service.task.is_finished() {
            let _ = service.task.await;
        }
        let views_made = self.views.end(GRACE).await.unwrap_or_default();
        let tables_after = count_tables(&self.http, &urls.tables).await;
        self.bigquery_server.end(GRACE).await;
        bigquery.close().await;
        Summary {
            counts: activity.counts(),
            outcomes: telemetry::stats().deliveries,
            unsettled,
            given_up: dead_letters.messages().len() as u64,
            tables_made: tables_after.zip(self.tables_before).map(|(after, before)| after.saturating_sub(before + views_made)),
        }
    }
}

/// How many tables and views there are; none if there is no dataset.
async fn count_tables(http: &reqwest::Client, tables: &str) -> Option<u64> {
    let answer = http.get(format!("{tables}?maxResults=1")).send().await.ok()?;
    if answer.status() == reqwest::StatusCode::NOT_FOUND {
        return Some(0);
    }
    let list: serde_json::Value = serde_json::from_slice(&answer.bytes().await.ok()?).ok()?;
    list["totalItems"].as_u64()
}
