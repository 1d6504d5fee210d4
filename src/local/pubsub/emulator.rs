//! Google's Pub/Sub emulator, instead of the topic and push subscription of this folder.
//!
//! With PUBSUB_EMULATOR_HOST set, the log sink's messages are published to the emulator, which pushes them to the service.
//! Its deliveries appear in the service's metrics, but not in [`TopologyStats`](crate::local::stats::TopologyStats).
//!
//! The subscription has no retry policy, because with one the emulator drops messages after two or three nacks. It has no
//! dead-letter policy, because the emulator repeats a nacked message every second without backoff: a short outage of the
//! service would use up all delivery attempts.

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

/// Timeout for the setup. Google's client would retry for minutes.
const SETUP_TIMEOUT: Duration = Duration::from_secs(15);
/// HTTP status to which Google's client maps gRPC's ALREADY_EXISTS.
const ALREADY_EXISTS: u16 = 409;
/// The longest ack deadline of a subscription.
const MAX_ACK_DEADLINE_SECS: i32 = 600;

/// A topic in the emulator, with a push subscription to the service.
#[derive(Debug)]
pub struct Emulator {
    publisher: Publisher,
    setup: EmulatorSetup,
}

/// The topic and the subscription in the emulator, and whether they existed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmulatorSetup {
    /// `projects/P/topics/T`
    pub topic: String,
    pub topic_existed: bool,
    /// `projects/P/subscriptions/S`
    pub subscription: String,
    /// If true, its push endpoint was changed.
    pub subscription_existed: bool,
    pub push_endpoint: String,
}

/// Why the emulator cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum EmulatorError {
    #[error("cannot {action} the Pub/Sub emulator at {address} (PUBSUB_EMULATOR_HOST)")]
    Refused {
        address: String,
        action: &'static str,
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    #[error("the Pub/Sub emulator at {address} (PUBSUB_EMULATOR_HOST) did not answer within {} s. Check that it is running", SETUP_TIMEOUT.as_secs())]
    Timeout { address: String },
}

impl Emulator {
    /// Creates topic and push subscription if they do not exist. `address` is the emulator's URL. The emulator must be able
    /// to reach `push_endpoint`.
    pub async fn connect(address: &str, project: &str, push_endpoint: &str, ack_deadline: Duration) -> Result<Self, EmulatorError> {
        tracing::info!(address, "connecting to the Pub/Sub emulator");
        let set_up = set_up(address, project, push_endpoint, ack_deadline);
        tokio::time::timeout(SETUP_TIMEOUT, set_up).await.unwrap_or_else(|_| Err(EmulatorError::Timeout { address: address.to_owned() }))
    }

    /// The topic and the subscription, and whether they existed.
    pub fn setup(&self) -> &EmulatorSetup {
        &self.setup
    }

    /// Publishes messages until `end` has a deadline. Then accepts no new message, and returns when all are published or the
    /// deadline is over. Returns the number of messages that were not published.
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
                        tracing::error!(%error, suppressed, "message lost: the Pub/Sub emulator rejected it");
                    }
                },
                () = tokio::time::sleep_until(deadline.unwrap_or_else(Instant::now)), if deadline.is_some() => {
                    return lost + sending.len() + published.len();
                }
                // An error means that the sender is gone: shut down, too.
                Ok(()) | Err(_) = end.changed() => {
                    deadline = Some(end.borrow().unwrap_or_else(Instant::now));
                    published.close();
                }
            }
        }
    }
}

async fn set_up(address: &str, project: &str, push_endpoint: &str, ack_deadline: Duration) -> Result<Emulator, EmulatorError> {
    let refused = |action: &'static str| {
        let address = address.to_owned();
        move |source: Box<dyn Error + Send + Sync>| EmulatorError::Refused { address, action, source }
    };
    let topic = format!("projects/{project}/topics/{TOPIC}");
    let subscription = format!("projects/{project}/subscriptions/{SUBSCRIPTION}");

    let topics = TopicAdmin::builder().with_endpoint(address).with_credentials(anonymous()).build().await;
    let topics = topics.map_err(Box::from).map_err(refused("connect to"))?;
    let topic_existed =
        existed(topics.create_topic().set_name(&topic).send().await).map_err(Box::from).map_err(refused("create the topic in"))?;

    let subscriptions = SubscriptionAdmin::builder().with_endpoint(address).with_credentials(anonymous()).build().await;
    let subscriptions = subscriptions.map_err(Box::from).map_err(refused("connect to"))?;
    let seconds = i32::try_from(ack_deadline.as_secs()).unwrap_or(MAX_ACK_DEADLINE_SECS);
    let push = PushConfig::new().set_push_endpoint(push_endpoint);
    let request = subscriptions.create_subscription().set_name(&subscription).set_topic(&topic);
    let made = request.set_ack_deadline_seconds(seconds).set_push_config(push.clone()).send().await;
    let subscription_existed = existed(made).map_err(Box::from).map_err(refused("create the subscription in"))?;
    if subscription_existed {
        let changed = subscriptions.modify_push_config().set_subscription(&subscription).set_push_config(push).send().await;
        changed.map_err(Box::from).map_err(refused("change the push endpoint of the subscription in"))?;
    }

    let publisher = Publisher::builder(&topic).with_endpoint(address).with_credentials(anonymous()).build().await;
    let publisher = publisher.map_err(Box::from).map_err(refused("connect to"))?;
    let push_endpoint = push_endpoint.to_owned();
    Ok(Emulator { publisher, setup: EmulatorSetup { topic, topic_existed, subscription, subscription_existed, push_endpoint } })
}

/// Whether the resource existed already.
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
