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
use google_cloud_pubsub::client::Subscriber;
use google_cloud_pubsub::model::Message;
use google_cloud_pubsub::subscriber::handler::Handler;
use google_cloud_pubsub::subscriber::{MessageStream, ShutdownBehavior};
use jiff::Timestamp;
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

#[derive(Debug, thiserror::Error)]
#[error("cannot connect to Pub/Sub: {0}")]
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
        let mut builder = Subscriber::builder();
        if let Some(address) = &operator.pubsub_emulator {
            builder = builder.with_endpoint(address).with_credentials(Anonymous::new().build());
        }
        let subscriber = builder.build().await.map_err(|error| SubscriptionError(with_causes(&error)))?;
        let project = &operator.service.location.project;
        let name = if name.starts_with("projects/") { name.to_owned() } else { format!("projects/{project}/subscriptions/{name}") };
        // No limits, because held messages would use them up. Unread messages wait on the connection.
        let stream = subscriber.subscribe(name).set_max_outstanding_messages(0).set_max_outstanding_bytes(0);
        let stream = stream.set_max_lease(Duration::MAX).set_shutdown_behavior(ShutdownBehavior::NackImmediately).build();
        let (events, receiver) = mpsc::channel(CHANNEL_CAPACITY);
        let pulling = Some(tokio::spawn(pull(stream, idle_timeout, events)));
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

/// Pulls until no message arrives within the idle timeout. Returns the stream, which stays open.
async fn pull(mut stream: MessageStream, idle_timeout: Duration, events: mpsc::Sender<SourceEvent<PulledMessage>>) -> MessageStream {
    loop {
        let next = tokio::select! {
            next = timeout(idle_timeout, stream.next()) => next,
            () = events.closed() => return stream,
        };
        let event = match next {
            // No message in time, or the end of the stream.
            Err(_) | Ok(None) => return stream,
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
