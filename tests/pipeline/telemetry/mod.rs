//! What the service logs.

mod logs;
mod reports;
