//! One instance of the service: what `Service` assembles, without its port.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use axum::Router;
use hyper_util::service::TowerToHyperService;
use pixel_pipeline::admission::Admission;
use pixel_pipeline::config::Config;
use pixel_pipeline::config::settings::{BATCH_GZIP, MAX_IN_FLIGHT_BYTES};
use pixel_pipeline::google::Tokens;
use pixel_pipeline::pipeline::Pipeline;
use pixel_pipeline::service::assembly::Assembly;
use pixel_pipeline::sink::bigquery::BigQuery;
use pixel_pipeline::source::auth::Gate;
use pixel_pipeline::source::pull::processor::Processor;
use pixel_pipeline::source::pull::stream::FlowControl;
use pixel_pipeline::source::pull::worker::{PullEnd, PullSettings, PullWorker};
use pixel_pipeline::source::push::{self, DELIVERY_BYTES, Push};
use tokio::sync::Notify;
use tokio::task::AbortHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::client::{Client, Connection};
use crate::network::Network;
use crate::tokens::TokenServer;
use crate::world::{Source, World};

/// A handler of HTTP requests.
pub type Service = TowerToHyperService<Router>;

/// An instance.
#[derive(Debug)]
pub struct Instance {
    pub id: usize,
    shutdown: Notify,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// `None` after its end.
    running: Option<Running>,
    is_shutting_down: bool,
    requests: Vec<AbortHandle>,
    supervisor: Option<AbortHandle>,
}

/// Where its messages come from.
#[derive(Debug)]
enum Running {
    Push { push: Arc<Push>, service: Service },
    Pull { client: Arc<Client>, shutdown: CancellationToken },
}

/// Maximum time from SIGTERM to the end of a pull worker.
const PULL_SHUTDOWN: Duration = Duration::from_secs(9);

impl Instance {
    /// Starts an instance.
    pub fn start(world: &Arc<World>, id: usize) -> Arc<Self> {
        let config = &world.settings.config;
        let tokens = Tokens::from_source(Arc::new(TokenServer(Arc::clone(world)))).expect("simulated credentials");
        let network = Arc::new(Network { world: Arc::clone(world), instance: id });
        let bigquery =
            BigQuery::with_transport(network, config.location.clone(), tokens, config.values.boolean(&BATCH_GZIP), config.push_deadline);
        let Assembly { pipeline, batcher, watcher, .. } = Assembly::with_bigquery(config, bigquery);
        let (running, worker) = match world.source {
            Source::Push => (push(pipeline, config, world.settings.in_flight), None),
            Source::Pull { .. } => {
                let client = Client::new(Arc::clone(world), id);
                let (shutdown, worker) = pull(pipeline, config, world.settings.in_flight, &client);
                (Running::Pull { client, shutdown }, Some(worker))
            }
        };
        let running = Some(running);
        let state = Mutex::new(State { running, is_shutting_down: false, requests: Vec::new(), supervisor: None });
        let instance = Arc::new(Self { id, shutdown: Notify::new(), state });
        let (world, supervised) = (Arc::clone(world), Arc::clone(&instance));
        let supervisor = tokio::spawn(async move {
            let (mut watcher, mut batcher) = (watcher, batcher);
            let worker = async {
                match worker {
                    Some(worker) => worker.run().await.0,
                    None => std::future::pending().await,
                }
            };
            tokio::pin!(worker);
            tokio::select! {
                biased;
                () = supervised.shutdown.notified() => {
                    match world.source {
                        Source::Push => supervised.drain().await,
                        Source::Pull { .. } => supervised.end_worker(&world, worker.as_mut()).await,
                    }
                    drop(watcher);
                    supervised.state().running = None;
                    // Each insert ends by its deadline.
                    let limit = world.settings.config.push_deadline + Duration::from_secs(2);
                    if timeout(limit, &mut batcher).await.is_err() {
                        world.violate(format!("the batcher of i{} does not end", supervised.id));
                    }
                    world.note(|| format!("i{} has ended", supervised.id));
                }
                ended = &mut watcher => {
                    world.note(|| format!("i{} exits: {ended:?}", supervised.id));
                    supervised.kill();
                    world.replace(supervised.id, 1000);
                }
                end = &mut worker => world.violate(format!("the worker of i{} has ended: {end:?}", supervised.id)),
                ended = &mut batcher => world.violate(format!("the batcher of i{} has ended: {ended:?}", supervised.id)),
            }
        });
        instance.state().supervisor = Some(supervisor.abort_handle());
        instance
    }

