//! A pull subscription, as that of the dead-letter topic: messages that the service never acknowledged.
//!
//! Google's client extends their leases for as long as they are under way. A message that is settled is
//! acknowledged; any other is held to the end, because given back at once it would come again at once, and goes back
//! then, also at Ctrl-C. Pub/Sub shares them among tasks.
//!
//! A dead-letter topic's message is another message, with an id of its own: an entry that has no insertId, and so its
//! identity from the message, gets another one. The time of the first publishing is in an attribute.

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
use tokio::time::timeout;

use super::entry::{Entry, Origin, Payload};
use super::feed::{AHEAD, Event, Feed, Reach};
use crate::config::Operator;
use crate::decode::PubsubMessage;
use crate::decode::message::MessageData;
use crate::telemetry::with_causes;

/// When the message was published to the topic that it was for.
const FIRST_PUBLISHED: &str = "CloudPubSubDeadLetterSourceTopicPublishTime";

/// Pub/Sub cannot be asked at all.
#[derive(Debug, thiserror::Error)]
#[error("cannot connect to Pub/Sub: {0}")]
pub(crate) struct SubscriptionError(String);

/// A subscription that is about to be read.
pub(crate) struct Subscription(MessageStream);

/// A message as it came.
#[derive(Debug)]
pub(crate) struct Pulled {
    data: Bytes,
    id: String,
    published: Option<String>,
    /// A JSON object.
    attributes: String,
    attempt: Option<i64>,
}

/// Tells Pub/Sub what became of it; dropped, or kept until the stream is closed, it gives the message back.
#[derive(Debug)]
pub(crate) struct Receipt {
    id: String,
    handler: Handler,
}

impl Subscription {
    /// `name` is that of a subscription of the project, or begins with `projects/`.
    pub(crate) async fn connect(name: &str, operator: &Operator) -> Result<Self, SubscriptionError> {
        let mut builder = Subscriber::builder();
        if let Some(address) = &operator.pubsub_emulator {
            builder = builder.with_endpoint(address).with_credentials(Anonymous::new().build());
        }
        let subscriber = builder.build().await.map_err(|error| SubscriptionError(with_causes(&error)))?;
        let project = &operator.service.location.project;
        let name = if name.starts_with("projects/") { name.to_owned() } else { format!("projects/{project}/subscriptions/{name}") };
        // Without limits, because those that are held would use them up; what is not read yet waits on the connection.
        let stream = subscriber.subscribe(name).set_max_outstanding_messages(0).set_max_outstanding_bytes(0);
        let stream = stream.set_max_lease(Duration::MAX);
        Ok(Self(stream.set_shutdown_behavior(ShutdownBehavior::NackImmediately).build()))
    }

    /// Messages, until none came for so long.
    pub(crate) fn feed(self, idle: Duration) -> Feed {
        let Self(stream) = self;
        let (events, receiver) = mpsc::channel(AHEAD);
        let pulling = tokio::spawn(pull(stream, idle, events));
        // The stream is what extends leases and sends acknowledgements, in batches: it has to outlive the last of them.
        let closing = Box::pin(async move {
            if let Ok(stream) = pulling.await {
                stream.shutdown_token().shutdown().await;
            }
        });
        Feed { events: receiver, sources: Vec::new(), reach: Reach::unknown(), closing }
    }
}

/// Pulls until nothing more is to come; the stream stays open.
async fn pull(mut stream: MessageStream, idle: Duration, events: mpsc::Sender<Event>) -> MessageStream {
    loop {
        let next = tokio::select! {
            next = timeout(idle, stream.next()) => next,
            () = events.closed() => return stream,
        };
        let event = match next {
            // Nothing came, or the stream is at its end.
            Err(_) | Ok(None) => return stream,
            Ok(Some(Ok((message, handler)))) => Event::Entry(entry(message, handler)),
            Ok(Some(Err(error))) => Event::Broken { what: format!("the subscription: {}", with_causes(&error)) },
        };
        let is_last = matches!(event, Event::Broken { .. });
        if events.send(event).await.is_err() || is_last {
            return stream;
        }
    }
}

fn entry(message: Message, handler: Handler) -> Entry {
    let published = || {
        let time = message.publish_time?;
        Timestamp::new(time.seconds(), time.nanos()).ok().map(|time| time.to_string())
    };
    let published = message.attributes.get(FIRST_PUBLISHED).cloned().or_else(published);
    let pulled = Pulled {
        id: message.message_id.clone(),
        published,
        // A map of strings always has a JSON form.
        attributes: serde_json::to_string(&message.attributes).unwrap_or_default(),
        attempt: handler.delivery_attempt().map(i64::from),
        data: message.data,
    };
    Entry { payload: Payload::Pulled(pulled), origin: Origin::Pulled(Receipt { id: message.message_id, handler }) }
}

impl Pulled {
    pub(crate) fn message(&self) -> PubsubMessage<'_> {
        PubsubMessage {
            data: MessageData::Raw(&self.data),
            message_id: Some(Cow::Borrowed(self.id.as_str())).filter(|id| !id.is_empty()),
            publish_time: self.published.as_deref().map(Cow::Borrowed),
            attributes: Some(Cow::Borrowed(&self.attributes)),
            delivery_attempt: self.attempt,
        }
    }
}

impl Receipt {
    pub(crate) fn acknowledge(self) {
        self.handler.ack();
    }
}

impl fmt::Display for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "message {}", self.id)
    }
}
