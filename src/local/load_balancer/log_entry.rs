//! The log entry of a request.
//!
//! Members and their spelling are those of real entries of a classic load balancer with a backend
//! bucket: `cacheHit`, `referer` and the like are left out where they would be false or empty,
//! 64-bit numbers are strings, the bucket's name is omitted, and only an answer that came from the
//! bucket has a `serverIp` (<https://cloud.google.com/cdn/docs/logging>).

use axum::http::header::{HOST, USER_AGENT};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::URL_MAP;
use super::cdn::CacheResult;
use crate::local::request_log::{LoggedRequest, head_size, random_span, random_trace};

/// Address of the server behind the bucket, from the documentation block (RFC 3849).
const SERVER_IP: &str = "2001:db8:6a10:7598::";
/// The project of the bucket's servers, which is Google's.
const BACKEND_PROJECT: &str = "projects/123456789012";
/// Why the CDN stored the answer. Real entries have the same list on hit and miss.
const CACHE_DECISION: [&str; 6] = [
    "RESPONSE_HAS_CACHE_CONTROL",
    "RESPONSE_CACHE_CONTROL_PUBLIC",
    "RESPONSE_HAS_ETAG",
    "RESPONSE_HAS_LAST_MODIFIED",
    "RESPONSE_HAS_CONTENT_TYPE",
    "CACHE_MODE_CACHE_ALL_STATIC",
];

/// A request and its answer, and how the cache treated it.
#[derive(Debug)]
pub(crate) struct CachedRequest<'a> {
    pub(crate) request: LoggedRequest<'a>,
    pub(crate) cache: CacheResult,
}

impl CachedRequest<'_> {
    /// An entry of `projects/PROJECT/logs/requests`. `cache_id` identifies the CDN location.
    pub(crate) fn log_entry(&self, project: &str, cache_id: &str) -> Value {
        json!({
            "httpRequest": self.http_request(),
            "insertId": std::iter::repeat_with(|| fastrand::digit(36)).take(14).collect::<String>(),
            "jsonPayload": self.payload(cache_id),
            "logName": format!("projects/{project}/logs/requests"),
            "receiveTimestamp": Timestamp::now().to_string(),
            "resource": {
                "labels": {
                    "backend_service_name": "", "forwarding_rule_name": URL_MAP, "project_id": project,
                    "target_proxy_name": URL_MAP, "url_map_name": URL_MAP, "zone": "global",
                },
                "type": "http_load_balancer",
            },
            "severity": if self.request.status.as_u16() < 400 { "INFO" } else { "WARNING" },
            "spanId": random_span(),
            "timestamp": self.request.timestamp().to_string(),
            "trace": random_trace(project),
        })
    }

    /// The entry of the request by which Cloud CDN validates its copy after this one, whose entry is `parent`. It has the
    /// visitor's URL and address, but no header of the visitor.
    pub(crate) fn validation_entry(&self, parent: &Value, project: &str, cache_id: &str) -> Value {
        let mut headers = HeaderMap::from_iter([(USER_AGENT, HeaderValue::from_static("Cloud-CDN-Google (GFE/2.0)"))]);
        headers.extend(self.request.headers.get(HOST).map(|host| (HOST, host.clone())));
        let request = LoggedRequest {
            headers: &headers,
            status: StatusCode::NOT_MODIFIED,
            response_size: head_size(StatusCode::NOT_MODIFIED, &HeaderMap::new()),
            received: Timestamp::now(),
            ..self.request
        };
        let validation = CachedRequest { request, cache: CacheResult::Bypassed };
        let mut entry = validation.log_entry(project, cache_id);
        entry["jsonPayload"]["parentInsertId"] = parent["insertId"].clone();
        entry
    }

    fn http_request(&self) -> Map<String, Value> {
        let mut request = self.request.http_request();
        let mut put = |name: &str, value: Value| drop(request.insert(name.to_owned(), value));
        if self.cache != CacheResult::Bypassed {
            put("cacheLookup", json!(true));
        }
        match self.cache {
            CacheResult::Hit | CacheResult::StaleHit => put("cacheHit", json!(true)),
            CacheResult::Filled => put("cacheFillBytes", json!(self.request.response_size.to_string())),
            CacheResult::Missed | CacheResult::Bypassed => {}
        }
        if !self.cache.is_hit() {
            put("serverIp", json!(SERVER_IP));
        }
        request
    }

    fn payload(&self, cache_id: &str) -> Value {
        let mut payload = json!({
            "@type": "type.googleapis.com/google.cloud.loadbalancing.type.LoadBalancerLogEntry",
            "backendTargetProjectNumber": BACKEND_PROJECT,
            "cacheId": cache_id,
            "remoteIp": self.request.remote_ip.to_string(),
            "statusDetails": if self.cache.is_hit() { "response_from_cache" } else { "response_sent_by_backend" },
        });
        if self.cache.is_hit() || self.cache == CacheResult::Filled {
            payload["cacheDecision"] = json!(CACHE_DECISION);
        }
        payload
    }
}
