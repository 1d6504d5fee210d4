//! Topic, push subscription and dead-letter topic, with Pub/Sub's rules; or Google's emulator.
//!
//! ```text
//! log sink ──▶ topic ──▶ push_subscription ──▶ POST / of the service
//!                │            ├── backlog: what is delivered when (window, push_backoff, policy)
//!                │            └─▶ dead_letter_topic: what was given up
//!                └─────▶ emulator, which pushes to the service itself
//! ```
//!
//! Messages live in memory and end with the process, as they do in Google's emulator. `backlog`
//! and what it is made of are told the time and do nothing by themselves; only
//! `push_subscription` and `emulator` send anything.

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
pub use policy::{DeadLetterPolicy, Policy, RetryPolicy};
pub use push_subscription::PushSubscription;
pub use topic::{PublishedMessages, Topic};

/// The topic's and the subscription's names, those of `commands.txt`.
pub const TOPIC: &str = "pixel";
/// The same of the push subscription.
pub const SUBSCRIPTION: &str = "pixel-push";

/// Whether a push endpoint's status acknowledges the message. No other does, of the second hundred
/// or not (<https://cloud.google.com/pubsub/docs/push#receive_push>).
pub fn is_ack(status: u16) -> bool {
    matches!(status, 102 | 200 | 201 | 202 | 204)
}
