//! How messages arrive: Pub/Sub push requests over HTTP.

pub mod admission;
pub mod auth;
mod base64_text;
pub mod delivery;
pub mod http;
pub mod push;
