//! How messages arrive: Pub/Sub push requests over HTTP, or a pull subscription.

pub mod auth;
pub mod delivery;
pub mod http;
pub mod outcome_log;
#[cfg(feature = "pubsub")]
pub mod pull;
pub mod push;
pub mod status;