    /// Ends it at once, with everything in it.
    pub fn kill(&self) {
        let (running, supervisor, requests) = {
            let mut state = self.state();
            (state.running.take(), state.supervisor.take(), std::mem::take(&mut state.requests))
        };
        if let Some(Running::Pull { client, .. }) = &running {
            client.kill();
        }
        requests.iter().for_each(AbortHandle::abort);
        if let Some(supervisor) = supervisor {
            supervisor.abort();
        }
        drop(running);
    }

    /// SIGTERM.
    pub fn shut_down(&self) {
        let mut state = self.state();
        state.is_shutting_down = true;
        match &state.running {
            Some(Running::Push { push, .. }) => push.shut_down(),
            Some(Running::Pull { shutdown, .. }) => shutdown.cancel(),
            None => {}
        }
        self.shutdown.notify_one();
    }

    /// Waits for the requests in flight, as the service does.
    async fn drain(&self) {
        for _ in 0..900 {
            if self.others() == 0 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        std::mem::take(&mut self.state().requests).iter().for_each(AbortHandle::abort);
    }

    /// Waits for the end of the pull worker: every message is answered then.
    async fn end_worker(&self, world: &World, worker: impl Future<Output = PullEnd>) {
        let Ok(end) = timeout(PULL_SHUTDOWN + Duration::from_millis(100), worker).await else {
            return world.violate(format!("the worker of i{} does not end", self.id));
        };
        let unanswered = self.client().map_or(0, |client| client.unanswered());
        if unanswered > 0 || !matches!(end, PullEnd::Stopped) {
            world.violate(format!("the worker of i{} ends with {unanswered} messages: {end:?}", self.id));
        }
    }

    /// The handler of push requests; `None` after the end of the instance.
    pub fn service(&self) -> Option<Service> {
        match self.state().running.as_ref()? {
            Running::Push { service, .. } => Some(service.clone()),
            Running::Pull { .. } => None,
        }
    }

    /// The client of the subscription; `None` after the end of the instance.
    pub fn client(&self) -> Option<Arc<Client>> {
        match self.state().running.as_ref()? {
            Running::Push { .. } => None,
            Running::Pull { client, .. } => Some(Arc::clone(client)),
        }
    }

    pub fn is_running(&self) -> bool {
        let state = self.state();
        state.running.is_some() && !state.is_shutting_down
    }

    pub fn is_shutting_down(&self) -> bool {
        self.state().is_shutting_down
    }

    pub fn add_request(&self, request: AbortHandle) {
        self.state().requests.push(request);
    }

    /// The number of requests that it has not answered.
    pub fn others(&self) -> usize {
        let mut state = self.state();
        state.requests.retain(|request| !request.is_finished());
        state.requests.len()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }
}

fn push(pipeline: Pipeline, config: &Config, in_flight: usize) -> Running {
    let (gate, _) = Gate::new(config.push_auth.clone()).expect("a gate");
    let push = Arc::new(Push::new(pipeline, gate, Admission::new(in_flight, max_bytes(config), DELIVERY_BYTES), config.push_deadline));
    Running::Push { service: TowerToHyperService::new(push::router(Arc::clone(&push))), push }
}

fn pull(pipeline: Pipeline, config: &Config, in_flight: usize, client: &Arc<Client>) -> (CancellationToken, PullWorker) {
    let shutdown = CancellationToken::new();
    let processor = Arc::new(Processor::new(pipeline, config.push_deadline, shutdown.clone()));
    let flow_control = FlowControl { messages: in_flight, bytes: max_bytes(config) };
    let settings = PullSettings { flow_control, idle: None };
    (shutdown, PullWorker::new(processor, settings, Arc::new(Connection(Arc::clone(client)))))
}

fn max_bytes(config: &Config) -> usize {
    config.values.optional_number(&MAX_IN_FLIGHT_BYTES).unwrap_or(usize::MAX)
}
