//! What a token says of itself. Pure: the time comes in from outside.
//!
//! Members: <https://developers.google.com/identity/openid-connect/openid-connect#an-id-tokens-payload>.
//! Those that are not read: `azp`, `sub`.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::jwt;
use crate::ack::UnauthorizedReason;

/// How far our clock and Google's may be apart, in seconds.
const SKEW: f64 = 10.0;
/// Google writes either.
const ISSUERS: [&str; 2] = ["https://accounts.google.com", "accounts.google.com"];

/// A token's claims, of whatever type they are there. A claim that is not there is null.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Claims {
    aud: Value,
    email: Value,
    email_verified: Value,
    exp: Value,
    iat: Value,
    iss: Value,
    nbf: Value,
}

impl Claims {
    /// From the payload of a token.
    pub(crate) fn read(payload: &str) -> Result<Self, UnauthorizedReason> {
        jwt::read(payload)
    }

    /// Whether it is Google's and valid now. Says until when it is, in seconds of the epoch.
    pub(crate) fn is_valid(&self, now: Timestamp) -> Result<f64, UnauthorizedReason> {
        let now = now.as_duration().as_secs_f64();
        let exp = self.exp.as_f64().ok_or(UnauthorizedReason::Claims)?;
        if exp + SKEW <= now {
            return Err(UnauthorizedReason::Expired);
        }
        // Google always says when it was issued. It need not, nor need it say from when on it is valid.
        for from in [&self.iat, &self.nbf] {
            match from {
                Value::Null => {}
                from if from.as_f64().ok_or(UnauthorizedReason::Claims)? - SKEW > now => return Err(UnauthorizedReason::NotYetValid),
                _ => {}
            }
        }
        match self.iss.as_str() {
            Some(issuer) if ISSUERS.contains(&issuer) => Ok(exp),
            Some(_) => Err(UnauthorizedReason::Issuer),
            None => Err(UnauthorizedReason::Claims),
        }
    }

    /// Whether it was made for that audience, letter by letter. Pub/Sub names one.
    pub(crate) fn is_for(&self, audience: &str) -> Result<(), UnauthorizedReason> {
        match self.aud.as_str() {
            Some(aud) if aud == audience => Ok(()),
            Some(_) => Err(UnauthorizedReason::Audience),
            None => Err(UnauthorizedReason::Claims),
        }
    }

    /// Whether it is that account's.
    pub(crate) fn is_of(&self, account: &str) -> Result<(), UnauthorizedReason> {
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
        claims(change).is_valid(Timestamp::from_second(NOW).unwrap())
    }

    #[test]
    fn clocks_may_differ_by_ten_seconds_and_no_more() {
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
    fn a_claim_of_another_type_is_as_good_as_missing() {
        for change in [json!({"exp": "2000000000"}), json!({"exp": null}), json!({"iat": "now"}), json!({"nbf": []}), json!({"iss": 1})] {
            assert_eq!(at_now(change.clone()), Err(UnauthorizedReason::Claims), "{change}");
        }
        for aud in [json!(null), json!(["a"]), json!({"a": 1})] {
            assert_eq!(claims(json!({"aud": aud})).is_for("a"), Err(UnauthorizedReason::Claims), "{aud}");
        }
        for change in [json!({"email": null}), json!({"email": ["e"]}), json!({"email_verified": null}), json!({"email_verified": "true"})]
        {
            assert_eq!(claims(change.clone()).is_of("e"), Err(UnauthorizedReason::Claims), "{change}");
        }
    }

    #[test]
    fn audience_account_and_issuer_are_compared_exactly() {
        for other in ["A", "a ", "a/", ""] {
            assert_eq!(claims(json!({"aud": other})).is_for("a"), Err(UnauthorizedReason::Audience), "{other:?}");
            assert_eq!(claims(json!({"email": other})).is_of("e"), Err(UnauthorizedReason::Account), "{other:?}");
        }
        assert_eq!(claims(json!({"email_verified": false})).is_of("e"), Err(UnauthorizedReason::Account));
        assert!(at_now(json!({"iss": "accounts.google.com"})).is_ok());
        for other in ["http://accounts.google.com", "https://accounts.google.com/", "accounts.google.com.example.com", ""] {
            assert_eq!(at_now(json!({"iss": other})), Err(UnauthorizedReason::Issuer), "{other:?}");
        }
    }
}
