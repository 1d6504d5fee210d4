//! The simulated client of the pull subscription in one instance, in place of Google's: its streams, and the answers to its
//! messages.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use futures_util::FutureExt as _;
use futures_util::stream::{StreamExt as _, unfold};
use google_cloud_gax::error::rpc::{Code, Status};
use google_cloud_pubsub::Error;
use google_cloud_pubsub::error::AckError;
use google_cloud_pubsub::model::Message as PubsubMessage;
use pixel_pipeline::source::pull::client::{LeaseHandler, OpenedStream, PullClient};
use pixel_pipeline::source::pull::message::PulledMessage;
use pixel_pipeline::source::pull::stream::FlowControl;
use pixel_pipeline::source::pull::subscription::SubscriptionError;
use tokio::sync::Notify;

use crate::checker::Pulled;
use crate::message::Message;
use crate::subscription::{Delivery, LeaseState};
use crate::world::World;

/// Errors at which Google's client gives up a stream, and the worker opens another one.
const RESETS: [Code; 4] = [Code::Cancelled, Code::Unavailable, Code::Internal, Code::Unknown];
/// The client sends acks and nacks in batches.
const BATCH_MILLIS: u64 = 100;

/// The client of an instance.
#[derive(Debug)]
pub struct Client {
    world: Arc<World>,
    instance: usize,
    state: Mutex<ClientState>,
}

#[derive(Debug, Default)]
struct ClientState {
    is_killed: bool,
    flow_control: Option<FlowControl>,
    /// The newest stream.
    stream: Option<Arc<Stream>>,
    /// What the worker has taken from all streams and not answered.
    taken: Load,
}

/// A stream, with what is delivered and not answered.
#[derive(Debug, Default)]
struct Stream {
    state: Mutex<StreamState>,
    delivered: Notify,
    answered: Notify,
}

#[derive(Debug, Default)]
struct StreamState {
    queue: VecDeque<(Arc<Delivery>, PulledMessage)>,
    /// It ends when the queue is empty, with an error or without.
    end: Option<Option<Code>>,
    unanswered: Load,
    deliveries: Vec<Arc<Delivery>>,
}

/// Messages and their bytes.
#[derive(Debug, Default, Clone, Copy)]
struct Load {
    messages: usize,
    bytes: usize,
}

/// The worker's access to a client.
pub struct Connection(pub Arc<Client>);

#[async_trait]
impl PullClient for Connection {
    fn name(&self) -> &str {
        "projects/p/subscriptions/s"
    }

    fn open(&self, flow_control: FlowControl) -> OpenedStream {
        let (client, stream) = (&self.0, Arc::new(Stream::default()));
        client.world.note(|| format!("i{} opens a stream", client.instance));
        {
            let mut state = client.state();
            state.flow_control = Some(flow_control);
            state.stream = Some(Arc::clone(&stream));
        }
        let shutdown = Arc::clone(&stream).shut_down();
        let reader = (Arc::clone(client), stream);
        let next = |(client, stream): (Arc<Client>, Arc<Stream>)| async move {
            let next = stream.next(&client).await?;
            Some((next, (client, stream)))
        };
        OpenedStream { messages: unfold(reader, next).boxed(), shutdown: shutdown.boxed() }
    }

    async fn check(&self) -> Result<(), SubscriptionError> {
        Ok(())
    }
}

impl Client {
    pub fn new(world: Arc<World>, instance: usize) -> Arc<Self> {
        Arc::new(Self { world, instance, state: Mutex::default() })
    }

    /// Whether Pub/Sub sends it this message. Pub/Sub sometimes sends more than the limits.
    pub fn has_room(&self, message: &Message) -> bool {
        let state = self.state();
        let Some((stream, limits)) = state.stream.as_ref().zip(state.flow_control) else { return false };
        let stream = stream.state();
        let load = stream.unanswered;
        let fits = load.messages == 0 || (load.messages < limits.messages && load.bytes + size(message) <= limits.bytes);
        !state.is_killed && stream.end.is_none() && (fits || self.world.happens(10))
    }

    /// Sends a message to the newest stream, which may end then.
    pub fn deliver(self: &Arc<Self>, delivery: &Arc<Delivery>) {
        let message = &delivery.message;
        self.world.note(|| format!("m{} is sent to i{}", message.id, self.instance));
        self.world.checker().history.counts.deliveries += 1;
        let stream = self.state().stream.clone().expect("it has room");
        let handler = Handler { client: Arc::clone(self), delivery: Arc::clone(delivery), stream: Arc::clone(&stream), is_answered: false };
        let pubsub_message = PubsubMessage::new().set_data(message.data.clone()).set_message_id(format!("m{}", message.id));
        let pulled = PulledMessage::new(pubsub_message, None, handler);
        let mut state = stream.state();
        state.unanswered.add(message);
        state.deliveries.push(Arc::clone(delivery));
        state.queue.push_back((Arc::clone(delivery), pulled));
        if self.world.happens(1) {
            let reset = RESETS.get(self.world.random(0..RESETS.len() as u64 + 1) as usize).copied();
            self.world.note(|| format!("i{} loses its stream: {reset:?}", self.instance));
            state.end = Some(reset);
            // Pub/Sub may deliver all of its messages again.
            if self.world.happens(30) {
                state.deliveries.iter().for_each(|delivery| delivery.end(LeaseState::Expired));
            }
        }
        drop(state);
        stream.delivered.notify_one();
    }

