//! A pull subscription, such as that of the dead-letter topic: messages that the service never acknowledged.
//!
//! Google's client extends the leases of messages in progress. A processed message is acknowledged. Any other is held
//! until the end, because Pub/Sub would deliver it again at once; it is returned then, also after Ctrl-C. Pub/Sub
//! divides the messages among tasks.
//!
//! A message of a dead-letter topic has a new id. So an entry without insertId, whose identity is the message
//! id, gets a new identity. An attribute has the time of the first publishing.

use std::sync::Arc;
use std::time::Duration;

use google_cloud_pubsub::error::AckError;
use tokio::sync::mpsc;
use tokio::task::{JoinError, JoinHandle, JoinSet};
use tokio::time::timeout;

use super::{CHANNEL_CAPACITY, Closed, Entry, Source, SourceEvent};
use crate::cli::replay::outcome::EntryOutcome;
use crate::cli::replay::progress::ReadProgress;
use crate::config::{Operator, SubscriptionName};
use crate::decode::PubsubMessage;
use crate::source::pull::client::PullClient;
use crate::source::pull::message::{Lease, PulledMessage};
use crate::source::pull::stream::{FlowControl, PullStream};
use crate::source::pull::subscription::{Subscription, SubscriptionError as PullError};

/// Maximum time to send the last acknowledgements.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(9);
/// Held messages would use up any limit. Unread messages wait on the connection.
const UNLIMITED: FlowControl = FlowControl { messages: 0, bytes: 0 };

#[derive(Debug, thiserror::Error)]
#[error("cannot replay the subscription: {0}")]
pub(crate) struct SubscriptionError(#[from] PullError);

impl Entry for PulledMessage {
    fn message(&self) -> PubsubMessage<'_> {
        self.message()
    }
}

pub(crate) struct SubscriptionSource {
    events: mpsc::Receiver<SourceEvent<PulledMessage>>,
    /// Ends with the stream, still open.
    pulling: Option<JoinHandle<PullStream>>,
    /// A dry run returns every message.
    is_dry_run: bool,
    /// Returned when the stream is closed.
    held: Vec<Lease>,
    acks: JoinSet<Result<(), AckError>>,
    failed_acks: u64,
}

impl SubscriptionSource {
    /// Reading ends when no message comes for `idle_timeout`.
    pub(crate) async fn connect(
        name: &SubscriptionName,
        operator: &Operator,
        idle_timeout: Duration,
        is_dry_run: bool,
    ) -> Result<Self, SubscriptionError> {
        let name = name.full(&operator.service.location.project);
        let subscription = Subscription::connect(name, operator.pubsub_emulator.as_deref()).await?;
        let (events, receiver) = mpsc::channel(CHANNEL_CAPACITY);
        let pulling = Some(tokio::spawn(pull(subscription, idle_timeout, events)));
        Ok(Self { events: receiver, pulling, is_dry_run, held: Vec::new(), acks: JoinSet::new(), failed_acks: 0 })
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
        let lease = entry.into_lease();
        match outcome {
            EntryOutcome::Processed(_) if !self.is_dry_run => {
                self.acks.spawn(lease.ack());
                while let Some(ack) = self.acks.try_join_next() {
                    self.failed_acks += u64::from(!is_confirmed(&ack));
                }
            }
            EntryOutcome::Processed(_) | EntryOutcome::Skipped(_) | EntryOutcome::Failed(_) => self.held.push(lease),
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
            while let Some(ack) = self.acks.join_next().await {
                self.failed_acks += u64::from(!is_confirmed(&ack));
            }
            self.held.clear();
            if let Ok(stream) = pulling.await {
                stream.close().await;
            }
        };
        let mut closed = Closed::default();
        if timeout(CLOSE_TIMEOUT, shutdown).await.is_err() {
            let seconds = CLOSE_TIMEOUT.as_secs();
            closed.errors.push(format!(
                "cannot acknowledge all messages: Pub/Sub did not confirm within {seconds} s; it may deliver processed messages again"
            ));
        }
        if self.failed_acks > 0 {
            let count = self.failed_acks;
            closed.errors.push(format!("cannot acknowledge {count} messages: Pub/Sub did not accept it; it may deliver them again"));
        }
        closed
    }
}

fn is_confirmed(ack: &Result<Result<(), AckError>, JoinError>) -> bool {
    matches!(ack, Ok(Ok(())))
}

/// Pulls until no message arrives within the idle timeout, and Pub/Sub still answers then. Returns the stream, which stays
/// open.
async fn pull(subscription: Subscription, idle_timeout: Duration, events: mpsc::Sender<SourceEvent<PulledMessage>>) -> PullStream {
    let subscription = Arc::new(subscription);
    let mut stream = PullStream::new(Arc::<Subscription>::clone(&subscription), UNLIMITED);
    loop {
        let next = tokio::select! {
            next = timeout(idle_timeout, stream.next()) => next,
            () = events.closed() => return stream,
        };
        let event = match next {
            // No message in time.
            Err(_) | Ok(None) => match subscription.check().await {
                Ok(()) => return stream,
                Err(error) => SourceEvent::Error(format!("cannot read the subscription: {error}")),
            },
            Ok(Some(Ok(message))) => SourceEvent::Entry(message),
            Ok(Some(Err(error))) => SourceEvent::Error(format!("cannot read the subscription: {error}")),
        };
        let is_last = matches!(event, SourceEvent::Error(_));
        if events.send(event).await.is_err() || is_last {
            return stream;
        }
    }
}
