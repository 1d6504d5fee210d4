//! What the service tells its operator: log lines, metrics, and a report in the log once a minute.

pub mod logging;
pub mod metrics;
pub mod report;
mod throttle;
pub mod trace;

pub use logging::{LogFormat, init, with_causes};
pub use throttle::Throttle;
