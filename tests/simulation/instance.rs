//! One instance of the service: what `Service` assembles, without its port.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use axum::Router;
use hyper_util::service::TowerToHyperService;
use pixel_pipeline::config::settings::{BATCH_GZIP, MAX_IN_FLIGHT_BYTES};
use pixel_pipeline::google::Tokens;
use pixel_pipeline::service::assembly::Assembly;
use pixel_pipeline::sink::bigquery::BigQuery;
use pixel_pipeline::source::admission::Admission;
use pixel_pipeline::source::auth::Gate;
use pixel_pipeline::source::push::{self, Push};
use tokio::sync::Notify;
use tokio::task::AbortHandle;
use tokio::time::timeout;

use crate::network::Network;
use crate::tokens::TokenServer;
use crate::world::World;

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

#[derive(Debug)]
struct Running {
    push: Arc<Push>,
    service: Service,
}

impl Instance {
    /// Starts an instance.
    pub fn start(world: &Arc<World>, id: usize) -> Arc<Self> {
        let config = &world.settings.config;
        let tokens = Tokens::from_source(Arc::new(TokenServer(Arc::clone(world)))).expect("simulated credentials");
        let network = Arc::new(Network { world: Arc::clone(world), instance: id });
        let bigquery =
            BigQuery::with_transport(network, config.location.clone(), tokens, config.values.boolean(&BATCH_GZIP), config.push_deadline);
        let Assembly { pipeline, batcher, watcher, .. } = Assembly::with_bigquery(config, bigquery);
        let (gate, _) = Gate::new(config.push_auth.clone()).expect("a gate");
        let max_bytes = config.values.optional_number(&MAX_IN_FLIGHT_BYTES).unwrap_or(usize::MAX);
        let admission = Admission::new(world.settings.in_flight, max_bytes);
        let push = Arc::new(Push::new(pipeline, gate, admission, config.push_deadline));
        let service = TowerToHyperService::new(push::router(Arc::clone(&push)));
        let running = Some(Running { push, service });
        let state = Mutex::new(State { running, is_shutting_down: false, requests: Vec::new(), supervisor: None });
        let instance = Arc::new(Self { id, shutdown: Notify::new(), state });
        let (world, supervised) = (Arc::clone(world), Arc::clone(&instance));
        let supervisor = tokio::spawn(async move {
            let (mut watcher, mut batcher) = (watcher, batcher);
            tokio::select! {
                biased;
                () = supervised.shutdown.notified() => {
                    supervised.drain().await;
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
        if let Some(running) = &state.running {
            running.push.shut_down();
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

    /// The handler; `None` after the end of the instance.
    pub fn service(&self) -> Option<Service> {
        self.state().running.as_ref().map(|running| running.service.clone())
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
