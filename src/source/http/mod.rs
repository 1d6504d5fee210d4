//! The HTTP/1 server under the push endpoint: connections, their limits, bodies and trace headers.

pub mod body;
mod connection;
pub mod panic;
pub mod server;
pub mod trace_context;
