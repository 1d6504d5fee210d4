//! The running service: its tasks, their owner, and the shutdown.
//!
//! Three tasks: the HTTP server, the batcher and the watcher of the template table. With PUSH_AUTH=oidc there is a
//! fourth, which fetches keys. Shutdown follows the path of the data: stop accepting connections, answer the deliveries
//! in flight, let the batcher end.

pub mod assembly;
mod freed_memory;
mod memory_limit;
#[cfg(feature = "pubsub")]
pub mod pull;

use std::future::{self, Future};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::time::Instant;
use tokio_util::task::AbortOnDropHandle;

use crate::admission::Admission;
use crate::config::Config;
use crate::config::settings::MAX_IN_FLIGHT;
use crate::google::{TokenError, Tokens};
use crate::service::assembly::Assembly;
use crate::sink::template::Mismatch;
#[cfg(feature = "local")]
use crate::sink::template::Template;
use crate::source::auth::Gate;
use crate::source::http::server;
#[cfg(feature = "pubsub")]
use crate::source::pull::subscription::SubscriptionError;
use crate::source::push::{self, DELIVERY_BYTES, Push};
use crate::telemetry::report::ReportInterval;

/// Cloud Run kills the process ten seconds after SIGTERM.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(9);

/// Why the service cannot run.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    #[error("cannot get credentials for BigQuery")]
    NoCredentials(#[from] TokenError),
    #[error("cannot create the HTTP client")]
    NoHttpClient(#[from] reqwest::Error),
    #[error(transparent)]
    Mismatch(#[from] Mismatch),
    #[cfg(feature = "pubsub")]
    #[error(transparent)]
    Subscription(#[from] SubscriptionError),
    #[error("the {0} ended unexpectedly")]
    Ended(&'static str),
}

/// All parts of the service but the port.
#[derive(Debug)]
pub struct Service {
    push: Arc<Push>,
    batcher: AbortOnDropHandle<()>,
    watcher: AbortOnDropHandle<Mismatch>,
    fetcher: Option<AbortOnDropHandle<()>>,
    #[cfg(feature = "local")]
    template: Template,
    /// Served on the same port.
    extra_routes: Router,
    /// Whether a report is logged each minute.
    has_reports: bool,
}

impl Service {
    /// Assembles the parts and starts to read the schema of the template table, so that this overlaps with binding the
    /// port.
    pub fn start(config: Config) -> Result<Self, ServiceError> {
        let tokens = Tokens::new(config.emulator)?;
        let (gate, fetcher) = Gate::new(config.push_auth.clone())?;
        let parts = Assembly::start(&config, tokens);
        let max_bytes = memory_limit::in_flight_bytes(&config.values);
        let admission = Admission::new(config.values.number(&MAX_IN_FLIGHT), max_bytes, DELIVERY_BYTES);
        let push = Arc::new(Push::new(parts.pipeline, gate, admission, config.push_deadline));
        let fetcher = fetcher.map(|fetcher| AbortOnDropHandle::new(tokio::spawn(fetcher.run())));
        Ok(Self {
            push,
            batcher: parts.batcher,
            watcher: parts.watcher,
            fetcher,
            #[cfg(feature = "local")]
            template: parts.template,
            extra_routes: Router::new(),
            has_reports: false,
        })
    }

    /// The schema of the template table, for the views of the local mode.
    #[cfg(feature = "local")]
    pub fn template(&self) -> Template {
        self.template.clone()
    }

    /// Serves these routes as well, on the same port: the console of the local mode.
    #[cfg(feature = "local")]
    pub fn with_routes(self, routes: Router) -> Self {
        Self { extra_routes: routes, ..self }
    }

    /// Logs a report each minute and at the end.
    pub fn with_reports(self) -> Self {
        Self { has_reports: true, ..self }
    }

    /// Serves until `shutdown`, then for at most nine seconds more.
    pub async fn run(self, listener: TcpListener, shutdown: impl Future<Output = ()>) -> Result<(), ServiceError> {
        let mut report = self.has_reports.then(ReportInterval::start);
        let ended = self.serve(listener, shutdown, report.as_mut()).await;
        if let Some(report) = &mut report {
            report.write();
        }
        ended
    }

    async fn serve(
        self,
        listener: TcpListener,
        shutdown: impl Future<Output = ()>,
        mut report: Option<&mut ReportInterval>,
    ) -> Result<(), ServiceError> {
        let Self { push, mut batcher, mut watcher, mut fetcher, extra_routes, .. } = self;
        let (stop, stopped) = oneshot::channel::<()>();
        let routes = push::router(Arc::clone(&push)).merge(extra_routes);
        let server = server::serve(listener, routes, async { drop(stopped.await) });
        let freed_memory = freed_memory::run();
        tokio::pin!(server, shutdown, freed_memory);
        let mut stop = Some(stop);
        let mut shutdown_deadline = None;
        loop {
            tokio::select! {
                () = &mut server => break,
                ended = &mut watcher => return Err(ended.map_or(ServiceError::Ended("watcher of the template table"), ServiceError::from)),
                _ = &mut batcher => return Err(ServiceError::Ended("batcher")),
                () = ended(fetcher.as_mut()) => return Err(ServiceError::Ended("fetcher of the keys")),
                () = &mut shutdown, if stop.is_some() => {
                    tracing::info!("shutting down");
                    push.shut_down();
                    shutdown_deadline = Some(Instant::now() + SHUTDOWN_TIMEOUT);
                    // The server stops accepting connections when the sender is dropped.
                    drop(stop.take());
                }
                () = tokio::time::sleep_until(shutdown_deadline.unwrap_or_else(Instant::now)), if shutdown_deadline.is_some() => {
                    tracing::warn!("shutdown timed out with deliveries in flight; Pub/Sub will deliver them again");
                    return Ok(());
                }
                () = &mut freed_memory => {}
                () = report_due(report.as_deref_mut()) => {
                    if let Some(report) = &mut report {
                        report.write();
                    }
                }
            }
        }
        drop((watcher, fetcher));
        // Drops the last `Batcher`: the task ends once every row has its outcome.
        drop(push);
        let deadline = shutdown_deadline.unwrap_or_else(|| Instant::now() + SHUTDOWN_TIMEOUT);
        // On a timeout, the handle aborts the task.
        let _ = tokio::time::timeout_at(deadline, &mut batcher).await;
        Ok(())
    }
}

/// Waits for the next report, or forever without one.
async fn report_due(report: Option<&mut ReportInterval>) {
    match report {
        Some(report) => report.next().await,
        None => future::pending().await,
    }
}

/// Waits for the end of a task, or forever without one.
async fn ended(task: Option<&mut AbortOnDropHandle<()>>) {
    match task {
        Some(task) => drop(task.await),
        None => future::pending().await,
    }
}
