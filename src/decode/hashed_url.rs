//! Removes ids from URLs, for columns such as `request_url` and `referer`.
//!
//! A URL can name the parameter in more ways than its own: `user_id[]`, `user.id` and ` user_id` are `user_id` for some
//! servers, `amp;user_id` for a mail program, and the parameter of another URL can be the value of a parameter. So a
//! parameter is dropped if its name resembles that of a hashed attribute, if its value assigns one (`x;user_id=1`), or if
//! it contains an id of this request. Texts are compared after percent-decoding until nothing is left to decode.

use std::borrow::Cow;

use url::form_urlencoded;

use super::attributes::without_amp;
use super::hashed_ids::HashedIds;
use super::percent;
use super::row::MAX_ROW_BYTES;

/// A text that is encoded more often is taken for an id.
const MAX_ENCODINGS: usize = 8;
/// Ids with fewer characters are part of too many other texts.
const MIN_CONTAINED_ID: usize = 4;
/// A longer text is taken for an id: a copy of it, which takes memory, is compared. No URL is longer.
const MAX_COMPARED_BYTES: usize = 1 << 20;
/// Ids of one request that are compared with its other texts. With more, each other text is taken for an id.
const MAX_COMPARED_IDS: usize = 100;
/// Characters between the name of a parameter and its `=`, as in `user_id[]`.
const MAX_NAME_TAIL: usize = 40;

/// The ids of one request in the clear, as [`plain`] text.
#[derive(Debug, Clone, Default)]
pub struct ClearIds(Vec<String>);

impl ClearIds {
    pub(super) fn add(&mut self, id: &str) {
        if self.0.len() <= MAX_COMPARED_IDS {
            self.0.extend(plain(id).filter(|id| !id.is_empty()));
        }
    }

    /// Whether a text that is [`plain`] is or contains one of the ids.
    fn are_in(&self, text: &str) -> bool {
        self.0.len() > MAX_COMPARED_IDS
            || self.0.iter().any(|id| text == id || (id.chars().count() >= MIN_CONTAINED_ID && text.contains(id.as_str())))
    }
}

impl HashedIds {
    /// A URL with hashes in place of ids, without `sig`, fragment, and everything else that may contain an id.
    pub fn hide_in_url<'u>(&self, url: &'u str, clear: &ClearIds) -> Cow<'u, str> {
        let url = url.split_once('#').map_or(url, |(before_fragment, _)| before_fragment);
        let (location, query) = url.split_once('?').map_or((url, None), |(location, query)| (location, Some(query)));
        let location = self.hide_in_path(location, clear);
        let Some(query) = query else { return location.into() };
        let mut hidden = String::with_capacity(url.len());
        hidden.push_str(location);
        let mut separator = '?';
        for pair in query.split('&').filter_map(|pair| self.hide_in_pair(pair, clear)) {
            hidden.push(separator);
            hidden.push_str(&pair);
            separator = '&';
            // The row is refused because of its length.
            if hidden.len() > MAX_ROW_BYTES {
                break;
            }
        }
        hidden.into()
    }

    /// A path, or a URL without query, up to the first segment that may contain an id.
    pub fn hide_in_path<'u>(&self, path: &'u str, clear: &ClearIds) -> &'u str {
        let (mut end, rest) = after_host(path);
        if self.is_assigned_in(&path[..end]) {
            return "";
        }
        for segment in rest.split_inclusive('/') {
            if self.may_contain_id(segment.trim_end_matches('/'), clear) {
                return &path[..end];
            }
            end += segment.len();
        }
        path
    }

    /// Whether a value of another parameter assigns a value to a hashed attribute.
    pub(super) fn is_assigned_in(&self, value: &str) -> bool {
        plain(value).is_none_or(|text| self.names().any(|name| assigns(&text, &name.to_lowercase())))
    }

    fn hide_in_pair<'u>(&self, pair: &'u str, clear: &ClearIds) -> Option<Cow<'u, str>> {
        let Some((name, value)) = form_urlencoded::parse(pair.as_bytes()).next() else { return Some(pair.into()) };
        if name.eq_ignore_ascii_case("sig") {
            return None;
        }
        if self.names().any(|of| without_amp(&name).eq_ignore_ascii_case(of)) {
            let spelling = pair.split_once('=').map_or(pair, |(spelling, _)| spelling);
            return Some(format!("{spelling}={}", self.hash(&value)).into());
        }
        let is_other = self.is_other_attribute(&name);
        let is_hidden = if is_other { self.is_assigned_in(&value) } else { self.resembles(&name) || self.may_contain_id(pair, clear) };
        (!is_hidden).then(|| pair.into())
    }

    /// Whether a server may read a parameter of this name as a hashed attribute.
    fn resembles(&self, name: &str) -> bool {
        let Some(name) = plain(name) else { return true };
        let underscored = |text: &str| text.chars().map(|c| if c.is_alphanumeric() { c } else { '_' }).collect::<String>();
        let whole = underscored(&name);
        self.names().map(str::to_lowercase).any(|of| {
            let has_word = words(&name, &of).next().is_some();
            has_word || whole.trim_matches('_') == underscored(&of).trim_matches('_')
        })
    }

    fn may_contain_id(&self, text: &str, clear: &ClearIds) -> bool {
        plain(text).is_none_or(|text| clear.are_in(&text) || self.names().any(|name| assigns(&text, &name.to_lowercase())))
    }
}

/// The position after scheme and host of a URL, and the rest; 0 for a path. The host is not an id.
fn after_host(url: &str) -> (usize, &str) {
    let is_scheme = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric());
    let end = match url.split_once("://") {
        Some((scheme, rest)) if is_scheme(scheme) => rest.find('/').map_or(url.len(), |slash| url.len() - rest.len() + slash),
        _ => 0,
    };
    (end, &url[end..])
}

/// The text in lower case, decoded until nothing is left to decode; `None` if it is encoded too often, or too long.
fn plain(text: &str) -> Option<String> {
    if text.len() > MAX_COMPARED_BYTES {
        return None;
    }
    let mut text = text.replace('+', " ");
    for _ in 0..=MAX_ENCODINGS {
        let decoded = String::from_utf8_lossy(&percent::decode(&text)).replace('+', " ");
        if decoded == text {
            return Some(text.to_lowercase());
        }
        text = decoded;
    }
    None
}

/// Whether the text has `name=` or `name:`, also with brackets, blanks or the like before the sign.
fn assigns(text: &str, name: &str) -> bool {
    words(text, name).any(|rest| {
        let sign = rest.chars().take(MAX_NAME_TAIL).find(|c| matches!(c, '=' | ':' | '&' | '?' | '/' | ';'));
        matches!(sign, Some('=' | ':'))
    })
}

/// What follows each occurrence of the word.
fn words<'t>(text: &'t str, word: &str) -> impl Iterator<Item = &'t str> {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(word).filter_map(move |(at, found)| {
        let after = &text[at + found.len()..];
        let is_word = !text[..at].ends_with(is_part) && !after.starts_with(is_part);
        (is_word && !found.is_empty()).then_some(after)
    })
}
