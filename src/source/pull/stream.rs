//! The stream of pulled messages. It is opened again until Pub/Sub refuses the subscription.
//!
//! Google's client opens a stream again after most errors, and gives up at some others that are transient, such as
//! `CANCELLED`, or a stream that the server ends. This file starts a new stream then. The old one lives until its last
//! message is answered.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, join_all};
use futures_util::stream::{BoxStream, StreamExt as _, unfold};
use google_cloud_gax::error::rpc::Code;
use google_cloud_pubsub::Error;

use super::client::{OpenedStream, PullClient};
use super::message::PulledMessage;
use super::subscription::SubscriptionError;
use crate::telemetry::with_causes;

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
    shutdowns: Shutdowns,
}

/// Shuts down each stream that was opened.
type Shutdowns = Arc<Mutex<Vec<BoxFuture<'static, ()>>>>;

impl PullStream {
    pub fn new(client: Arc<dyn PullClient>, flow_control: FlowControl) -> Self {
        let shutdowns = Shutdowns::default();
        let reader = Reader { client, flow_control, shutdowns: Arc::clone(&shutdowns), stream: None, failures: 0, is_refused: false };
        Self { messages: unfold(reader, Reader::next).boxed(), shutdowns }
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
        let shutdowns = std::mem::take(&mut *self.shutdowns.lock().unwrap_or_else(PoisonError::into_inner));
        join_all(shutdowns).await;
    }
}

/// Reads one stream after the other.
struct Reader {
    client: Arc<dyn PullClient>,
    flow_control: FlowControl,
    shutdowns: Shutdowns,
    stream: Option<BoxStream<'static, Result<PulledMessage, Error>>>,
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
                None => {
                    let OpenedStream { messages, shutdown } = self.client.open(self.flow_control);
                    self.shutdowns.lock().unwrap_or_else(PoisonError::into_inner).push(shutdown);
                    self.stream.insert(messages)
                }
            };
            match stream.next().await {
                Some(Ok(message)) => {
                    self.failures = 0;
                    return Some((Ok(message), self));
                }
                Some(Err(error)) if !is_transient(&error) => {
                    let refused = refusal(self.client.name(), &error);
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
