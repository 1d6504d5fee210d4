//! What the log entries of load balancer and Cloud Run have in common: a request and its answer.

use std::net::IpAddr;
use std::time::Duration;

use axum::http::header::{HOST, REFERER, USER_AGENT};
use axum::http::{HeaderMap, HeaderName, Method, StatusCode, Uri, Version};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

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
    pub(crate) received: Timestamp,
    pub(crate) latency: Duration,
}

impl LoggedRequest<'_> {
    /// The member `httpRequest`. What would be empty is left out, and 64-bit numbers are strings, as in real entries.
    pub(crate) fn http_request(&self) -> Map<String, Value> {
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
        request
    }

    /// The time of the request. It has microseconds; `receiveTimestamp`, which Cloud Logging adds, has nanoseconds.
    pub(crate) fn timestamp(&self) -> Timestamp {
        Timestamp::from_microsecond(self.received.as_microsecond()).unwrap_or(self.received)
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

/// The visitor's address. The servers of Google log the address of the connection. On one machine all visitors have the
/// same address, so for a loopback peer `X-Forwarded-For` is used.
pub(crate) fn remote_ip(peer: IpAddr, headers: &HeaderMap) -> IpAddr {
    let forwarded_for = || headers.get("x-forwarded-for")?.to_str().ok()?.split(',').next()?.trim().parse().ok();
    if peer.is_loopback() { forwarded_for().unwrap_or(peer) } else { peer }
}

/// A new trace id, in the form of an entry's member `trace`.
pub(crate) fn random_trace(project: &str) -> String {
    format!("projects/{project}/traces/{:032x}", fastrand::u128(1..))
}

/// A new span id.
pub(crate) fn random_span() -> String {
    format!("{:016x}", fastrand::u64(1..))
}

/// Size of an answer's status line and headers in bytes.
pub(crate) fn head_size(status: StatusCode, headers: &HeaderMap) -> usize {
    let reason = status.canonical_reason().unwrap_or_default();
    format!("{:?} {} {reason}\r\n\r\n", Version::HTTP_11, status.as_u16()).len() + size_of(headers)
}

fn size_of(headers: &HeaderMap) -> usize {
    headers.iter().map(|(name, value)| name.as_str().len() + value.len() + ": \r\n".len()).sum()
}
