//! Log lines, metrics, and a report in the log once a minute.
//!
//! A leaf: it imports nothing from the rest of the product, and takes labels as text.

#[cfg(test)]
pub(crate) mod captured;
mod counter;
mod histogram;
pub mod logging;
mod metric_totals;
pub mod metrics;
mod parameter_names;
mod prometheus_text;
mod recorder;
pub mod report;
mod throttle;
pub mod trace;

pub use counter::Labels;
pub use logging::{LogFormat, init, with_causes};
pub use metric_totals::MetricTotals;
pub use metrics::stats;
pub use throttle::Throttle;
