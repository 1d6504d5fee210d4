//! The log sink: selects the log entries to publish.
//!
//! It stands between the load balancer's log and the topic. Its filter is the one of deploy.sh and of the Terraform module:
//! resource type, URL map, no request of Cloud CDN's own, and the pixel's path anywhere in the URL. The service filters more
//! precisely: for example, a `HEAD` request, or a URL with the path in its query, passes the sink and is filtered by the
//! service.

use serde_json::Value;

use super::front::FrontKind;
use super::pubsub::{Attributes, Topic};
use super::stats::TopologyStats;
use crate::decode::{PixelPaths, percent};

/// The only attribute that Cloud Logging adds to a message.
const TIMESTAMP: &str = "logging.googleapis.com/timestamp";

/// Publishes the log entries that match its filter.
#[derive(Debug)]
pub struct LogSink {
    filter: Filter,
    topic: Topic,
    stats: TopologyStats,
}

/// `resource.type="http_load_balancer" AND resource.labels.url_map_name="pixel" AND
/// httpRequest.requestUrl:(PATH OR …) AND NOT jsonPayload.parentInsertId:* AND NOT httpRequest.userAgent:"Cloud-CDN-Google"`.
/// With the pixel on Cloud Run, the first two conditions are `resource.type="cloud_run_revision" AND
/// resource.labels.service_name="pixel"`.
#[derive(Debug)]
struct Filter {
    front: FrontKind,
    /// Decoded, in lower case. Empty matches every path.
    paths: Vec<String>,
}

impl LogSink {
    /// Publishes requests of these paths, which that part of the topology has logged, to `topic`.
    pub fn new(front: FrontKind, paths: &PixelPaths, topic: Topic, stats: TopologyStats) -> Self {
        let paths = paths.iter().map(|path| String::from_utf8_lossy(path.decoded()).to_lowercase()).collect();
        Self { filter: Filter { front, paths }, topic, stats }
    }

    /// Publishes the entry if the filter matches.
    pub fn export(&self, entry: &Value) {
        if !self.filter.matches(entry) {
            return self.stats.record_excluded();
        }
        let timestamp = entry["timestamp"].as_str().map(|timestamp| (TIMESTAMP.to_owned(), timestamp.to_owned()));
        self.topic.publish(entry.to_string().into(), Attributes::from_iter(timestamp));
    }
}

impl Filter {
    /// The `:` operator of the query language matches a substring, ignoring case
    /// (<https://cloud.google.com/logging/docs/view/logging-query-language#comparisons>).
    fn matches(&self, entry: &Value) -> bool {
        let (resource, request) = (&entry["resource"], &entry["httpRequest"]);
        let lower = |value: &Value| value.as_str().map(str::to_lowercase);
        // Decoded, because the paths are: an encoded path has several spellings.
        let url = request["requestUrl"].as_str().map(|url| String::from_utf8_lossy(&percent::decode(url)).to_lowercase());
        let is_of_cdn = !entry["jsonPayload"]["parentInsertId"].is_null()
            || lower(&request["userAgent"]).is_some_and(|agent| agent.contains("cloud-cdn-google"));
        let (label, name) = self.front.resource_label();
        !is_of_cdn
            && resource["type"] == self.front.resource_type()
            && resource["labels"][label] == name
            && (self.paths.is_empty() || url.is_some_and(|url| self.paths.iter().any(|path| url.contains(path))))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_filter_matches_resource_url_map_and_path() {
        let entry = |kind: &str, url_map: &str, url: &str| json!({"resource": {"type": kind, "labels": {"url_map_name": url_map}}, "httpRequest": {"requestUrl": url}});
        let filter = Filter { front: FrontKind::LoadBalancer, paths: vec!["/pixel.png".to_owned()] };
        for (kind, url_map, url, expected) in [
            ("http_load_balancer", "pixel", "http://h/pixel.png?a=b", true),
            ("http_load_balancer", "pixel", "http://h/PIXEL.png", true),
            ("http_load_balancer", "pixel", "http://h/other?ref=/pixel.png", true),
            ("http_load_balancer", "pixel", "http://h/favicon.ico", false),
            ("http_load_balancer", "shop", "http://h/pixel.png", false),
            ("cloud_run_revision", "pixel", "http://h/pixel.png", false),
        ] {
            assert_eq!(filter.matches(&entry(kind, url_map, url)), expected, "{kind} {url_map} {url}");
        }
        let with = |name: &str, value: Value| {
            let mut entry = entry("http_load_balancer", "pixel", "http://h/pixel.png");
            *entry.pointer_mut(name).unwrap() = value;
            entry
        };
        assert!(filter.matches(&with("/httpRequest", json!({"requestUrl": "http://h/pixel.png", "userAgent": "Mozilla/5.0"}))));
        for name in ["Cloud-CDN-Google", "cloud-cdn-google (GFE/2.0)"] {
            assert!(!filter.matches(&with("/httpRequest", json!({"requestUrl": "http://h/pixel.png", "userAgent": name}))), "{name}");
        }
        let mut validation = entry("http_load_balancer", "pixel", "http://h/pixel.png");
        validation["jsonPayload"] = json!({"parentInsertId": "1"});
        assert!(!filter.matches(&validation));
        assert!(Filter { front: FrontKind::LoadBalancer, paths: Vec::new() }.matches(&entry("http_load_balancer", "pixel", "http://h/")));
        assert!(!filter.matches(&json!({"textPayload": "hello"})));
    }
}
