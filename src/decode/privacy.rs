//! The privacy settings: which data of visitors is stored, and whose events are not.
//!
//! They apply to rows only. A dead letter contains the unchanged message, because it could not be replayed otherwise, so
//! the dead-letter table contains addresses and ids. The log, its archives and the topic contain them, too.

use std::borrow::Cow;

use url::form_urlencoded;

use super::attributes::{Attributes, without_amp};
use super::hashed_ids::HashedIds;
use super::hashed_url::ClearIds;
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
    /// Whether the visitor has opted out and RESPECT_OPT_OUT is set.
    pub fn is_opted_out(&self, query: &str) -> bool {
        self.respect_opt_out && has_opt_out(query)
    }

    /// Whether the service itself reads the parameter: an opt-out.
    pub(super) fn reads(&self, name: &str) -> bool {
        self.respect_opt_out && is_opt_out(name)
    }

    /// Replaces ids by hashes, if ids are hashed, and returns them.
    pub(super) fn hide(&self, attributes: &mut Attributes<'_>) -> ClearIds {
        self.hashed_ids.as_ref().map(|ids| ids.hide(attributes)).unwrap_or_default()
    }

    /// The URL to store: with hashes in place of ids, if ids are hashed. `clear` are the ids of the request.
    pub fn url<'u>(&self, url: &'u str, clear: &ClearIds) -> Cow<'u, str> {
        self.hashed_ids.as_ref().map_or(url.into(), |ids| ids.hide_in_url(url, clear))
    }

    /// The same for a URL's path.
    pub(super) fn path<'u>(&self, path: &'u str, clear: &ClearIds) -> &'u str {
        self.hashed_ids.as_ref().map_or(path, |ids| ids.hide_in_path(path, clear))
    }
}

/// Whether a parameter `dnt` or `gpc` is an opt-out: `navigator.doNotTrack` is `1` or `yes`, and
/// `navigator.globalPrivacyControl` is `true`. Case is ignored, and one such parameter is enough.
fn has_opt_out(query: &str) -> bool {
    query.split('&').any(|pair| {
        // Most names contain nothing to decode.
        let name = pair.split_once('=').map_or(pair, |(name, _)| name);
        if !name.contains(['%', '+']) && !is_opt_out(name) {
            return false;
        }
        let pair = form_urlencoded::parse(pair.as_bytes()).next();
        pair.is_some_and(|(name, value)| is_opt_out(&name) && is(&value, &["1", "true", "yes"]))
    })
}

/// Whether that is the name of an opt-out, also in a URL that was escaped for HTML (`&amp;dnt=1`).
fn is_opt_out(name: &str) -> bool {
    is(without_amp(name.trim()), &["dnt", "gpc"])
}

fn is(text: &str, one_of: &[&str]) -> bool {
    let text = text.trim();
    one_of.iter().any(|word| text.eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opt_outs_are_recognized_in_any_spelling() {
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
            "a=1&amp;dnt=1",
            "a=1&AMP%3Bgpc=true",
        ] {
            assert!(has_opt_out(query), "{query}");
        }
        for query in
            ["", "dnt", "dnt=", "dnt=0", "gpc=0", "gpc=false", "dnt=11", "dnt=unspecified", "adnt=1", "dnt%3D1", "x=dnt=1", "1=dnt"]
        {
            assert!(!has_opt_out(query), "{query}");
        }
    }

    #[test]
    fn opt_outs_are_respected_by_default() {
        assert!(Privacy::default().is_opted_out("gpc=1"));
        assert!(!Privacy { respect_opt_out: false, ..Privacy::default() }.is_opted_out("gpc=1"));
    }
}
