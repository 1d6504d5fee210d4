//! How messages arrive: Pub/Sub push requests over HTTP.

pub mod auth;
mod connection;
pub mod delivery;
pub mod http_server;
mod panic;
pub mod push;
pub mod trace_context;
