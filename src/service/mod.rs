//! The running service: its tasks, who owns them, and how they end.
//!
//! Three tasks: the HTTP server, the batcher and the watcher of the template table; with PUSH_AUTH=oidc a
//! fourth, which fetches keys. Shutting down
//! goes the way of the data: stop accepting, answer what is under way, let the batcher end.

pub mod assembly;

use std::future::{self, Future};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::config::Config;
use crate::google::{TokenError, Tokens};
use crate::service::assembly::Assembly;
use crate::sink::template::Mismatch;
#[cfg(feature = "local")]
use crate::sink::template::Template;
use crate::source::auth::Gate;
use crate::source::http::server;
use crate::source::push::{self, Push};
use crate::telemetry::report::{self, ReportInterval};

/// Cloud Run kills ten seconds after SIGTERM.
const GRACE: Duration = Duration::from_secs(9);
/// How often histograms are tidied up.
const UPKEEP: Duration = Duration::from_secs(5);

/// Why the service cannot run.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    #[error("no credentials for BigQuery: {0}")]
    NoCredentials(#[from] TokenError),
    #[error("no HTTP client: {0}")]
    NoHttpClient(#[from] reqwest::Error),
    #[error("{0}")]
    Mismatch(#[from] Mismatch),
    #[error("the {0} ended unexpectedly")]
    Ended(&'static str),
}

/// Everything but the port.
#[derive(Debug)]
pub struct Service {
    push: Arc<Push>,
    metrics: PrometheusHandle,
    batcher: JoinHandle<()>,
    watcher: JoinHandle<Mismatch>,
    fetcher: Option<JoinHandle<()>>,
    #[cfg(feature = "local")]
    template: Template,
    /// Served on the same port.
    beside: Router,
    /// Whether the log says once a minute what happened.
    reports: bool,
}

impl Service {
    /// Puts the parts together and begins to look for the template table, so that it is on its way
    /// while the port is being bound.
    pub fn start(config: Config, metrics: PrometheusHandle) -> Result<Self, ServiceError> {
        let tokens = if config.emulator { Tokens::None } else { Tokens::application_default()? };
        let (gate, fetcher) = Gate::new(config.push_auth.clone())?;
        let parts = Assembly::start(&config, tokens)?;
        let push = Arc::new(Push::new(parts.pipeline, gate, config.max_in_flight, config.push_deadline));
        let fetcher = fetcher.map(|fetcher| tokio::spawn(fetcher.run()));
        Ok(Self {
            push,
            metrics,
            batcher: parts.batcher,
            watcher: parts.watcher,
            fetcher,
            #[cfg(feature = "local")]
            template: parts.template,
            beside: Router::new(),
            reports: false,
        })
    }

    /// What is seen of the template table, for the views of the local mode.
    #[cfg(feature = "local")]
    pub fn template(&self) -> Template {
        self.template.clone()
    }

    /// Serves these routes as well, on the same port: the console of the local mode.
    #[cfg(feature = "local")]
    pub fn beside(self, routes: Router) -> Self {
        Self { beside: routes, ..self }
    }

    /// Says in the log what happened, each minute and at the end.
    pub fn reporting(self) -> Self {
        Self { reports: true, ..self }
    }

    /// Serves until `shutdown`, then for at most nine seconds more.
    pub async fn run(self, listener: TcpListener, shutdown: impl Future<Output = ()>) -> Result<(), ServiceError> {
        let reports = self.reports;
        let ended = self.serve(listener, shutdown).await;
        if reports {
            report::write();
        }
        ended
    }

    async fn serve(self, listener: TcpListener, shutdown: impl Future<Output = ()>) -> Result<(), ServiceError> {
        let Self { push, metrics, mut batcher, mut watcher, mut fetcher, beside, reports, .. } = self;
        let (stop, stopped) = oneshot::channel::<()>();
        let routes = push::router(Arc::clone(&push), metrics.clone()).merge(beside);
        let server = server::serve(listener, routes, async { drop(stopped.await) });
        tokio::pin!(server, shutdown);
        let mut stop = Some(stop);
        let mut killed_at = None;
        let mut upkeep = tokio::time::interval(UPKEEP);
        let mut minutes = ReportInterval::start();
        loop {
            tokio::select! {
                () = &mut server => break,
                ended = &mut watcher => return Err(ended.map_or(ServiceError::Ended("watcher of the template table"), ServiceError::from)),
                _ = &mut batcher => return Err(ServiceError::Ended("batcher")),
                () = ended(fetcher.as_mut()) => return Err(ServiceError::Ended("fetcher of the keys")),
                () = &mut shutdown, if stop.is_some() => {
                    tracing::info!("shutting down");
                    push.shut_down();
                    killed_at = Some(Instant::now() + GRACE);
                    // Received by the server, which from then on accepts nothing.
                    drop(stop.take());
                }
                () = tokio::time::sleep_until(killed_at.unwrap_or_else(Instant::now)), if killed_at.is_some() => {
                    tracing::warn!("deliveries were still under way when the time to shut down was over; Pub/Sub will deliver them again");
                    return Ok(());
                }
                _ = upkeep.tick() => metrics.run_upkeep(),
                () = minutes.next(), if reports => report::write(),
            }
        }
        watcher.abort();
        fetcher.inspect(JoinHandle::abort);
        // The last of those who submit rows: the batcher ends once what it has is settled.
        drop(push);
        let deadline = killed_at.unwrap_or_else(|| Instant::now() + GRACE);
        if tokio::time::timeout_at(deadline, &mut batcher).await.is_err() {
            batcher.abort();
        }
        Ok(())
    }
}

/// Waits for the end of a task that is not always there.
async fn ended(task: Option<&mut JoinHandle<()>>) {
    match task {
        Some(task) => drop(task.await),
        None => future::pending().await,
    }
}