    /// Whether it extends the lease of this delivery.
    pub fn is_extending(&self, delivery: &Delivery) -> bool {
        !self.state().is_killed && !delivery.is_answered()
    }

    /// The number of messages that the worker has not answered.
    pub fn unanswered(&self) -> usize {
        self.state().taken.messages
    }

    /// Nothing is sent any more.
    pub fn kill(&self) {
        let mut state = self.state();
        state.is_killed = true;
        let stream = state.stream.take();
        drop(state);
        // Each message has a reference to the client.
        if let Some(stream) = stream {
            let queue = std::mem::take(&mut stream.state().queue);
            drop(queue);
        }
    }

    /// The worker takes a message.
    fn take(&self, delivery: &Delivery) {
        delivery.take(self.world.now());
        let mut state = self.state();
        state.taken.add(&delivery.message);
        let (taken, limits) = (state.taken, state.flow_control.expect("a stream is open"));
        drop(state);
        // One message may wait until its bytes fit, and be larger than all bytes.
        if taken.messages > limits.messages + 1
            || (taken.messages > 2 && taken.bytes > limits.bytes.saturating_add(size(&delivery.message)))
        {
            self.world.violate(format!("i{} has taken {taken:?} with the limits {limits:?}", self.instance));
        }
    }

    fn state(&self) -> MutexGuard<'_, ClientState> {
        self.state.lock().unwrap()
    }
}

impl Stream {
    async fn next(&self, client: &Client) -> Option<Result<PulledMessage, Error>> {
        loop {
            let delivered = self.delivered.notified();
            {
                let mut state = self.state();
                if let Some((delivery, message)) = state.queue.pop_front() {
                    drop(state);
                    client.take(&delivery);
                    return Some(Ok(message));
                }
                match state.end {
                    Some(Some(code)) => {
                        state.end = Some(None);
                        return Some(Err(Error::service(Status::default().set_code(code).set_message("simulated"))));
                    }
                    Some(None) => return None,
                    None => {}
                }
            }
            delivered.await;
        }
    }

    /// Ends when Pub/Sub has all answers.
    async fn shut_down(self: Arc<Self>) {
        self.state().end.get_or_insert(None);
        while self.state().unanswered.messages > 0 {
            self.answered.notified().await;
        }
    }

    fn state(&self) -> MutexGuard<'_, StreamState> {
        self.state.lock().unwrap()
    }
}

/// Answers one delivery.
#[derive(Debug)]
struct Handler {
    client: Arc<Client>,
    delivery: Arc<Delivery>,
    stream: Arc<Stream>,
    is_answered: bool,
}

#[async_trait]
impl LeaseHandler for Handler {
    async fn ack(mut self: Box<Self>) -> Result<(), AckError> {
        let world = Arc::clone(&self.client.world);
        self.answer(true);
        let sent = self.send(LeaseState::Acked);
        if !world.is_exactly_once() {
            tokio::spawn(sent);
            return Ok(());
        }
        match sent.await {
            LeaseState::Acked => Ok(()),
            LeaseState::Leased => Err(AckError::Shutdown("simulated".into())),
            LeaseState::Nacked | LeaseState::Expired => Err(AckError::LeaseExpired),
        }
    }

    fn nack(self: Box<Self>) {
        // Its drop sends it.
    }
}

impl Drop for Handler {
    fn drop(&mut self) {
        if !self.is_answered && !self.client.state().is_killed {
            self.answer(false);
            tokio::spawn(self.send(LeaseState::Nacked));
        }
    }
}

impl Handler {
    fn answer(&mut self, is_ack: bool) {
        self.is_answered = true;
        let (client, delivery) = (&self.client, &self.delivery);
        let Some(taken) = delivery.answer() else { return };
        client.state().taken.remove(&delivery.message);
        let is_shutting_down = client.world.is_shutting_down(client.instance);
        let pulled = Pulled { message: delivery.message.id, instance: client.instance, taken, is_shutting_down };
        client.world.checker().pulled_answered(pulled, is_ack, client.world.now());
        client.world.check_progress(&delivery.message, taken, is_ack);
    }

    /// Sends the answer with the next batch. Returns what Pub/Sub knows of the lease then, or `Leased` if the answer is lost.
    fn send(&self, state: LeaseState) -> impl Future<Output = LeaseState> + Send + use<> {
        let (client, delivery, stream) = (Arc::clone(&self.client), Arc::clone(&self.delivery), Arc::clone(&self.stream));
        async move {
            let world = &client.world;
            world.sleep(world.random(1..BATCH_MILLIS)).await;
            let is_killed = client.state().is_killed;
            // An ack without exactly-once delivery may count after the end of its lease.
            let is_lost = is_killed || world.happens(3);
            if !is_lost {
                if state == LeaseState::Acked && (delivery.lease() == LeaseState::Leased || (!world.is_exactly_once() && world.happens(50)))
                {
                    world.checker().received_ack(delivery.message.id);
                }
                delivery.end(state);
            }
            stream.state().unanswered.remove(&delivery.message);
            stream.answered.notify_one();
            if is_lost { LeaseState::Leased } else { delivery.lease() }
        }
    }
}

impl Load {
    fn add(&mut self, message: &Message) {
        self.messages += 1;
        self.bytes += size(message);
    }

    fn remove(&mut self, message: &Message) {
        self.messages -= 1;
        self.bytes -= size(message);
    }
}

/// The bytes of a message, and of its attributes: `{}`.
fn size(message: &Message) -> usize {
    message.data.len() + 2
}
