//! What answers the visitors' requests: one of two parts, by the setting FRONT.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;

use super::cloud_run::{self, CloudRun};
use super::load_balancer::{self, LoadBalancer};
use super::log_sink::LogSink;
use super::pubsub::Topic;
use super::stats::TopologyStats;
use crate::decode::PixelPaths;

/// The values of FRONT.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FrontKind {
    LoadBalancer,
    CloudRun,
}

impl FrontKind {
    /// `name` is a valid value of the setting.
    pub fn of(name: &str) -> Self {
        if name == "cloud-run" { Self::CloudRun } else { Self::LoadBalancer }
    }

    /// `resource.type` of its log entries.
    pub(crate) fn resource_type(self) -> &'static str {
        match self {
            Self::LoadBalancer => "http_load_balancer",
            Self::CloudRun => "cloud_run_revision",
        }
    }

    /// The label of the resource by which the log sink selects the entries, and its value.
    pub(crate) fn resource_label(self) -> (&'static str, &'static str) {
        match self {
            Self::LoadBalancer => ("url_map_name", load_balancer::URL_MAP),
            Self::CloudRun => ("service_name", cloud_run::SERVICE),
        }
    }
}

/// The running part.
#[derive(Debug, Clone)]
pub(crate) enum Front {
    LoadBalancer(Arc<LoadBalancer>),
    CloudRun(Arc<CloudRun>),
}

impl Front {
    /// The pixel at these paths, with a log sink that exports its requests to `topic`.
    pub(crate) fn new(kind: FrontKind, project: &str, paths: PixelPaths, topic: Topic, stats: TopologyStats) -> Self {
        let sink = LogSink::new(kind, &paths, topic, stats.clone());
        match kind {
            FrontKind::LoadBalancer => Self::LoadBalancer(Arc::new(LoadBalancer::new(project, paths, sink, stats))),
            FrontKind::CloudRun => Self::CloudRun(Arc::new(CloudRun::new(project, paths, sink, stats))),
        }
    }

    /// Answers and logs all requests of a connection from `peer`.
    pub(crate) fn router(&self, peer: SocketAddr) -> Router {
        match self {
            Self::LoadBalancer(part) => part.router(peer),
            Self::CloudRun(part) => part.router(peer),
        }
    }
}
