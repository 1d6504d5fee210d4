//! What lies between the worker and Pub/Sub: Google's client.
//!
//! The simulation (`tests/simulation`) has a client of its own, so that everything above this file runs there without sockets
//! and on a paused clock.

use std::fmt;

use async_trait::async_trait;
use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;
use google_cloud_pubsub::Error;
use google_cloud_pubsub::error::AckError;
use google_cloud_pubsub::subscriber::handler::Handler;

use super::message::PulledMessage;
use super::stream::FlowControl;
use super::subscription::SubscriptionError;

/// The client of one subscription.
#[async_trait]
pub trait PullClient: Send + Sync {
    /// `projects/PROJECT/subscriptions/NAME`
    fn name(&self) -> &str;

    /// Opens a stream of messages. It must be called in a tokio runtime.
    fn open(&self, flow_control: FlowControl) -> OpenedStream;

    /// Fails unless Pub/Sub answers and may have the subscription. A client retries without an end, so that a server that does
    /// not answer looks like a subscription without messages.
    async fn check(&self) -> Result<(), SubscriptionError>;
}

/// A stream of messages.
pub struct OpenedStream {
    /// Ends, or fails, if the client does not open the stream again by itself.
    pub messages: BoxStream<'static, Result<PulledMessage, Error>>,
    /// Ends when every message of the stream is answered or dropped, and Pub/Sub has got the answers.
    pub shutdown: BoxFuture<'static, ()>,
}

/// Answers one message. Dropped, it returns the message to Pub/Sub (nack).
#[async_trait]
pub trait LeaseHandler: fmt::Debug + Send + Sync {
    /// Acknowledges the message. With exactly-once delivery, waits until Pub/Sub confirms it; else the client sends it within
    /// 100 ms, and a lost ack means a further delivery.
    async fn ack(self: Box<Self>) -> Result<(), AckError>;

    /// Returns the message: Pub/Sub delivers it again, by the retry policy of the subscription.
    fn nack(self: Box<Self>);
}

#[async_trait]
impl LeaseHandler for Handler {
    async fn ack(self: Box<Self>) -> Result<(), AckError> {
        match *self {
            Self::ExactlyOnce(handler) => handler.confirmed_ack().await,
            handler => {
                handler.ack();
                Ok(())
            }
        }
    }

    fn nack(self: Box<Self>) {
        (*self).nack();
    }
}
