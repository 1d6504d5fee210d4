//! A pull subscription, such as that of the dead-letter topic: messages that the service never acknowledged.
//!
//! Google's client extends the leases of messages in progress. A processed message is acknowledged. Any other is held
//! until the end, because Pub/Sub would deliver it again at once; it is returned then, also after Ctrl-C. Pub/Sub
//! divides the messages among tasks.
//!
//! A message of a dead-letter topic has a new id. So an entry without insertId, whose identity is the message
//! id, gets a new identity. An attribute has the time of the first publishing.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use google_cloud_auth::credentials::anonymous::Builder as Anonymous;
use google_cloud_gax::error::rpc::Code;
use google_cloud_gax::options::RequestOptionsBuilder as _;
use google_cloud_gax::retry_policy::NeverRetry;
use google_cloud_pubsub::client::{Subscriber, SubscriptionAdmin};
use google_cloud_pubsub::model::Message;
use google_cloud_pubsub::subscriber::handler::Handler;
use google_cloud_pubsub::subscriber::{MessageStream, ShutdownBehavior};
use jiff::Timestamp;
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::{CHANNEL_CAPACITY, Closed, Entry, Source, SourceEvent};
use crate::cli::replay::outcome::EntryOutcome;
use crate::cli::replay::progress::ReadProgress;
use crate::config::Operator;
use crate::decode::PubsubMessage;
use crate::decode::message::MessageData;
use crate::telemetry::with_causes;

/// The attribute with the time when the message was published to its first topic.
const FIRST_PUBLISHED: &str = "CloudPubSubDeadLetterSourceTopicPublishTime";
/// Maximum time to send the last acknowledgements.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(9);
/// Maximum time to ask Pub/Sub for the subscription.
const CHECK_TIMEOUT: Duration = Duration::from_secs(10);

#[derive(Debug, thiserror::Error)]
#[error("cannot replay the subscription: {0}")]
pub(crate) struct SubscriptionError(String);

/// A message of the subscription.
#[derive(Debug)]
pub(crate) struct PulledMessage {
    data: Bytes,
    id: String,
    publish_time: Option<String>,
    /// A JSON object.
    attributes: String,
    delivery_attempt: Option<i64>,
    /// Acknowledges the message. Dropped, or kept until the stream is closed, it returns the message.
    handler: Handler,
}

impl Entry for PulledMessage {
    fn message(&self) -> PubsubMessage<'_> {
        PubsubMessage {
            data: MessageData::Raw((&*self.data).into()),
            message_id: Some(Cow::Borrowed(self.id.as_str())).filter(|id| !id.is_empty()),
            publish_time: self.publish_time.as_deref().map(Cow::Borrowed),
            attributes: Some(Cow::Borrowed(&self.attributes)),
            delivery_attempt: self.delivery_attempt,
        }
    }
}

impl fmt::Display for PulledMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "message {}", self.id)
    }
}

pub(crate) struct SubscriptionSource {
    events: mpsc::Receiver<SourceEvent<PulledMessage>>,
    /// Ends with the stream, still open.
    pulling: Option<JoinHandle<MessageStream>>,
    /// A dry run returns every message.
    is_dry_run: bool,
    /// Returned when the stream is closed.
    held: Vec<Handler>,
}

impl SubscriptionSource {
    /// `name` is a subscription of the project, or a full name that begins with `projects/`. Reading ends when no message
    /// comes for `idle_timeout`.
    pub(crate) async fn connect(
        name: &str,
        operator: &Operator,
        idle_timeout: Duration,
        is_dry_run: bool,
    ) -> Result<Self, SubscriptionError> {
        let (mut builder, mut admin) = (Subscriber::builder(), SubscriptionAdmin::builder());
        if let Some(address) = &operator.pubsub_emulator {
            let anonymous = || Anonymous::new().build();
            builder = builder.with_endpoint(address).with_credentials(anonymous());
            admin = admin.with_endpoint(address).with_credentials(anonymous());
        }
        let cannot_connect = |error| SubscriptionError(format!("cannot connect to Pub/Sub: {}", with_causes(&error)));
        let subscriber = builder.build().await.map_err(cannot_connect)?;
        let project = &operator.service.location.project;
        let name = if name.starts_with("projects/") { name.to_owned() } else { format!("projects/{project}/subscriptions/{name}") };
        let address = operator.pubsub_emulator.clone().unwrap_or_else(|| "pubsub.googleapis.com".to_owned());
        let check = Check {
            admin: admin.build().await.map_err(cannot_connect)?,
            name: name.clone(),
            address,
            is_emulator: operator.pubsub_emulator.is_some(),
        };
        check.run().await.map_err(SubscriptionError)?;
        // No limits, because held messages would use them up. Unread messages wait on the connection.
        let stream = subscriber.subscribe(name).set_max_outstanding_messages(0).set_max_outstanding_bytes(0);
        let stream = stream.set_max_lease(Duration::MAX).set_shutdown_behavior(ShutdownBehavior::NackImmediately).build();
        let (events, receiver) = mpsc::channel(CHANNEL_CAPACITY);
        let pulling = Some(tokio::spawn(pull(stream, check, idle_timeout, events)));
        Ok(Self { events: receiver, pulling, is_dry_run, held: Vec::new() })
    }
}

