//! The trace of a request. Cloud Logging groups log lines by it.
//!
//! Headers: <https://www.w3.org/TR/trace-context/#traceparent-header> and
//! <https://cloud.google.com/trace/docs/trace-context#legacy-http-header>.

use axum::http::HeaderMap;

/// A trace id of 32 hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceId(String);

impl TraceId {
    /// From `traceparent`, else from `X-Cloud-Trace-Context`.
    pub fn of(headers: &HeaderMap) -> Option<Self> {
        let header = |name| headers.get(name).and_then(|value| value.to_str().ok());
        let from_w3c = || header("traceparent").and_then(|value| value.split('-').nth(1)).filter(|id| is_trace_id(id));
        let from_google = || header("x-cloud-trace-context").and_then(|value| value.split(['/', ';']).next()).filter(|id| is_trace_id(id));
        from_w3c().or_else(from_google).map(|id| Self(id.to_ascii_lowercase()))
    }

    /// The digits.
    pub fn into_string(self) -> String {
        self.0
    }
}

fn is_trace_id(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|b| b.is_ascii_hexdigit()) && text.bytes().any(|b| b != b'0')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_trace_is_read_from_either_header() {
        for (name, value, expected) in [
            ("traceparent", "00-5e7f0c3c1c6e4f5e9f6a0c7b1d2e3f40-112210f47de98115-01", Some("5e7f0c3c1c6e4f5e9f6a0c7b1d2e3f40")),
            ("x-cloud-trace-context", "5E7F0C3C1C6E4F5E9F6A0C7B1D2E3F40/1234567890123456789;o=1", Some("5e7f0c3c1c6e4f5e9f6a0c7b1d2e3f40")),
            ("x-cloud-trace-context", "5e7f0c3c1c6e4f5e9f6a0c7b1d2e3f40", Some("5e7f0c3c1c6e4f5e9f6a0c7b1d2e3f40")),
            ("traceparent", "00-00000000000000000000000000000000-112210f47de98115-01", None),
            ("traceparent", "<script>", None),
        ] {
            let headers = HeaderMap::from_iter([(name.parse().unwrap(), value.parse().unwrap())]);
            assert_eq!(TraceId::of(&headers).map(TraceId::into_string).as_deref(), expected, "{value}");
        }
    }
}
