//! Host, path and query of `httpRequest.requestUrl`, as slices of it.
//!
//! `url::Url` is not used: it rejects URLs with an invalid host, whose query can still be read (a real scanner requests
//! `http://[::bad/pixel.png?user_id=1`). [`super::attributes`] reads the query with `form_urlencoded` of the crate `url`.

/// The parts of a request's URL. No part is decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestUrl<'a> {
    /// Without user information and port. Empty if the URL has none.
    pub host: &'a str,
    /// Begins with `/`, unless the URL has neither scheme nor host. Never empty.
    pub path: &'a str,
    /// Between the first `?` and the fragment. Empty if there is none.
    pub query: &'a str,
}

impl<'a> RequestUrl<'a> {
    /// Splits `url`. Any text can be split, so this cannot fail.
    pub fn new(url: &'a str) -> Self {
        let url = url.split_once('#').map_or(url, |(before_fragment, _)| before_fragment);
        let (location, query) = url.split_once('?').unwrap_or((url, ""));
        let (authority, path) = match location.split_once("//") {
            Some((scheme, rest)) if scheme.is_empty() || scheme.ends_with(':') => {
                rest.find('/').map_or((rest, "/"), |slash| rest.split_at(slash))
            }
            _ if location.is_empty() => ("", "/"),
            _ => ("", location),
        };
        Self { host: host_of(authority), path, query }
    }
}

fn host_of(authority: &str) -> &str {
    let host = authority.rsplit_once('@').map_or(authority, |(_user, host)| host);
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) && !name.is_empty() => name,
        _ => host,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(url: &str) -> (&str, &str, &str) {
        let RequestUrl { host, path, query } = RequestUrl::new(url);
        (host, path, query)
    }

    #[test]
    fn urls_are_split_into_host_path_and_query() {
        assert_eq!(parts("https://t.example.com/pixel.png?a=1&b=2"), ("t.example.com", "/pixel.png", "a=1&b=2"));
        assert_eq!(parts("https://t.example.com:443/pixel.png"), ("t.example.com", "/pixel.png", ""));
        assert_eq!(parts("http://u:p@h:80?x"), ("h", "/", "x"));
        assert_eq!(parts("http://[2001:db8::1]:80/p?x"), ("[2001:db8::1]", "/p", "x"));
        assert_eq!(parts("http://[2001:db8::1]/p?x"), ("[2001:db8::1]", "/p", "x"));
    }

    #[test]
    fn the_query_is_read_if_the_host_is_invalid_or_missing() {
        assert_eq!(parts("http://[::bad/pixel.png?user_id=1"), ("[::bad", "/pixel.png", "user_id=1"));
        assert_eq!(parts("http:///pixel.png?a"), ("", "/pixel.png", "a"));
        assert_eq!(parts("/pixel.png?a"), ("", "/pixel.png", "a"));
        assert_eq!(parts("?a"), ("", "/", "a"));
        assert_eq!(parts(""), ("", "/", ""));
    }

    #[test]
    fn the_query_ends_at_the_fragment() {
        assert_eq!(parts("https://h/p?a=1#b=2?c"), ("h", "/p", "a=1"));
        assert_eq!(parts("https://h/p#?a=1"), ("h", "/p", ""));
    }

    #[test]
    fn the_query_begins_at_the_first_question_mark() {
        assert_eq!(parts("https://h/p?a=b?c=//d"), ("h", "/p", "a=b?c=//d"));
    }
}
