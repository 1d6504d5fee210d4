//! The log entry of a request.
//!
//! Members and their spelling are those of real entries of a classic load balancer with a backend
//! bucket: `cacheHit`, `referer` and the like are left out where they would be false or empty,
//! 64-bit numbers are strings, the bucket's name is omitted, and only an answer that came from the
//! bucket has a `serverIp` (<https://cloud.google.com/cdn/docs/logging>).

use std::net::IpAddr;
use std::time::Duration;

use axum::http::header::{HOST, REFERER, USER_AGENT};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, Version};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::cdn::CacheResult;
use crate::local::log_sink::URL_MAP;

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

/// A request and its answer, as logged.
#[derive(Debug)]
pub(crate) struct LoggedRequest<'a> {
    pub(crate) method: &'a Method,
    pub(crate) uri: &'a Uri,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) remote_ip: IpAddr,
    pub(crate) status: StatusCode,
    /// Size of the answer, including its headers, in bytes.
    pub(crate) response_size: usize,
    pub(crate) cache: CacheResult,
    pub(crate) received: Timestamp,
    pub(crate) latency: Duration,
}

impl LoggedRequest<'_> {
    /// An entry of `projects/PROJECT/logs/requests`. `cache_id` identifies the CDN location.
    pub(crate) fn log_entry(&self, project: &str, cache_id: &str) -> Value {
        let trace = format!("{:032x}", fastrand::u128(1..));
        // `timestamp` has microseconds. `receiveTimestamp`, which Cloud Logging adds, has nanoseconds.
        let timestamp = Timestamp::from_microsecond(self.received.as_microsecond()).unwrap_or(self.received);
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
            "severity": if self.status.as_u16() < 400 { "INFO" } else { "WARNING" },
            "spanId": format!("{:016x}", fastrand::u64(1..)),
            "timestamp": timestamp.to_string(),
            "trace": format!("projects/{project}/traces/{trace}"),
        })
    }

    /// The entry of the request by which Cloud CDN validates its copy after this one, whose entry is `parent`. It has the
    /// visitor's URL and address, but no header of the visitor.
    pub(crate) fn validation_entry(&self, parent: &Value, project: &str, cache_id: &str) -> Value {
        let mut headers = HeaderMap::from_iter([(USER_AGENT, HeaderValue::from_static("Cloud-CDN-Google (GFE/2.0)"))]);
        headers.extend(self.headers.get(HOST).map(|host| (HOST, host.clone())));
        let validation = LoggedRequest {
            method: self.method,
            uri: self.uri,
            headers: &headers,
            remote_ip: self.remote_ip,
            status: StatusCode::NOT_MODIFIED,
            response_size: head_size(StatusCode::NOT_MODIFIED, &HeaderMap::new()),
            cache: CacheResult::Bypassed,
            received: Timestamp::now(),
            latency: self.latency,
        };
        let mut entry = validation.log_entry(project, cache_id);
        entry["jsonPayload"]["parentInsertId"] = parent["insertId"].clone();
        entry
    }

    fn http_request(&self) -> Map<String, Value> {
        let mut request = Map::new();
        let mut put = |name: &str, value: Value| drop(request.insert(name.to_owned(), value));
        put("requestMethod", json!(self.method.as_str()));
        put("requestUrl", json!(self.request_url()));
        put("requestSize", json!(self.request_size().to_string()));
        put("status", json!(self.status.as_u16()));
        put("responseSize", json!(self.response_size.to_string()));
        if let Some(agent) = self.header(USER_AGENT) {
            put("userAgent", json!(agent));
        }
        put("remoteIp", json!(self.remote_ip.to_string()));
        if let Some(referer) = self.header(REFERER) {
            put("referer", json!(referer));
        }
        put("latency", json!(format!("{:.6}s", self.latency.as_secs_f64())));
        if self.cache != CacheResult::Bypassed {
            put("cacheLookup", json!(true));
        }
        match self.cache {
            CacheResult::Hit | CacheResult::StaleHit => put("cacheHit", json!(true)),
            CacheResult::Filled => put("cacheFillBytes", json!(self.response_size.to_string())),
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
            "remoteIp": self.remote_ip.to_string(),
            "statusDetails": if self.cache.is_hit() { "response_from_cache" } else { "response_sent_by_backend" },
        });
        if self.cache.is_hit() || self.cache == CacheResult::Filled {
            payload["cacheDecision"] = json!(CACHE_DECISION);
        }
        payload
    }

    /// Scheme, host, path and query, as sent.
    fn request_url(&self) -> String {
        // A request through a proxy has the whole URL in its request line.
        if self.uri.authority().is_some() {
            return self.uri.to_string();
        }
        format!("http://{}{}", self.header(HOST).unwrap_or_else(|| "localhost".to_owned()), self.uri)
    }

    fn request_size(&self) -> usize {
        let line = self.method.as_str().len() + self.uri.to_string().len() + "  HTTP/1.1\r\n\r\n".len();
        line + size_of(self.headers)
    }

    /// The value of a header, unless it is absent or empty.
    fn header(&self, name: HeaderName) -> Option<String> {
        let value = self.headers.get(name)?;
        Some(String::from_utf8_lossy(value.as_bytes()).into_owned()).filter(|text| !text.is_empty())
    }
}

/// Size of an answer's status line and headers in bytes.
pub(crate) fn head_size(status: StatusCode, headers: &HeaderMap) -> usize {
    let reason = status.canonical_reason().unwrap_or_default();
    format!("{:?} {} {reason}\r\n\r\n", Version::HTTP_11, status.as_u16()).len() + size_of(headers)
}

fn size_of(headers: &HeaderMap) -> usize {
    headers.iter().map(|(name, value)| name.as_str().len() + value.len() + ": \r\n".len()).sum()
}
