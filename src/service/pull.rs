//! The running pull worker: its tasks, their owner, and the shutdown.
//!
//! Like the push service, with a subscription in place of the push endpoint. The HTTP server has no push endpoint, and runs
//! only if there is a port.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use super::assembly::Assembly;
use super::{ServiceError, ended, freed_memory, memory_limit};
use crate::config::PullConfig;
use crate::config::settings::MAX_IN_FLIGHT;
use crate::google::Tokens;
use crate::sink::template::Mismatch;
use crate::source::http::server;
use crate::source::pull::processor::Processor;
use crate::source::pull::stream::FlowControl;
use crate::source::pull::subscription::Subscription;
use crate::source::pull::worker::{PullEnd, PullSettings, PullStats, PullWorker};
use crate::source::status;
use crate::telemetry::report::ReportInterval;

/// All parts of the worker but the port.
pub struct PullService {
    worker: PullWorker,
    processor: Arc<Processor>,
    shutdown: CancellationToken,
    batcher: AbortOnDropHandle<()>,
    watcher: AbortOnDropHandle<Mismatch>,
}

impl PullService {
    /// Asks Pub/Sub for the subscription, then assembles the parts. With an idle time, the worker ends when the subscription
    /// is empty.
    pub async fn start(config: &PullConfig, idle: Option<Duration>) -> Result<Self, ServiceError> {
        let service = &config.service;
        let tokens = Tokens::new(service.emulator)?;
        let subscription = Subscription::connect(config.subscription.clone(), config.pubsub_emulator.as_deref()).await?;
        let Assembly { pipeline, batcher, watcher, .. } = Assembly::start(service, tokens);
        let bytes = memory_limit::in_flight_bytes(&service.values);
        let flow_control = FlowControl { messages: service.values.number(&MAX_IN_FLIGHT), bytes };
        let shutdown = CancellationToken::new();
        let processor = Arc::new(Processor::new(pipeline, service.push_deadline, shutdown.clone()));
        let settings = PullSettings { flow_control, idle };
        let worker = PullWorker::new(Arc::clone(&processor), settings, Arc::new(subscription));
        Ok(Self { worker, processor, shutdown, batcher, watcher })
    }

    /// Pulls until `shutdown`, an error, or the end of the messages; then for at most nine seconds more. Logs a report each
    /// minute and at the end.
    pub async fn run(
        self,
        listener: Option<TcpListener>,
        shutdown: impl Future<Output = ()>,
    ) -> Result<(PullEnd, PullStats), ServiceError> {
        let mut report = ReportInterval::start();
        let result = self.pull(listener, shutdown, &mut report).await;
        report.write();
        result
    }

    async fn pull(
        self,
        listener: Option<TcpListener>,
        shutdown: impl Future<Output = ()>,
        report: &mut ReportInterval,
    ) -> Result<(PullEnd, PullStats), ServiceError> {
        let Self { worker, processor, shutdown: stop, mut batcher, mut watcher } = self;
        let routes = status::router(processor);
        let mut server =
            listener.map(|listener| AbortOnDropHandle::new(tokio::spawn(server::serve(listener, routes, std::future::pending()))));
        let worker = worker.run();
        let freed_memory = freed_memory::run();
        tokio::pin!(worker, shutdown, freed_memory);
        // Why the worker was stopped without a signal.
        let mut failure = None;
        loop {
            let cause = tokio::select! {
                result = &mut worker => return failure.map_or(Ok(result), Err),
                () = &mut shutdown, if !stop.is_cancelled() => {
                    tracing::info!("shutting down");
                    stop.cancel();
                    continue;
                }
                ended = &mut watcher, if failure.is_none() => {
                    ended.map_or(ServiceError::Ended("watcher of the template table"), ServiceError::from)
                }
                _ = &mut batcher, if failure.is_none() => ServiceError::Ended("batcher"),
                () = ended(server.as_mut()), if failure.is_none() => ServiceError::Ended("HTTP server"),
                () = &mut freed_memory => continue,
                () = report.next() => {
                    report.write();
                    continue;
                }
            };
            failure = Some(cause);
            stop.cancel();
        }
    }
}
