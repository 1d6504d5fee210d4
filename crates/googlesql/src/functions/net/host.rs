//! NET.HOST, NET.PUBLIC_SUFFIX, NET.REG_DOMAIN: parts of a URL as it is written, valid or not.

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

/// What stands where RFC 3986 has the host. Without `//` the text begins with it, so that of
/// `mailto:…` it is `mailto`, as documented. Dots around it are not part of it.
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

/// `http:`, say.
fn is_scheme(text: &str) -> bool {
    let Some(name) = text.strip_suffix(':') else { return false };
    name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name.chars().all(|letter| letter.is_ascii_alphanumeric() || "+-.".contains(letter))
}

/// The host's public suffix and so many labels before it, as they are written; none if the host has
/// not so many, or is an address, or the suffix list does not know its end.
fn labels_from_suffix(url: &str, more: usize) -> Option<String> {
    let host = host(url)?;
    let lower = host.to_lowercase();
    let suffix = psl::suffix(lower.as_bytes()).filter(psl::Suffix::is_known)?;
    let count = suffix.as_bytes().split(|byte| *byte == b'.').count() + more;
    let labels: Vec<&str> = host.split('.').collect();
    let kept = labels.len().checked_sub(count).map(|skipped| &labels[skipped..])?;
    (!kept.iter().any(|label| label.is_empty())).then(|| kept.join("."))
}
