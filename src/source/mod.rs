//! How messages arrive: Pub/Sub push requests over HTTP.

pub mod admission;
pub mod auth;
pub mod delivery;
pub mod http;
pub mod push;
