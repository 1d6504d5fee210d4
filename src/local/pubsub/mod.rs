//! Topic, push subscription and dead-letter topic with the behaviour of Pub/Sub, or Google's emulator.
//!
//! ```text
//! log sink ──▶ topic ──▶ push_subscription ──▶ POST / of the service
//!                │            ├── backlog: when each message is delivered (window, push_backoff, policy)
//!                │            └─▶ dead_letter_topic: messages without attempts left
//!                └─────▶ emulator, which pushes to the service itself
//! ```
//!
//! Messages are kept in memory and are lost when the process exits, as in Google's emulator. `backlog` and its parts do no
//! I/O and get the time as an argument. Only `push_subscription` and `emulator` send anything.

mod backlog;
mod dead_letter_topic;
pub mod emulator;
mod message;
mod policy;
mod push_backoff;
mod push_subscription;
mod topic;
mod window;

pub use dead_letter_topic::DeadLetterTopic;
pub use message::{Attributes, Message};
pub use policy::{DeadLetterPolicy, DeliveryRetryPolicy, SubscriptionPolicy};
pub use push_subscription::PushSubscription;
pub use topic::{PublishedMessages, Topic};

/// Name of the topic, as in `commands.txt`.
pub const TOPIC: &str = "pixel";
/// Name of the push subscription, as in `commands.txt`.
pub const SUBSCRIPTION: &str = "pixel-push";

/// Whether this status of a push endpoint acknowledges the message
/// (<https://cloud.google.com/pubsub/docs/push#receive_push>). Other 2xx statuses do not.
pub fn is_ack(status: u16) -> bool {
    matches!(status, 102 | 200 | 201 | 202 | 204)
}
