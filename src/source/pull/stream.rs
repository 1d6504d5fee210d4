//! The stream of pulled messages. It is opened again until Pub/Sub refuses the subscription.
//!
//! Google's client opens a stream again after most errors, and gives up at some others that are transient, such as
//! `CANCELLED`, or a stream that the server ends. This file starts a new stream then. The old one lives until its last
//! message is answered.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::join_all;
use futures_util::stream::{BoxStream, StreamExt as _, unfold};
use google_cloud_gax::error::rpc::Code;
use google_cloud_pubsub::Error;
use google_cloud_pubsub::subscriber::{MessageStream, ShutdownBehavior, ShutdownToken};

use super::message::PulledMessage;
use super::subscription::{Subscription, SubscriptionError};
use crate::telemetry::with_causes;

/// The lease of a message, which the client extends. After the end of a process without a shutdown, Pub/Sub delivers its
/// messages again after this time, and Google's emulator after twice this time: the default of `--idle` is longer. The minimum
/// of Pub/Sub.
const LEASE: Duration = Duration::from_secs(10);
/// Delay before a new stream, after the first failure. It doubles with each further one.
const MIN_DELAY: Duration = Duration::from_millis(100);
const MAX_DELAY: Duration = Duration::from_secs(10);

/// Limits of the messages that are delivered and not answered. 0 is no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FlowControl {
    pub messages: usize,
    pub bytes: usize,
}

/// The messages of a subscription.
pub struct PullStream {
    /// A future that waits for the next message is kept in it, because the client would open a
    /// new stream each time that it is dropped.
    messages: BoxStream<'static, Result<PulledMessage, SubscriptionError>>,
    opened: Opened,
}

/// The shutdown tokens of all streams that were opened.
type Opened = Arc<Mutex<Vec<ShutdownToken>>>;

impl PullStream {
    pub(super) fn new(subscription: Subscription, flow_control: FlowControl) -> Self {
        let opened = Opened::default();
        let reader = Reader { subscription, flow_control, opened: Arc::clone(&opened), stream: None, failures: 0, is_refused: false };
        Self { messages: unfold(reader, Reader::next).boxed(), opened }
    }

    /// The next message, or why there will be none. `None` after that. Cancel safe.
    pub async fn next(&mut self) -> Option<Result<PulledMessage, SubscriptionError>> {
        self.messages.next().await
    }

    /// The next message if it has arrived. `None` also at the end of the stream.
    pub fn try_next(&mut self) -> Option<Result<PulledMessage, SubscriptionError>> {
        self.next().now_or_never().flatten()
    }

    /// Returns unread messages, sends the last acks and nacks, and closes the stream. Ends when every message is answered or
    /// dropped, and Pub/Sub has got the answers. The stream is closed last: a server may end the leases of its messages then.
    pub async fn close(mut self) {
        // Pub/Sub would deliver them again only after their leases.
        while let Some(Ok(unread)) = self.try_next() {
            drop(unread);
        }
        let opened = std::mem::take(&mut *self.opened.lock().unwrap_or_else(PoisonError::into_inner));
        join_all(opened.iter().map(ShutdownToken::shutdown)).await;
    }
}

/// Reads one stream after the other.
struct Reader {
    subscription: Subscription,
    flow_control: FlowControl,
    opened: Opened,
    stream: Option<MessageStream>,
    /// Failures since the last message.
    failures: u32,
    is_refused: bool,
}

impl Reader {
    async fn next(mut self) -> Option<(Result<PulledMessage, SubscriptionError>, Self)> {
        if self.is_refused {
            return None;
        }
        loop {
            let stream = match &mut self.stream {
                Some(stream) => stream,
                None => self.stream.insert(open(&self.subscription, self.flow_control, &self.opened)),
            };
            match stream.next().await {
                Some(Ok((message, handler))) => {
                    self.failures = 0;
                    return Some((Ok(PulledMessage::new(message, handler)), self));
                }
                Some(Err(error)) if !is_transient(&error) => {
                    let refused = refusal(&self.subscription.name, &error);
                    (self.stream, self.is_refused) = (None, true);
                    return Some((Err(refused), self));
                }
                Some(Err(error)) => tracing::warn!(error = with_causes(&error), "the stream of pulled messages failed; opening a new one"),
                None => tracing::warn!("Pub/Sub ended the stream of pulled messages; opening a new one"),
            }
            self.stream = None;
            tokio::time::sleep((MIN_DELAY * 2u32.saturating_pow(self.failures)).min(MAX_DELAY)).await;
            self.failures = (self.failures + 1).min(10);
        }
    }
}

fn open(subscription: &Subscription, flow_control: FlowControl, opened: &Opened) -> MessageStream {
    let limit = |limit: usize| i64::try_from(limit).unwrap_or(i64::MAX);
    let stream = subscription
        .subscriber
        .subscribe(&subscription.name)
        .set_max_outstanding_messages(limit(flow_control.messages))
        .set_max_outstanding_bytes(limit(flow_control.bytes))
        .set_max_lease(Duration::MAX)
        .set_max_lease_extension(LEASE)
        .set_shutdown_behavior(ShutdownBehavior::WaitForProcessing)
        .build();
    opened.lock().unwrap_or_else(PoisonError::into_inner).push(stream.shutdown_token());
    stream
}

/// Whether a new stream may succeed.
fn is_transient(error: &Error) -> bool {
    match error.status().map(|status| status.code) {
        Some(
            Code::Cancelled
            | Code::Unknown
            | Code::DeadlineExceeded
            | Code::ResourceExhausted
            | Code::Aborted
            | Code::Internal
            | Code::Unavailable,
        ) => true,
        Some(_) => false,
        None => error.is_transport() || error.is_io() || error.is_connect() || error.is_timeout(),
    }
}

fn refusal(name: &str, error: &Error) -> SubscriptionError {
    let causes = with_causes(error);
    SubscriptionError(match error.status().map(|status| status.code) {
        Some(Code::PermissionDenied) => format!("permission denied: grant roles/pubsub.subscriber on {name}: {causes}"),
        Some(Code::NotFound) => format!("{name} does not exist: {causes}"),
        Some(Code::Unauthenticated) => format!("Pub/Sub rejected the credentials: {causes}"),
        _ => format!("Pub/Sub refused {name}: {causes}"),
    })
}
