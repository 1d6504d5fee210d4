//! The log sink: which log entries are published, and as what.
//!
//! Between the load balancer's log and the topic. Its filter is the one that `commands.txt` gives
//! to `gcloud logging sinks create`: the load balancer by its kind and URL map, and the pixel's
//! path anywhere in the URL. That is coarser than what the service lets through, on purpose: a
//! `HEAD` request, or the path in another page's query, reaches the service and is filtered there.

use serde_json::Value;

use super::stats::Stats;
use super::pubsub::{Attributes, Topic};

/// The name of the URL map, and in the log entries of the forwarding rule and the target proxy, too.
pub(crate) const URL_MAP: &str = "pixel";
/// The only attribute of a message that Cloud Logging publishes.
const TIMESTAMP: &str = "logging.googleapis.com/timestamp";

/// Publishes the entries that its filter matches.
#[derive(Debug)]
pub struct LogSink {
    filter: Filter,
    topic: Topic,
    stats: Stats,
}

/// `resource.type="http_load_balancer" AND resource.labels.url_map_name="pixel" AND
/// httpRequest.requestUrl:(PATH OR …)`.
#[derive(Debug)]
struct Filter {
    /// In lower case; empty for any.
    paths: Vec<String>,
}

impl LogSink {
    /// Exports to `topic` what was requested of one of these paths; of any path if there is none.
    pub fn new(paths: &[String], topic: Topic, stats: Stats) -> Self {
        Self { filter: Filter { paths: paths.iter().map(|path| path.to_lowercase()).collect() }, topic, stats }
    }

    /// Publishes the entry, if it is to be.
    pub fn export(&self, entry: &Value) {
        if !self.filter.matches(entry) {
            return self.stats.record_excluded();
        }
        let timestamp = entry["timestamp"].as_str().unwrap_or_default();
        self.topic.publish(entry.to_string().into(), Attributes::from([(TIMESTAMP.to_owned(), timestamp.to_owned())]));
    }
}

impl Filter {
    /// `:` of the query language finds text anywhere, whatever its case
    /// (<https://cloud.google.com/logging/docs/view/logging-query-language#comparisons>).
    fn matches(&self, entry: &Value) -> bool {
        let resource = &entry["resource"];
        let url = entry["httpRequest"]["requestUrl"].as_str().unwrap_or_default().to_lowercase();
        resource["type"] == "http_load_balancer"
            && resource["labels"]["url_map_name"] == URL_MAP
            && (self.paths.is_empty() || self.paths.iter().any(|path| url.contains(path)))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_filter_is_that_of_the_deployment() {
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
