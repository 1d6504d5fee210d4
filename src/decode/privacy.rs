//! What the operator decides about visitors: what of them is kept, and whose events are not.
//!
//! All of it is about rows. A dead letter keeps the message as it came, because it could not be replayed otherwise:
//! who may read the dead-letter table reads addresses and ids. So it is with whatever stands before the service
//! (the log, an archive of it, the topic).

use std::borrow::Cow;

use url::form_urlencoded;

use super::hashed_ids::HashedIds;
use super::remote_ip::IpAnonymization;

/// IP_ANONYMIZATION, HASH_USER_IDS, HASH_ATTRIBUTES and RESPECT_OPT_OUT.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Privacy {
    pub remote_ip: IpAnonymization,
    pub hashed_ids: Option<HashedIds>,
    pub respect_opt_out: bool,
}

impl Default for Privacy {
    fn default() -> Self {
        Self { remote_ip: IpAnonymization::default(), hashed_ids: None, respect_opt_out: true }
    }
}

impl Privacy {
    /// Whether the event is of somebody who does not want to be tracked, and is not to be.
    pub fn forbids(&self, query: &str) -> bool {
        self.respect_opt_out && asks_not_to_be_tracked(query)
    }

    /// A URL as it may be stored.
    pub fn url<'u>(&self, url: &'u str) -> Cow<'u, str> {
        self.hashed_ids.as_ref().map_or(url.into(), |ids| ids.hide_in_url(url))
    }
}

/// Whether a parameter `dnt` or `gpc` says so: `navigator.doNotTrack` is `1` or `yes`, and
/// `navigator.globalPrivacyControl` is `true`. Case does not matter, and one that says so is enough.
fn asks_not_to_be_tracked(query: &str) -> bool {
    query.split('&').any(|pair| {
        let is = |text: &str, one_of: &[&str]| one_of.iter().any(|word| text.trim().eq_ignore_ascii_case(word));
        let names = |text: &str| is(text, &["dnt", "gpc"]);
        // Most names need no decoding to tell.
        let name = pair.split_once('=').map_or(pair, |(name, _)| name);
        if !name.contains(['%', '+']) && !names(name) {
            return false;
        }
        let pair = form_urlencoded::parse(pair.as_bytes()).next();
        pair.is_some_and(|(name, value)| names(&name) && is(&value, &["1", "true", "yes"]))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_opt_out_is_heard_however_it_is_spelt() {
        for query in [
            "dnt=1",
            "gpc=1",
            "a=1&gpc=1&b",
            "DNT=1",
            "Gpc=TRUE",
            "dnt=yes",
            "%64nt=%31",
            "d%6Et=1",
            "dnt=0&dnt=1",
            "dnt=+1",
            "+dnt=1",
            "gpc+=1",
            "%20dnt=1",
        ] {
            assert!(asks_not_to_be_tracked(query), "{query}");
        }
        for query in
            ["", "dnt", "dnt=", "dnt=0", "gpc=0", "gpc=false", "dnt=11", "dnt=unspecified", "adnt=1", "dnt%3D1", "x=dnt=1", "1=dnt"]
        {
            assert!(!asks_not_to_be_tracked(query), "{query}");
        }
    }

    #[test]
    fn it_is_respected_unless_told_otherwise() {
        assert!(Privacy::default().forbids("gpc=1"));
        assert!(!Privacy { respect_opt_out: false, ..Privacy::default() }.forbids("gpc=1"));
    }
}
