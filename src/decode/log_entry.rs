//! The wire type of one Cloud Logging entry, as any of Google's load balancers writes it.
//!
//! Shape: <https://cloud.google.com/logging/docs/reference/v2/rest/v2/LogEntry> and
//! [HttpRequest](https://cloud.google.com/logging/docs/reference/v2/rest/v2/LogEntry#HttpRequest).
//! Only the members below are read. `jsonPayload` (`@type`, `statusDetails`) and `resource` are
//! ignored on purpose: they differ between the classic, global, regional and internal load
//! balancers and are absent from some real entries, so that nothing may depend on them.

use serde::Deserialize;

use super::json::{Object, Scalar};

/// A log entry. All members are optional, because real entries lack every one of them at times.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct LogEntry<'a> {
    /// `projects/P/logs/requests`, or a regional or internal load balancer's log.
    #[serde(borrow)]
    pub log_name: Scalar<'a>,
    /// Unique within log and timestamp. An entry can be exported twice with the same one.
    #[serde(borrow)]
    pub insert_id: Scalar<'a>,
    /// RFC 3339 with up to nine digits of fraction: when the request arrived.
    #[serde(borrow)]
    pub timestamp: Scalar<'a>,
    /// RFC 3339: when Cloud Logging received the entry.
    #[serde(borrow)]
    pub receive_timestamp: Scalar<'a>,
    /// `projects/P/traces/T`. Regional load balancers write none.
    #[serde(borrow)]
    pub trace: Scalar<'a>,
    /// The request itself.
    #[serde(borrow)]
    pub http_request: Option<Object<HttpRequest<'a>>>,
}

/// The request that the load balancer answered. Empty members are left out by the sender.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct HttpRequest<'a> {
    #[serde(borrow)]
    pub request_method: Scalar<'a>,
    /// Scheme, host, path and query as the client sent them: not decoded, not even well formed.
    #[serde(borrow)]
    pub request_url: Scalar<'a>,
    #[serde(borrow)]
    pub status: Scalar<'a>,
    #[serde(borrow)]
    pub user_agent: Scalar<'a>,
    /// With a port from regional load balancers.
    #[serde(borrow)]
    pub remote_ip: Scalar<'a>,
    #[serde(borrow)]
    pub referer: Scalar<'a>,
    /// Seconds with a trailing `s`: `0.002317s`.
    #[serde(borrow)]
    pub latency: Scalar<'a>,
    /// Left out unless true.
    #[serde(borrow)]
    pub cache_hit: Scalar<'a>,
}
