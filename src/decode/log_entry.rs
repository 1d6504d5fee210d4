//! The wire type of one Cloud Logging entry of a load balancer.
//!
//! Shape: <https://cloud.google.com/logging/docs/reference/v2/rest/v2/LogEntry> and
//! [HttpRequest](https://cloud.google.com/logging/docs/reference/v2/rest/v2/LogEntry#HttpRequest).
//! Only the members below are read. The rest of `jsonPayload` (`@type`, `statusDetails`) and `resource` are ignored on
//! purpose: they differ between the classic, global, regional and internal load balancers, and some real entries lack
//! them.

use serde::Deserialize;

use super::json::{Object, ObjectOrOther, Scalar};

/// A log entry. All members are optional: for each of them there are real entries without it.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct LogEntry<'a> {
    /// `projects/P/logs/requests`, or a regional or internal load balancer's log.
    #[serde(borrow)]
    pub log_name: Scalar<'a>,
    /// Unique within log and timestamp. An entry can be exported twice with the same one.
    #[serde(borrow)]
    pub insert_id: Scalar<'a>,
    /// The time of the request: RFC 3339 with up to nine digits of fraction.
    #[serde(borrow)]
    pub timestamp: Scalar<'a>,
    /// The time at which Cloud Logging received the entry: RFC 3339.
    #[serde(borrow)]
    pub receive_timestamp: Scalar<'a>,
    /// `projects/P/traces/T`. Regional load balancers omit it.
    #[serde(borrow)]
    pub trace: Scalar<'a>,
    /// The request itself.
    #[serde(borrow)]
    pub http_request: Option<Object<HttpRequest<'a>>>,
    /// Entries of other products can have any value here.
    #[serde(borrow)]
    pub json_payload: ObjectOrOther<JsonPayload<'a>>,
}

/// The load balancer's own members of an entry.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct JsonPayload<'a> {
    /// The `insertId` of the visitor's request for which Cloud CDN made this one.
    #[serde(borrow)]
    pub parent_insert_id: Scalar<'a>,
}

/// The request that the load balancer answered. The sender omits empty members.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct HttpRequest<'a> {
    #[serde(borrow)]
    pub request_method: Scalar<'a>,
    /// Scheme, host, path and query as the client sent them: not decoded, and possibly malformed.
    #[serde(borrow)]
    pub request_url: Scalar<'a>,
    #[serde(borrow)]
    pub status: Scalar<'a>,
    #[serde(borrow)]
    pub user_agent: Scalar<'a>,
    /// Regional load balancers add a port.
    #[serde(borrow)]
    pub remote_ip: Scalar<'a>,
    #[serde(borrow)]
    pub referer: Scalar<'a>,
    /// Seconds with a trailing `s`: `0.002317s`.
    #[serde(borrow)]
    pub latency: Scalar<'a>,
    /// The sender omits it unless it is true.
    #[serde(borrow)]
    pub cache_hit: Scalar<'a>,
}
