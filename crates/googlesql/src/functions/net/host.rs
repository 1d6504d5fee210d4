//! NET.HOST, NET.PUBLIC_SUFFIX and NET.REG_DOMAIN. The URL does not have to be valid.

use super::super::Function;
use super::super::adapter::scalar;
use super::super::column::Text;
use super::super::overload::Overload;

pub(crate) fn functions() -> Vec<(&'static str, Function)> {
    vec![
        scalar("net.host", vec![Overload::unary::<Text, Text, _>(|url| host(url).map(str::to_owned))]),
        scalar("net.public_suffix", vec![Overload::unary::<Text, Text, _>(|url| labels_from_suffix(url, 0))]),
        scalar("net.reg_domain", vec![Overload::unary::<Text, Text, _>(|url| labels_from_suffix(url, 1))]),
    ]
}

/// Returns the host by RFC 3986. A URL without `//` begins with the host: the reference documents
/// `mailto` for `mailto:…`. Leading and trailing dots are removed.
fn host(url: &str) -> Option<&str> {
    let url = url.trim();
    let rest = match url.split_once("//") {
        Some((scheme, rest)) if scheme.is_empty() || is_scheme(scheme) => rest,
        _ => url,
    };
    let authority = &rest[..rest.find(['/', '?', '#']).unwrap_or(rest.len())];
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let host = match host.strip_prefix('[').and_then(|inner| inner.find(']')) {
        Some(end) => &host[..end + 2],
        None => host.split(':').next().unwrap_or(host),
    };
    let host = host.trim_matches('.');
    (!host.is_empty()).then_some(host)
}

/// Whether the text is a scheme with its colon, such as `http:`.
fn is_scheme(text: &str) -> bool {
    let Some(name) = text.strip_suffix(':') else { return false };
    name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name.chars().all(|letter| letter.is_ascii_alphanumeric() || "+-.".contains(letter))
}

/// Returns the public suffix with this number of labels before it. None if the host has fewer labels,
/// is an address, or has no known suffix.
fn labels_from_suffix(url: &str, extra: usize) -> Option<String> {
    let host = host(url)?;
    let lower_host = host.to_lowercase();
    let suffix = psl::suffix(lower_host.as_bytes()).filter(psl::Suffix::is_known)?;
    let count = suffix.as_bytes().split(|byte| *byte == b'.').count() + extra;
    let labels: Vec<&str> = host.split('.').collect();
    let selected = labels.len().checked_sub(count).map(|skipped| &labels[skipped..])?;
    (!selected.iter().any(|label| label.is_empty())).then(|| selected.join("."))
}