impl Source for SubscriptionSource {
    type Entry = PulledMessage;

    fn read_progress(&self) -> ReadProgress {
        ReadProgress::new(None)
    }

    fn if_empty(&self) -> &'static str {
        "the subscription has no messages"
    }

    async fn next(&mut self) -> Option<SourceEvent<PulledMessage>> {
        self.events.recv().await
    }

    fn complete(&mut self, entry: PulledMessage, outcome: EntryOutcome) {
        match outcome {
            EntryOutcome::Processed(_) if !self.is_dry_run => entry.handler.ack(),
            EntryOutcome::Processed(_) | EntryOutcome::Skipped(_) | EntryOutcome::Failed(_) => self.held.push(entry.handler),
        }
    }

    fn stop(&mut self) {
        self.events.close();
    }

    async fn close(&mut self) -> Closed {
        // Messages that were not taken from the channel are returned.
        self.events.close();
        while self.events.try_recv().is_ok() {}
        let Some(pulling) = self.pulling.take() else { return Closed::default() };
        // The stream sends acknowledgements in batches and extends leases, so it has to outlive the last message.
        let shutdown = async {
            if let Ok(stream) = pulling.await {
                stream.shutdown_token().shutdown().await;
            }
        };
        let mut closed = Closed::default();
        if timeout(CLOSE_TIMEOUT, shutdown).await.is_err() {
            let seconds = CLOSE_TIMEOUT.as_secs();
            closed.errors.push(format!(
                "cannot acknowledge all messages: Pub/Sub did not confirm within {seconds} s; it may deliver processed messages again"
            ));
        }
        closed
    }
}

/// Asks Pub/Sub for the subscription. The client of the stream retries without an end, so that a server that does not
/// answer looks like a subscription without messages.
struct Check {
    admin: SubscriptionAdmin,
    /// With its project.
    name: String,
    /// The URL or the host of Pub/Sub.
    address: String,
    is_emulator: bool,
}

impl Check {
    /// Fails unless Pub/Sub answers and may have the subscription.
    async fn run(&self) -> Result<(), String> {
        let Self { admin, name, address, is_emulator } = self;
        let seconds = CHECK_TIMEOUT.as_secs();
        let request = admin.get_subscription().set_subscription(name).with_retry_policy(NeverRetry);
        let error = match timeout(CHECK_TIMEOUT, request.send()).await {
            Ok(Ok(_)) => return Ok(()),
            Ok(Err(error)) => error,
            Err(_) => return Err(format!("Pub/Sub at {address} did not answer within {seconds} s")),
        };
        match error.status().map(|status| status.code) {
            // To pull needs another permission than to look, and a server may have no other method than to pull.
            Some(Code::PermissionDenied | Code::Unimplemented) => Ok(()),
            Some(Code::NotFound) => Err(format!("{name} does not exist at {address}: {}", with_causes(&error))),
            // An emulator may speak gRPC only.
            None if *is_emulator && is_listening(address).await => Ok(()),
            _ => Err(format!("cannot reach Pub/Sub at {address}: {}", with_causes(&error))),
        }
    }
}

/// Whether somebody accepts connections at the address.
async fn is_listening(address: &str) -> bool {
    let Ok(url) = url::Url::parse(address) else { return false };
    let Some((host, port)) = url.host_str().zip(url.port_or_known_default()) else { return false };
    let host = host.trim_matches(['[', ']']);
    matches!(timeout(CHECK_TIMEOUT, TcpStream::connect((host, port))).await, Ok(Ok(_)))
}

/// Pulls until no message arrives within the idle timeout, and Pub/Sub still answers then. Returns the stream, which stays
/// open.
async fn pull(
    mut stream: MessageStream,
    check: Check,
    idle_timeout: Duration,
    events: mpsc::Sender<SourceEvent<PulledMessage>>,
) -> MessageStream {
    loop {
        let next = tokio::select! {
            next = timeout(idle_timeout, stream.next()) => next,
            () = events.closed() => return stream,
        };
        let event = match next {
            // No message in time, or the end of the stream.
            Err(_) | Ok(None) => match check.run().await {
                Ok(()) => return stream,
                Err(error) => SourceEvent::Error(format!("cannot read the subscription: {error}")),
            },
            Ok(Some(Ok((message, handler)))) => SourceEvent::Entry(pulled(message, handler)),
            Ok(Some(Err(error))) => SourceEvent::Error(format!("cannot read the subscription: {}", with_causes(&error))),
        };
        let is_last = matches!(event, SourceEvent::Error(_));
        if events.send(event).await.is_err() || is_last {
            return stream;
        }
    }
}

fn pulled(message: Message, handler: Handler) -> PulledMessage {
    let published = || {
        let time = message.publish_time?;
        Timestamp::new(time.seconds(), time.nanos()).ok().map(|time| time.to_string())
    };
    PulledMessage {
        publish_time: message.attributes.get(FIRST_PUBLISHED).cloned().or_else(published),
        attributes: serde_json::to_string(&message.attributes).expect("a map of strings has a JSON form"),
        delivery_attempt: handler.delivery_attempt().map(i64::from),
        id: message.message_id,
        data: message.data,
        handler,
    }
}
