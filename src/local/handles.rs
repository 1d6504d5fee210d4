//! What the console and the command line may use of the running topology.
//!
//! [`topology`](super::topology) fills it in. It owns no task and starts nothing.

use std::sync::Arc;

use bigquery_emulator::BigQuery;
use metrics_exporter_prometheus::PrometheusHandle;

use super::pubsub::emulator::EmulatorSetup;
use super::pubsub::{DeadLetterTopic, Topic};
use super::stats::Stats;
use crate::sink::template::TemplateSettings;

/// Where the parts are, each the root of a URL on this machine.
#[derive(Debug, Clone)]
pub struct Urls {
    pub load_balancer: String,
    /// Whole, with path.
    pub pixel: String,
    pub service: String,
    pub bigquery: String,
    /// The dataset's tables in BigQuery's API.
    pub tables: String,
}

/// What others may see and touch of the running topology. Clones are the same.
#[derive(Clone)]
pub struct Handles {
    pub urls: Urls,
    pub stats: Stats,
    /// To publish to, besides the log sink.
    pub topic: Topic,
    /// What the push subscription gave up. Stays empty with the emulator.
    pub dead_letters: Arc<DeadLetterTopic>,
    pub bigquery: BigQuery,
    pub metrics: PrometheusHandle,
    /// The template table's settings and how an entry becomes a row.
    pub template: TemplateSettings,
    /// With the emulator: what was found there, and what was made.
    pub emulator: Option<EmulatorSetup>,
}
