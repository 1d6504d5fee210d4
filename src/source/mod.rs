//! How messages arrive: Pub/Sub push requests over HTTP.

pub mod auth;
pub mod delivery;
pub mod http_server;
pub mod push;
pub mod trace_context;
