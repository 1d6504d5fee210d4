//! Log entries and push bodies.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

/// The user of most tests: a MongoDB ObjectId.
pub const USER: &str = "507f1f77bcf86cd799439011";

/// A log entry of a load balancer. Each has its own insertId.
#[derive(Debug, Clone)]
pub struct Entry(pub Value);

impl Entry {
    /// The entry of a `GET /pixel.png?QUERY` on 2 January 2026.
    pub fn of_query(query: &str) -> Self {
        Self::of_url(&format!("https://track.example.com/pixel.png?{query}"))
    }

    /// The entry of a GET of this URL.
    pub fn of_url(url: &str) -> Self {
        Self(json!({
            "httpRequest": {
                "requestMethod": "GET", "requestUrl": url, "status": 200, "userAgent": "Mozilla/5.0",
                "referer": "https://www.example.com/", "remoteIp": "203.0.113.7", "latency": "0.002317s", "cacheHit": true,
            },
            "insertId": std::iter::repeat_with(|| fastrand::digit(36)).take(14).collect::<String>(),
            "logName": "projects/test-project/logs/requests",
            "receiveTimestamp": "2026-01-02T03:04:06.118270453Z",
            "resource": {"type": "http_load_balancer", "labels": {"url_map_name": "pixel"}},
            "severity": "INFO",
            "timestamp": "2026-01-02T03:04:05.402197Z",
            "trace": "projects/test-project/traces/0123456789abcdef0123456789abcdef",
        }))
    }

    /// Reads tests/fixtures/entries/NAME.json.
    pub fn of_fixture(name: &str) -> Self {
        Self(serde_json::from_str(&fixture(&format!("entries/{name}.json"))).unwrap())
    }

    /// Replaces the value at the JSON pointer. `null` is a value, too.
    pub fn with(mut self, pointer: &str, value: Value) -> Self {
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        self.0.pointer_mut(parent).unwrap()[name] = value;
        self
    }

    /// Removes the member at the JSON pointer.
    pub fn without(mut self, pointer: &str) -> Self {
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        self.0.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(name);
        self
    }

    /// The body of a wrapped push. The message has its own id.
    pub fn pushed(&self) -> String {
        wrapped(self.0.to_string().as_bytes(), &fastrand::u64(..).to_string())
    }

    /// The entry's JSON.
    pub fn json(&self) -> String {
        self.0.to_string()
    }
}

/// A file of tests/fixtures.
pub fn fixture(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A wrapped push of `data` as Pub/Sub sends it.
pub fn wrapped(data: &[u8], message_id: &str) -> String {
    json!({
        "message": {
            "attributes": {"logging.googleapis.com/timestamp": "2026-01-02T03:04:05.402197Z"},
            "data": STANDARD.encode(data),
            "messageId": message_id, "message_id": message_id,
            "publishTime": "2026-01-02T03:04:07.5Z", "publish_time": "2026-01-02T03:04:07.5Z",
        },
        "subscription": "projects/test-project/subscriptions/pixel-push",
    })
    .to_string()
}
