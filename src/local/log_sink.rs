//! The log sink: selects the log entries to publish.
//!
//! It stands between the load balancer's log and the topic. Its filter is the one that `commands.txt` passes to
//! `gcloud logging sinks create`: resource type, URL map, and the pixel's path anywhere in the URL. The service filters
//! more precisely: for example, a `HEAD` request, or a URL with the path in its query, passes the sink and is filtered by
//! the service.

use serde_json::Value;

use super::pubsub::{Attributes, Topic};
use super::stats::TopologyStats;

/// Name of the URL map. Log entries also use it as the name of forwarding rule and target proxy.
pub(crate) const URL_MAP: &str = "pixel";
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
/// httpRequest.requestUrl:(PATH OR …)`.
#[derive(Debug)]
struct Filter {
    /// In lower case. Empty matches every path.
    paths: Vec<String>,
}

impl LogSink {
    /// Publishes requests of these paths to `topic`; of every path if `paths` is empty.
    pub fn new(paths: &[String], topic: Topic, stats: TopologyStats) -> Self {
        Self { filter: Filter { paths: paths.iter().map(|path| path.to_lowercase()).collect() }, topic, stats }
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
        let resource = &entry["resource"];
        let url = entry["httpRequest"]["requestUrl"].as_str().map(str::to_lowercase);
        resource["type"] == "http_load_balancer"
            && resource["labels"]["url_map_name"] == URL_MAP
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
        let filter = Filter { paths: vec!["/pixel.png".to_owned()] };
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
        assert!(Filter { paths: Vec::new() }.matches(&entry("http_load_balancer", "pixel", "http://h/")));
        assert!(!filter.matches(&json!({"textPayload": "hello"})));
    }
}
