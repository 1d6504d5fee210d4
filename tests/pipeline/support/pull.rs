//! A stub of a Pub/Sub pull subscription: the gRPC methods that a subscriber calls (`google/pubsub/v1/pubsub.proto`).
//! Nacked messages and messages of a closed stream are redelivered at once, which Google's emulator does not do.

use std::collections::HashMap;
use std::convert::Infallible;
use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use futures_util::stream::{BoxStream, StreamExt as _, unfold};
use hyper::body::Incoming;
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tonic::body::Body;
use tonic::codegen::BoxFuture;
use tonic::server::{Grpc, StreamingService, UnaryService};
use tonic::{Request, Response, Status, Streaming};
use tonic_prost::ProstCodec;

#[derive(Clone, PartialEq, prost::Message)]
struct StreamingPullRequest {
    #[prost(string, tag = "1")]
    subscription: String,
    #[prost(int64, tag = "7")]
    max_outstanding_messages: i64,
    #[prost(int64, tag = "8")]
    max_outstanding_bytes: i64,
}

#[derive(Clone, PartialEq, prost::Message)]
struct StreamingPullResponse {
    #[prost(message, repeated, tag = "1")]
    received_messages: Vec<ReceivedMessage>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct ReceivedMessage {
    #[prost(string, tag = "1")]
    ack_id: String,
    #[prost(message, optional, tag = "2")]
    message: Option<PubsubMessage>,
    #[prost(int32, tag = "3")]
    delivery_attempt: i32,
}

#[derive(Clone, PartialEq, prost::Message)]
struct PubsubMessage {
    #[prost(bytes = "vec", tag = "1")]
    data: Vec<u8>,
    #[prost(map = "string, string", tag = "2")]
    attributes: HashMap<String, String>,
    #[prost(string, tag = "3")]
    message_id: String,
}

#[derive(Clone, PartialEq, prost::Message)]
struct AcknowledgeRequest {
    #[prost(string, tag = "1")]
    subscription: String,
    #[prost(string, repeated, tag = "2")]
    ack_ids: Vec<String>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct ModifyAckDeadlineRequest {
    #[prost(string, tag = "1")]
    subscription: String,
    #[prost(int32, tag = "3")]
    ack_deadline_seconds: i32,
    #[prost(string, repeated, tag = "4")]
    ack_ids: Vec<String>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Empty {}

/// A message and its state.
#[derive(Debug)]
struct StoredMessage {
    message: PubsubMessage,
    deliveries: i32,
    state: State,
}

#[derive(Debug, PartialEq)]
enum State {
    Available,
    /// Delivered on the stream with this number.
    Delivered(usize),
    Acknowledged,
}

#[derive(Debug, Default)]
struct Shared {
    messages: Mutex<Vec<StoredMessage>>,
    /// Number of streams opened so far.
    streams: Mutex<usize>,
    /// Streams up to this number end, with this status or without one.
    ended: Mutex<(usize, Option<Status>)>,
    /// New streams are refused with this status.
    refused: Mutex<Option<Status>>,
    /// Limits of the last stream that was opened: messages and bytes.
    limits: Mutex<(i64, i64)>,
    nacks: Mutex<usize>,
    /// Acknowledgements fail.
    loses_acks: AtomicBool,
    /// Something above has changed.
    changed: Notify,
}

/// A subscription that keeps messages until they are acknowledged.
#[derive(Clone)]
pub struct PullSubscription {
    /// `127.0.0.1:PORT`
    pub address: String,
    shared: Arc<Shared>,
}

impl PullSubscription {
    /// A subscription with these texts as messages. Their ids are their positions.
    pub async fn start(name: &'static str, texts: impl IntoIterator<Item = String>) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let shared = Arc::new(Shared::default());
        shared.publish(texts);
        let subscriber = Subscriber { name, shared: Arc::clone(&shared) };
        tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                let subscriber = subscriber.clone();
                let service = service_fn(move |request| {
                    let subscriber = subscriber.clone();
                    async move { Ok::<_, Infallible>(subscriber.answer(request).await) }
                });
                tokio::spawn(http2::Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(connection), service));
            }
        });
        Self { address, shared }
    }

    /// Adds messages.
    pub fn publish(&self, texts: impl IntoIterator<Item = String>) {
        self.shared.publish(texts);
    }

    /// Ends all open streams with this status; without one, as if the server were done.
    pub fn end_streams(&self, status: Option<Status>) {
        *self.shared.ended.lock().unwrap() = (self.streams(), status);
        self.shared.changed.notify_waiters();
    }

    /// Refuses new streams, and ends the open ones.
    pub fn refuse(&self, status: Status) {
        *self.shared.refused.lock().unwrap() = Some(status.clone());
        self.end_streams(Some(status));
    }

    /// Makes all messages available again that are delivered and not answered.
    pub fn expire_leases(&self) {
        for message in self.shared.messages().iter_mut().filter(|message| matches!(message.state, State::Delivered(_))) {
            message.state = State::Available;
        }
        self.shared.changed.notify_waiters();
    }

    /// Number of messages that are delivered and not answered.
    pub fn delivered(&self) -> usize {
        self.shared.messages().iter().filter(|message| matches!(message.state, State::Delivered(_))).count()
    }

    /// Number of deliveries of each message.
    pub fn deliveries(&self) -> Vec<i32> {
        self.shared.messages().iter().map(|message| message.deliveries).collect()
    }

    /// Number of streams opened so far.
    pub fn streams(&self) -> usize {
        *self.shared.streams.lock().unwrap()
    }

    /// The limits of the last stream that was opened: messages and bytes.
    pub fn limits(&self) -> (i64, i64) {
        *self.shared.limits.lock().unwrap()
    }

    /// Fails all acknowledgements, or none.
    pub fn lose_acks(&self, loses: bool) {
        self.shared.loses_acks.store(loses, Ordering::Relaxed);
    }

    /// Number of nacks so far.
    pub fn nacks(&self) -> usize {
        *self.shared.nacks.lock().unwrap()
    }

    /// Positions of the acknowledged messages.
    pub fn acknowledged(&self) -> Vec<usize> {
        let messages = self.shared.messages();
        let acknowledged = messages.iter().enumerate().filter(|(_, messages)| messages.state == State::Acknowledged);
        acknowledged.map(|(position, _)| position).collect()
    }
}

