//! What is between the topic and the service: our push subscription, or Google's emulator.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::{Pubsub, TopologyError};
use crate::local::activity::Activity;
use crate::local::pubsub::emulator::{Emulator, Setup};
use crate::local::pubsub::{DeadLetterTopic, Published, PushSubscription};
use crate::telemetry;

/// How often is looked whether the emulator has delivered everything.
const LOOK: Duration = Duration::from_millis(50);

/// Takes the topic's messages to the service.
pub(crate) struct Delivery {
    /// Ends with the number of messages that it still had.
    task: JoinHandle<usize>,
    /// Told until when; from then on, no message is taken any more.
    end: watch::Sender<Option<Instant>>,
    /// With the emulator: what was found there, and what was made.
    pub(crate) emulator: Option<Setup>,
}

impl Delivery {
    /// Pushes to `/` of the service at that URL.
    pub(crate) async fn start(
        pubsub: Pubsub,
        published: Published,
        service: &str,
        project: &str,
        dead_letters: Arc<DeadLetterTopic>,
        activity: Activity,
    ) -> Result<Self, TopologyError> {
        let (end, ended) = watch::channel(None);
        let endpoint = format!("{service}/");
        match pubsub {
            Pubsub::InProcess(policy) => {
                let subscription = PushSubscription::new(published, endpoint, project, policy, dead_letters, activity)?;
                Ok(Self { task: tokio::spawn(subscription.run(ended)), end, emulator: None })
            }
            Pubsub::Emulator { address, push_endpoint, ack_deadline } => {
                let endpoint = push_endpoint.unwrap_or(endpoint);
                let emulator = Emulator::connect(&address, project, &endpoint, ack_deadline).await?;
                let setup = emulator.setup().clone();
                Ok(Self { task: tokio::spawn(emulator.run(published, ended)), end, emulator: Some(setup) })
            }
        }
    }

    /// Waits until every message is settled, until `patience` is over, or until `hurry` ends.
    /// Returns how many are not.
    pub(crate) async fn settle(self, patience: Duration, hurry: impl Future<Output = ()>, activity: &Activity) -> u64 {
        let Self { task, end, emulator } = self;
        end.send_replace(Some(Instant::now() + patience));
        let settled = async {
            let counts = || activity.counts();
            let left = match task.await {
                Ok(left) => left as u64,
                // It panicked, and has said so itself.
                Err(_) => counts().published.saturating_sub(counts().acked + counts().dead_lettered),
            };
            if emulator.is_none() {
                return left;
            }
            loop {
                let unsettled = counts().published.saturating_sub(acknowledged());
                if unsettled == 0 || end.borrow().is_none_or(|end| end <= Instant::now()) {
                    return unsettled;
                }
                tokio::time::sleep(LOOK).await;
            }
        };
        tokio::pin!(settled, hurry);
        tokio::select! {
            unsettled = &mut settled => return unsettled,
            () = &mut hurry => {}
        }
        end.send_replace(Some(Instant::now()));
        settled.await
    }
}

/// Deliveries that the service acknowledged. All that is known of the emulator's, and at least as
/// many as messages: it may deliver one twice.
fn acknowledged() -> u64 {
    let acks = ["stored", "filtered", "dead_letter"];
    telemetry::stats().deliveries.iter().filter(|((outcome, _), _)| acks.contains(outcome)).map(|(_, count)| count).sum()
}
