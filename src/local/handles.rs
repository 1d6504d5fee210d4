//! Handles of the running topology, for the console and the command line.
//!
//! [`topology`](super::topology) creates them. They own no task and start nothing.

use std::sync::Arc;

use bigquery_emulator::BigQuery;

use super::front::FrontKind;
use super::pubsub::emulator::EmulatorSetup;
use super::pubsub::{DeadLetterTopic, Topic};
use super::stats::TopologyStats;
use crate::sink::template::TemplateSettings;

/// The URLs of the parts. Each is a root URL on this machine unless its comment has another description.
#[derive(Debug, Clone)]
pub struct Urls {
    pub front: String,
    /// The full URL of the pixel, with its path.
    pub pixel: String,
    pub service: String,
    pub bigquery: String,
    /// The URL of the dataset's tables in BigQuery's API.
    pub tables: String,
}

/// Access to the running topology. Clones share it.
#[derive(Clone)]
pub struct Handles {
    pub front: FrontKind,
    pub urls: Urls,
    pub stats: TopologyStats,
    /// Publishes messages; the log sink uses it, too.
    pub topic: Topic,
    /// Dead letters of the push subscription. Stays empty with Google's emulator.
    pub dead_letters: Arc<DeadLetterTopic>,
    pub bigquery: BigQuery,
    /// Settings of the template table, and of the decoder.
    pub template: TemplateSettings,
    /// With Google's emulator: which topic and subscription existed and which were created.
    pub emulator: Option<EmulatorSetup>,
}