impl Shared {
    fn messages(&self) -> MutexGuard<'_, Vec<StoredMessage>> {
        self.messages.lock().unwrap()
    }

    fn publish(&self, texts: impl IntoIterator<Item = String>) {
        let mut messages = self.messages();
        for text in texts {
            let message = PubsubMessage { data: text.into_bytes(), message_id: messages.len().to_string(), ..Default::default() };
            messages.push(StoredMessage { message, deliveries: 0, state: State::Available });
        }
        drop(messages);
        self.changed.notify_waiters();
    }

    /// The status that this stream ends with, if it ends.
    fn ended(&self, stream: usize) -> Option<Option<Status>> {
        let (last, status) = &*self.ended.lock().unwrap();
        (stream <= *last).then(|| status.clone())
    }

    /// Delivers available messages on this stream, up to its limit.
    fn deliver(&self, stream: usize, limit: usize) -> Vec<ReceivedMessage> {
        let mut messages = self.messages();
        let outstanding = messages.iter().filter(|message| message.state == State::Delivered(stream)).count();
        let available = messages.iter_mut().enumerate().filter(|(_, messages)| messages.state == State::Available);
        let available = available.take(limit.saturating_sub(outstanding));
        let delivered = available.map(|(position, messages)| {
            messages.deliveries += 1;
            messages.state = State::Delivered(stream);
            // The ack_id of an earlier delivery is ignored, as is that of a closed stream.
            let ack_id = format!("{position}-{}", messages.deliveries);
            ReceivedMessage { ack_id, message: Some(messages.message.clone()), delivery_attempt: messages.deliveries }
        });
        delivered.collect()
    }

    fn change(&self, ack_ids: &[String], to: impl Fn() -> State) {
        let mut messages = self.messages();
        for ack_id in ack_ids {
            let (position, delivery) = ack_id.split_once('-').unwrap();
            let message = &mut messages[position.parse::<usize>().unwrap()];
            if matches!(message.state, State::Delivered(_)) && delivery == message.deliveries.to_string() {
                message.state = to();
            }
        }
        self.changed.notify_waiters();
    }

    fn end(&self, stream: usize) {
        for messages in self.messages().iter_mut().filter(|messages| messages.state == State::Delivered(stream)) {
            messages.state = State::Available;
        }
        self.changed.notify_waiters();
    }
}

