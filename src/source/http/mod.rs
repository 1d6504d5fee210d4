//! The HTTP/1 server under the push endpoint: connections, their limits, bodies and trace headers.

pub(crate) mod body;
mod connection;
mod large_headers;
pub(crate) mod panic;
pub mod server;
pub mod trace_context;
