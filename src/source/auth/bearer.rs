//! The token in a request's headers: `Authorization: Bearer TOKEN`, RFC 6750 section 2.1.

use axum::http::HeaderMap;

use crate::ack::UnauthorizedReason;

/// Pub/Sub's tokens have less than 1 KiB. What is longer is not looked into.
const LONGEST: usize = 4096;
/// Where both are there, Cloud Run checks this one and lets the other pass as it came:
/// <https://cloud.google.com/run/docs/authenticating/service-to-service>.
const SERVERLESS: &str = "x-serverless-authorization";

/// Whose check a token has to stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CheckedBy {
    CloudRun,
    Us,
}

/// The token. Two of them are as bad as none: only one would have been checked.
pub(crate) fn bearer(headers: &HeaderMap, checked_by: CheckedBy) -> Result<&str, UnauthorizedReason> {
    let name = match checked_by {
        CheckedBy::CloudRun if headers.contains_key(SERVERLESS) => SERVERLESS,
        CheckedBy::CloudRun | CheckedBy::Us => "authorization",
    };
    let mut values = headers.get_all(name).iter();
    let value = values.next().ok_or(UnauthorizedReason::NoToken)?;
    if values.next().is_some() || value.len() > LONGEST {
        return Err(UnauthorizedReason::Malformed);
    }
    let (scheme, token) = value.to_str().ok().and_then(|value| value.split_once(' ')).ok_or(UnauthorizedReason::Malformed)?;
    // Another scheme's credentials are not a token of ours that is broken.
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
    fn a_token_stands_behind_its_scheme() {
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
        let long = format!("Bearer {}", "a".repeat(LONGEST));
        assert_eq!(bearer(&headers(&[("authorization", &long)]), CheckedBy::Us), Err(UnauthorizedReason::Malformed));
    }

    #[test]
    fn of_two_tokens_neither_counts() {
        let two = headers(&[("authorization", "Bearer a"), ("authorization", "Bearer b")]);
        assert_eq!(bearer(&two, CheckedBy::Us), Err(UnauthorizedReason::Malformed));
    }

    /// Else a caller whom Cloud Run lets in could put another's claims beside its own.
    #[test]
    fn the_token_that_cloud_run_has_checked_is_the_one_that_is_read() {
        let both = headers(&[("authorization", "Bearer forged"), ("x-serverless-authorization", "Bearer checked")]);
        assert_eq!(bearer(&both, CheckedBy::CloudRun), Ok("checked"));
        assert_eq!(bearer(&both, CheckedBy::Us), Ok("forged"), "who checks it here does not go by Cloud Run's header");
        assert_eq!(bearer(&headers(&[("authorization", "Bearer a")]), CheckedBy::CloudRun), Ok("a"));
    }
}
