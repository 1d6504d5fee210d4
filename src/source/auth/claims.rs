//! The claims of a token. Pure: the time is an argument.
//!
//! `jsonwebtoken` checks `iss` and `aud` by [`validation`]. `exp`, `iat` and `nbf` are checked here: the library reads
//! the system's clock, so that no test could choose the time, rounds fractions, and knows one leeway that includes its
//! bound for `exp`.
//!
//! Members: <https://developers.google.com/identity/openid-connect/openid-connect#an-id-tokens-payload>.
//! `azp` and `sub` are ignored.

use jiff::Timestamp;
use jsonwebtoken::{Algorithm, Validation};
use serde::Deserialize;
use serde_json::Value;

use crate::ack::UnauthorizedReason;

/// Maximum difference between this clock and Google's, in seconds.
const LEEWAY: f64 = 10.0;
/// Google writes either.
const ISSUERS: [&str; 2] = ["https://accounts.google.com", "accounts.google.com"];

/// Claims of any JSON type. A missing claim is null.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Claims {
    aud: Value,
    email: Value,
    email_verified: Value,
    exp: Value,
    iat: Value,
    iss: Value,
    nbf: Value,
}

/// What `jsonwebtoken` checks of a token for that audience.
pub fn validation(audience: &str) -> Validation {
    let mut validation = Validation::new(Algorithm::RS256);
    validation.set_audience(&[audience]);
    validation.set_issuer(&ISSUERS);
    validation.set_required_spec_claims(&["aud", "iss"]);
    validation.validate_exp = false;
    validation
}

impl Claims {
    /// Whether `aud` and `iss` are single values. `jsonwebtoken` accepts lists that contain the expected value.
    pub fn check_types(&self) -> Result<(), UnauthorizedReason> {
        if self.aud.is_string() && self.iss.is_string() { Ok(()) } else { Err(UnauthorizedReason::Claims) }
    }

    /// The end of the token's validity, in seconds of the epoch, if it is valid now.
    pub fn check_times(&self, now: Timestamp) -> Result<f64, UnauthorizedReason> {
        let now = now.as_duration().as_secs_f64();
        let exp = self.exp.as_f64().ok_or(UnauthorizedReason::Claims)?;
        if exp + LEEWAY <= now {
            return Err(UnauthorizedReason::Expired);
        }
        // Google always writes `iat`. Both are optional.
        for from in [&self.iat, &self.nbf] {
            match from {
                Value::Null => {}
                from if from.as_f64().ok_or(UnauthorizedReason::Claims)? - LEEWAY > now => return Err(UnauthorizedReason::NotYetValid),
                _ => {}
            }
        }
        Ok(exp)
    }

    /// Whether `aud` is that audience, compared exactly.
    pub fn check_audience(&self, audience: &str) -> Result<(), UnauthorizedReason> {
        match self.aud.as_str() {
            Some(aud) if aud == audience => Ok(()),
            Some(_) => Err(UnauthorizedReason::Audience),
            None => Err(UnauthorizedReason::Claims),
        }
    }

    /// Whether `email` is that account, compared exactly, and verified.
    pub fn check_account(&self, account: &str) -> Result<(), UnauthorizedReason> {
        match (self.email.as_str(), self.email_verified.as_bool()) {
            (Some(email), Some(true)) if email == account => Ok(()),
            (Some(_), Some(_)) => Err(UnauthorizedReason::Account),
            _ => Err(UnauthorizedReason::Claims),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NOW: i64 = 1_800_000_000;

    fn claims(change: Value) -> Claims {
        let mut claims =
            json!({"iss": "https://accounts.google.com", "aud": "a", "email": "e", "email_verified": true, "exp": NOW + 60, "iat": NOW});
        claims.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        serde_json::from_value(claims).unwrap()
    }

    fn at_now(change: Value) -> Result<f64, UnauthorizedReason> {
        claims(change).check_times(Timestamp::from_second(NOW).unwrap())
    }

    #[test]
    fn clocks_may_differ_by_ten_seconds() {
        for (change, expected) in [
            (json!({}), Ok((NOW + 60) as f64)),
            (json!({"exp": NOW - 9}), Ok((NOW - 9) as f64)),
            (json!({"exp": NOW - 10}), Err(UnauthorizedReason::Expired)),
            (json!({"exp": 0}), Err(UnauthorizedReason::Expired)),
            (json!({"exp": -1e300}), Err(UnauthorizedReason::Expired)),
            (json!({"iat": NOW + 10}), Ok((NOW + 60) as f64)),
            (json!({"iat": NOW + 11}), Err(UnauthorizedReason::NotYetValid)),
            (json!({"nbf": NOW + 11}), Err(UnauthorizedReason::NotYetValid)),
            (json!({"nbf": NOW}), Ok((NOW + 60) as f64)),
        ] {
            assert_eq!(at_now(change.clone()), expected, "{change}");
        }
    }

    #[test]
    fn a_claim_of_another_type_counts_as_missing() {
        for change in [json!({"exp": "2000000000"}), json!({"exp": null}), json!({"iat": "now"}), json!({"nbf": []})] {
            assert_eq!(at_now(change.clone()), Err(UnauthorizedReason::Claims), "{change}");
        }
        for iss in [json!(null), json!(["https://accounts.google.com"]), json!(1)] {
            assert_eq!(claims(json!({"iss": iss})).check_types(), Err(UnauthorizedReason::Claims), "{iss}");
        }
        for aud in [json!(null), json!(["a"]), json!({"a": 1})] {
            assert_eq!(claims(json!({"aud": aud})).check_types(), Err(UnauthorizedReason::Claims), "{aud}");
            assert_eq!(claims(json!({"aud": aud})).check_audience("a"), Err(UnauthorizedReason::Claims), "{aud}");
        }
        for change in [json!({"email": null}), json!({"email": ["e"]}), json!({"email_verified": null}), json!({"email_verified": "true"})]
        {
            assert_eq!(claims(change.clone()).check_account("e"), Err(UnauthorizedReason::Claims), "{change}");
        }
    }

    #[test]
    fn audience_and_account_are_compared_exactly() {
        for other in ["A", "a ", "a/", ""] {
            assert_eq!(claims(json!({"aud": other})).check_audience("a"), Err(UnauthorizedReason::Audience), "{other:?}");
            assert_eq!(claims(json!({"email": other})).check_account("e"), Err(UnauthorizedReason::Account), "{other:?}");
        }
        assert_eq!(claims(json!({"email_verified": false})).check_account("e"), Err(UnauthorizedReason::Account));
        let iss = validation("a").iss.unwrap();
        assert!(iss.contains("accounts.google.com") && iss.contains("https://accounts.google.com") && iss.len() == 2);
    }
}
