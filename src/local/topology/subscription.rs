//! Delivers messages from the topic to the service: with our push subscription, or with Google's emulator.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::{PubsubMode, TopologyError};
use crate::local::pubsub::emulator::{Emulator, EmulatorSetup};
use crate::local::pubsub::{DeadLetterTopic, PublishedMessages, PushSubscription};
use crate::local::stats::TopologyStats;
use crate::telemetry;

/// Interval of the checks whether the emulator has delivered everything.
const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// The running subscription.
pub(crate) struct Subscription {
    /// Returns the number of messages that were not delivered.
    task: JoinHandle<usize>,
    /// Set once, to the deadline of the shutdown. From then on, no new message is accepted.
    end: watch::Sender<Option<Instant>>,
    /// With Google's emulator: which topic and subscription existed and which were created.
    pub(crate) emulator: Option<EmulatorSetup>,
}

impl Subscription {
    /// Pushes to `/` of the service at this URL.
    pub(crate) async fn start(
        pubsub: PubsubMode,
        published: PublishedMessages,
        service: &str,
        project: &str,
        dead_letters: Arc<DeadLetterTopic>,
        stats: TopologyStats,
    ) -> Result<Self, TopologyError> {
        let (end, ended) = watch::channel(None);
        let endpoint = format!("{service}/");
        match pubsub {
            PubsubMode::InProcess(policy) => {
                let subscription = PushSubscription::new(published, endpoint, project, policy, dead_letters, stats)?;
                Ok(Self { task: tokio::spawn(subscription.run(ended)), end, emulator: None })
            }
            PubsubMode::Emulator { address, push_endpoint, ack_deadline } => {
                let endpoint = push_endpoint.unwrap_or(endpoint);
                let emulator = Emulator::connect(&address, project, &endpoint, ack_deadline).await?;
                let setup = emulator.setup().clone();
                Ok(Self { task: tokio::spawn(emulator.run(published, ended)), end, emulator: Some(setup) })
            }
        }
    }

    /// Waits until every message is finished, until `timeout` is over, or until `cancel` completes. Returns the number of
    /// unfinished messages.
    pub(crate) async fn drain(self, timeout: Duration, cancel: impl Future<Output = ()>, stats: &TopologyStats) -> u64 {
        let Self { task, end, emulator } = self;
        end.send_replace(Some(Instant::now() + timeout));
        let drained = async {
            let counts = || stats.counts();
            let left = match task.await {
                Ok(left) => left as u64,
                // The task panicked; the panic has been logged.
                Err(_) => counts().published.saturating_sub(counts().acked + counts().dead_lettered),
            };
            if emulator.is_none() {
                return left;
            }
            loop {
                let unfinished = counts().published.saturating_sub(acknowledged());
                if unfinished == 0 || end.borrow().is_none_or(|end| end <= Instant::now()) {
                    return unfinished;
                }
                tokio::time::sleep(POLL_INTERVAL).await;
            }
        };
        tokio::pin!(drained, cancel);
        tokio::select! {
            unfinished = &mut drained => return unfinished,
            () = &mut cancel => {}
        }
        end.send_replace(Some(Instant::now()));
        drained.await
    }
}

/// Deliveries that the service acknowledged. With Google's emulator, this is the only information. It may exceed the
/// number of messages, because the emulator may deliver a message twice.
fn acknowledged() -> u64 {
    let acks = ["stored", "filtered", "dead_letter"];
    telemetry::stats().deliveries.iter().filter(|((outcome, _), _)| acks.contains(outcome)).map(|(_, count)| count).sum()
}
