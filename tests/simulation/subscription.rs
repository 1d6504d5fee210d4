//! The simulated pull subscription: it delivers each message to the stream of some instance, under a lease, until Pub/Sub has
//! its acknowledgement.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::timeout;

use crate::client::Client;
use crate::message::Message;
use crate::world::World;

/// The lease of a delivery. The client extends it every [`EXTENSION`].
pub const LEASE: Duration = Duration::from_secs(10);
const EXTENSION: Duration = Duration::from_secs(4);
/// From the first to the longest pause after a nack: the retry policy of the subscription.
const BACKOFF_MILLIS: [u64; 6] = [10, 300, 1000, 2000, 4000, 8000];

/// Pub/Sub's knowledge of one delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeaseState {
    Leased,
    Acked,
    Nacked,
    /// The message is, or will be, delivered again.
    Expired,
}

/// A delivery of a message to a stream.
#[derive(Debug)]
pub struct Delivery {
    pub message: Arc<Message>,
    state: Mutex<DeliveryState>,
    ended: Notify,
}

#[derive(Debug)]
struct DeliveryState {
    lease: LeaseState,
    /// When the worker took it from the stream.
    taken: Option<Duration>,
    is_answered: bool,
}

impl Delivery {
    fn new(message: Arc<Message>) -> Arc<Self> {
        let state = DeliveryState { lease: LeaseState::Leased, taken: None, is_answered: false };
        Arc::new(Self { message, state: Mutex::new(state), ended: Notify::new() })
    }

    pub fn take(&self, now: Duration) {
        self.state().taken = Some(now);
    }

    /// Records that the worker answers it. Returns when the worker took it, if it did.
    pub fn answer(&self) -> Option<Duration> {
        let mut state = self.state();
        state.is_answered = true;
        state.taken
    }

    pub fn is_answered(&self) -> bool {
        self.state().is_answered
    }

    pub fn lease(&self) -> LeaseState {
        self.state().lease
    }

    /// Pub/Sub learns that the lease ends. It has no effect after another end.
    pub fn end(&self, lease: LeaseState) {
        let mut state = self.state();
        if state.lease == LeaseState::Leased {
            state.lease = lease;
            self.ended.notify_one();
        }
    }

    fn state(&self) -> MutexGuard<'_, DeliveryState> {
        self.state.lock().unwrap()
    }
}

/// Delivers a message until it is acknowledged, and then perhaps once more.
pub async fn deliver(world: Arc<World>, message: Arc<Message>) {
    tokio::time::sleep(message.published).await;
    let mut attempt = 0;
    while !world.is_over() && !world.checker().is_acked(message.id) {
        if world.is_given_up(&message) {
            return;
        }
        let Some(client) = client_with_room(&world, &message) else {
            world.sleep(world.random(10..200)).await;
            continue;
        };
        let delivery = Delivery::new(Arc::clone(&message));
        client.deliver(&delivery);
        match lease(&world, &client, &delivery).await {
            LeaseState::Nacked => {
                let pause = BACKOFF_MILLIS[attempt.min(BACKOFF_MILLIS.len() - 1)];
                attempt += 1;
                world.sleep(world.random(pause / 2..pause)).await;
            }
            LeaseState::Leased | LeaseState::Acked | LeaseState::Expired => {}
        }
    }
    if world.happens(5) {
        world.sleep(world.random(0..100_000)).await;
        if let Some(client) = client_with_room(&world, &message) {
            let delivery = Delivery::new(message);
            client.deliver(&delivery);
            lease(&world, &client, &delivery).await;
        }
    }
}

fn client_with_room(world: &World, message: &Message) -> Option<Arc<Client>> {
    let client = world.pick()?.client()?;
    client.has_room(message).then_some(client)
}

/// Waits for the end of a lease.
async fn lease(world: &World, client: &Client, delivery: &Delivery) -> LeaseState {
    let mut until = world.now() + LEASE;
    let is_extended = !world.happens(5);
    loop {
        if timeout(EXTENSION, delivery.ended.notified()).await.is_ok() {
            return delivery.lease();
        }
        if is_extended && client.is_extending(delivery) {
            until = world.now() + LEASE;
        } else if world.now() >= until {
            world.note(|| format!("the lease of m{} expires", delivery.message.id));
            delivery.end(LeaseState::Expired);
            return delivery.lease();
        }
    }
}