/// An open stream. On drop, its unacknowledged messages become available.
struct OpenStream {
    stream: usize,
    shared: Arc<Shared>,
}

impl Drop for OpenStream {
    fn drop(&mut self) {
        self.shared.end(self.stream);
    }
}

#[derive(Clone)]
struct Subscriber {
    name: &'static str,
    shared: Arc<Shared>,
}

impl Subscriber {
    async fn answer(self, request: hyper::Request<Incoming>) -> hyper::Response<Body> {
        let method = request.uri().path().rsplit('/').next().unwrap_or_default().to_owned();
        match method.as_str() {
            "StreamingPull" => Grpc::new(ProstCodec::new()).streaming(self, request).await,
            "Acknowledge" => Grpc::new(ProstCodec::<Empty, AcknowledgeRequest>::new()).unary(self, request).await,
            "ModifyAckDeadline" => Grpc::new(ProstCodec::<Empty, ModifyAckDeadlineRequest>::new()).unary(self, request).await,
            _ => Status::unimplemented(method).into_http(),
        }
    }
}

impl StreamingService<StreamingPullRequest> for Subscriber {
    type Response = StreamingPullResponse;
    type ResponseStream = BoxStream<'static, Result<StreamingPullResponse, Status>>;
    type Future = BoxFuture<Response<Self::ResponseStream>, Status>;

    fn call(&mut self, request: Request<Streaming<StreamingPullRequest>>) -> Self::Future {
        let Self { name, shared } = self.clone();
        Box::pin(async move {
            let mut requests = request.into_inner();
            let first = requests.message().await?.unwrap_or_default();
            if first.subscription.rsplit('/').next() != Some(name) {
                return Err(Status::not_found(format!("Resource not found (resource={}).", first.subscription)));
            }
            if let Some(status) = shared.refused.lock().unwrap().clone() {
                return Err(status);
            }
            let stream = {
                let mut streams = shared.streams.lock().unwrap();
                *streams += 1;
                *streams
            };
            let limits = (first.max_outstanding_messages, first.max_outstanding_bytes);
            *shared.limits.lock().unwrap() = limits;
            let limit = usize::try_from(limits.0).ok().filter(|limit| *limit > 0).unwrap_or(usize::MAX);
            let open = OpenStream { stream, shared };
            let answers = unfold((open, requests), move |(open, mut requests)| async move {
                let shared = Arc::clone(&open.shared);
                loop {
                    let changed = shared.changed.notified();
                    if let Some(status) = shared.ended(open.stream) {
                        return Some((Err(status?), (open, requests)));
                    }
                    let received_messages = shared.deliver(open.stream, limit);
                    if !received_messages.is_empty() {
                        return Some((Ok(StreamingPullResponse { received_messages }), (open, requests)));
                    }
                    tokio::select! {
                        () = changed => {}
                        // Keepalive messages, until the subscriber closes the stream.
                        request = requests.message() => { request.ok()??; }
                    }
                }
            });
            Ok(Response::new(answers.boxed()))
        })
    }
}

impl UnaryService<AcknowledgeRequest> for Subscriber {
    type Response = Empty;
    type Future = BoxFuture<Response<Empty>, Status>;

    fn call(&mut self, request: Request<AcknowledgeRequest>) -> Self::Future {
        if self.shared.loses_acks.load(Ordering::Relaxed) {
            return Box::pin(async { Err(Status::unavailable("try again")) });
        }
        self.shared.change(&request.into_inner().ack_ids, || State::Acknowledged);
        Box::pin(async { Ok(Response::new(Empty {})) })
    }
}

impl UnaryService<ModifyAckDeadlineRequest> for Subscriber {
    type Response = Empty;
    type Future = BoxFuture<Response<Empty>, Status>;

    fn call(&mut self, request: Request<ModifyAckDeadlineRequest>) -> Self::Future {
        let ModifyAckDeadlineRequest { ack_ids, ack_deadline_seconds, .. } = request.into_inner();
        // This stub has no ack deadline. A deadline of 0 is a nack.
        if ack_deadline_seconds == 0 {
            *self.shared.nacks.lock().unwrap() += ack_ids.len();
            self.shared.change(&ack_ids, || State::Available);
        }
        Box::pin(async { Ok(Response::new(Empty {})) })
    }
}
