//! The token in a request's headers: `Authorization: Bearer TOKEN`, RFC 6750 section 2.1.

use axum::http::HeaderMap;

use crate::ack::UnauthorizedReason;

/// Pub/Sub's tokens have less than 1 KiB. Longer values are rejected unread.
const MAX_HEADER_VALUE_BYTES: usize = 4096;
/// With both headers, Cloud Run checks this one and passes the other on unchanged:
/// <https://cloud.google.com/run/docs/authenticating/service-to-service>.
const SERVERLESS: &str = "x-serverless-authorization";

/// The party that verifies the token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CheckedBy {
    CloudRun,
    Us,
}

/// The token. Two tokens are rejected: only one of them would have been verified.
pub fn bearer(headers: &HeaderMap, checked_by: CheckedBy) -> Result<&str, UnauthorizedReason> {
    let name = match checked_by {
        CheckedBy::CloudRun if headers.contains_key(SERVERLESS) => SERVERLESS,
        CheckedBy::CloudRun | CheckedBy::Us => "authorization",
    };
    let mut values = headers.get_all(name).iter();
    let value = values.next().ok_or(UnauthorizedReason::NoToken)?;
    if values.next().is_some() || value.len() > MAX_HEADER_VALUE_BYTES {
        return Err(UnauthorizedReason::Malformed);
    }
    let (scheme, token) = value.to_str().ok().and_then(|value| value.split_once(' ')).ok_or(UnauthorizedReason::Malformed)?;
    // Credentials of another scheme are not a malformed token.
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(UnauthorizedReason::NoToken);
    }
    match token.trim_matches(' ') {
        "" => Err(UnauthorizedReason::NoToken),
        token => Ok(token),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().fold(HeaderMap::new(), |mut headers, (name, value)| {
            headers.append(*name, value.parse().unwrap());
            headers
        })
    }

    #[test]
    fn the_token_follows_its_scheme() {
        for (value, expected) in [
            ("Bearer a.b.c", Ok("a.b.c")),
            ("bearer a.b.c", Ok("a.b.c")),
            ("BEARER   a.b.c ", Ok("a.b.c")),
            ("Bearer", Err(UnauthorizedReason::Malformed)),
            ("Bearer  ", Err(UnauthorizedReason::NoToken)),
            ("Basic YTpi", Err(UnauthorizedReason::NoToken)),
            ("a.b.c", Err(UnauthorizedReason::Malformed)),
            ("", Err(UnauthorizedReason::Malformed)),
        ] {
            assert_eq!(bearer(&headers(&[("authorization", value)]), CheckedBy::Us), expected, "{value:?}");
        }
        assert_eq!(bearer(&HeaderMap::new(), CheckedBy::Us), Err(UnauthorizedReason::NoToken));
        let long = format!("Bearer {}", "a".repeat(MAX_HEADER_VALUE_BYTES));
        assert_eq!(bearer(&headers(&[("authorization", &long)]), CheckedBy::Us), Err(UnauthorizedReason::Malformed));
    }

    #[test]
    fn two_tokens_are_rejected() {
        let two = headers(&[("authorization", "Bearer a"), ("authorization", "Bearer b")]);
        assert_eq!(bearer(&two, CheckedBy::Us), Err(UnauthorizedReason::Malformed));
    }

    /// Otherwise an authorized caller of Cloud Run could add the claims of another one.
    #[test]
    fn the_token_that_cloud_run_has_verified_is_read() {
        let both = headers(&[("authorization", "Bearer forged"), ("x-serverless-authorization", "Bearer checked")]);
        assert_eq!(bearer(&both, CheckedBy::CloudRun), Ok("checked"));
        assert_eq!(bearer(&both, CheckedBy::Us), Ok("forged"), "Cloud Run's header is ignored where the service verifies");
        assert_eq!(bearer(&headers(&[("authorization", "Bearer a")]), CheckedBy::CloudRun), Ok("a"));
    }
}
