//! Google's Pub/Sub emulator in place of our own topic and push subscription.
//!
//! With PUBSUB_EMULATOR_HOST set, the log sink's messages are published there, and the emulator
//! pushes them to the service by itself. So its deliveries are known to the emulator and to the
//! service's metrics, and not to [`Stats`](crate::local::stats::Stats).
//!
//! The subscription gets no retry policy: with one, the emulator forgets messages after two or
//! three nacks. Nor a dead-letter policy: the emulator repeats a nacked message every second
//! without backoff, so that a short pause of the service would be taken for a message's fault.

use std::error::Error;
use std::time::Duration;

use google_cloud_auth::credentials::Credentials;
use google_cloud_auth::credentials::anonymous::Builder as Anonymous;
use google_cloud_pubsub::client::{Publisher, SubscriptionAdmin, TopicAdmin};
use google_cloud_pubsub::model::{self, PushConfig};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::topic::PublishedMessages;
use super::{SUBSCRIPTION, TOPIC};
use crate::telemetry::Throttle;

/// How long the emulator may take to set up: Google's client would try for minutes.
const SETUP_TIMEOUT: Duration = Duration::from_secs(15);
/// gRPC's ALREADY_EXISTS, as Google's client translates it.
const ALREADY_EXISTS: u16 = 409;

/// A topic in the emulator, with a push subscription to the service.
#[derive(Debug)]
pub struct Emulator {
    publisher: Publisher,
    setup: EmulatorSetup,
}

/// What was found in the emulator, and what was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmulatorSetup {
    /// `projects/P/topics/T`
    pub topic: String,
    pub topic_existed: bool,
    /// `projects/P/subscriptions/S`
    pub subscription: String,
    /// If so, it has this push endpoint from now on.
    pub subscription_existed: bool,
    pub push_endpoint: String,
}

/// Why the emulator is of no use.
#[derive(Debug, thiserror::Error)]
pub enum EmulatorError {
    #[error("the Pub/Sub emulator at {address} (PUBSUB_EMULATOR_HOST) did not {what}")]
    Refused {
        address: String,
        what: &'static str,
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    #[error("the Pub/Sub emulator at {address} (PUBSUB_EMULATOR_HOST) did not answer within {} s: does it run?", SETUP_TIMEOUT.as_secs())]
    Silent { address: String },
}

impl Emulator {
    /// Sees that topic and push subscription are there. `address` is the emulator's URL,
    /// `push_endpoint` must be one that the emulator can reach.
    pub async fn connect(address: &str, project: &str, push_endpoint: &str, ack_deadline: Duration) -> Result<Self, EmulatorError> {
        tracing::info!(address, "connecting to the Pub/Sub emulator");
        let set_up = set_up(address, project, push_endpoint, ack_deadline);
        tokio::time::timeout(SETUP_TIMEOUT, set_up).await.unwrap_or_else(|_| Err(EmulatorError::Silent { address: address.to_owned() }))
    }

    /// What was found, and what was made.
    pub fn setup(&self) -> &EmulatorSetup {
        &self.setup
    }

    /// Publishes until it is told a time by which to end; from then on takes no more messages, and
    /// ends when all are published, or then. Returns how many were not.
    pub async fn run(self, PublishedMessages(mut published): PublishedMessages, mut end: watch::Receiver<Option<Instant>>) -> usize {
        let mut sending = JoinSet::new();
        let throttle = Throttle::new(Duration::from_secs(1));
        let (mut deadline, mut all_published, mut lost) = (None, false, 0);
        loop {
            if all_published && sending.is_empty() {
                return lost;
            }
            tokio::select! {
                message = published.recv(), if !all_published => match message {
                    Some(message) => {
                        let message = model::Message::new().set_data(message.data).set_attributes(message.attributes);
                        sending.spawn(self.publisher.publish(message));
                    }
                    None => all_published = true,
                },
                Some(sent) = sending.join_next(), if !sending.is_empty() => if let Ok(Err(error)) = sent {
                    lost += 1;
                    if let Some(suppressed) = throttle.pass() {
                        tracing::error!(%error, suppressed, "the Pub/Sub emulator did not take a message, which is lost");
                    }
                },
                () = tokio::time::sleep_until(deadline.unwrap_or_else(Instant::now)), if deadline.is_some() => {
                    return lost + sending.len() + published.len();
                }
                // Also when nobody is left who could tell it to end.
                Ok(()) | Err(_) = end.changed() => {
                    deadline = Some(end.borrow().unwrap_or_else(Instant::now));
                    published.close();
                }
            }
        }
    }
}

async fn set_up(address: &str, project: &str, push_endpoint: &str, ack_deadline: Duration) -> Result<Emulator, EmulatorError> {
    let refused = |what: &'static str| {
        let address = address.to_owned();
        move |source: Box<dyn Error + Send + Sync>| EmulatorError::Refused { address, what, source }
    };
    let topic = format!("projects/{project}/topics/{TOPIC}");
    let subscription = format!("projects/{project}/subscriptions/{SUBSCRIPTION}");

    let topics = TopicAdmin::builder().with_endpoint(address).with_credentials(anonymous()).build().await;
    let topics = topics.map_err(Box::from).map_err(refused("connect"))?;
    let topic_existed =
        existed(topics.create_topic().set_name(&topic).send().await).map_err(Box::from).map_err(refused("make the topic"))?;

    let subscriptions = SubscriptionAdmin::builder().with_endpoint(address).with_credentials(anonymous()).build().await;
    let subscriptions = subscriptions.map_err(Box::from).map_err(refused("connect"))?;
    let seconds = i32::try_from(ack_deadline.as_secs()).unwrap_or(600);
    let push = PushConfig::new().set_push_endpoint(push_endpoint);
    let request = subscriptions.create_subscription().set_name(&subscription).set_topic(&topic);
    let made = request.set_ack_deadline_seconds(seconds).set_push_config(push.clone()).send().await;
    let subscription_existed = existed(made).map_err(Box::from).map_err(refused("make the subscription"))?;
    if subscription_existed {
        let changed = subscriptions.modify_push_config().set_subscription(&subscription).set_push_config(push).send().await;
        changed.map_err(Box::from).map_err(refused("change the subscription's push endpoint"))?;
    }

    let publisher = Publisher::builder(&topic).with_endpoint(address).with_credentials(anonymous()).build().await;
    let publisher = publisher.map_err(Box::from).map_err(refused("connect"))?;
    let push_endpoint = push_endpoint.to_owned();
    Ok(Emulator { publisher, setup: EmulatorSetup { topic, topic_existed, subscription, subscription_existed, push_endpoint } })
}

/// Whether what was to be made is there already.
fn existed<T>(made: Result<T, google_cloud_pubsub::Error>) -> Result<bool, google_cloud_pubsub::Error> {
    match made {
        Ok(_) => Ok(false),
        Err(error) if error.http_status_code() == Some(ALREADY_EXISTS) => Ok(true),
        Err(error) => Err(error),
    }
}

fn anonymous() -> Credentials {
    Anonymous::new().build()
}
