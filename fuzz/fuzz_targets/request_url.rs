//! A URL: its parts, its parameters, and its form with hashed ids.

#![no_main]

use libfuzzer_sys::fuzz_target;
use pixel_pipeline::decode::Privacy;
use pixel_pipeline::decode::hashed_url::ClearIds;
use pixel_pipeline::decode::request_url::RequestUrl;
use pixel_pipeline_fuzz::decoders::{attributes, hashed_ids, without_amp};
use url::form_urlencoded;

type Pairs = Vec<(String, String)>;

fuzz_target!(|input: &[u8]| {
    let url = String::from_utf8_lossy(input);
    let RequestUrl { host, path, query } = RequestUrl::new(&url);
    check_parts(&url, host, path, query);
    check_attributes(query);
    let privacy = Privacy { hashed_ids: Some(hashed_ids()), ..Privacy::default() };
    check_hidden(query, &privacy.url(&url, &ClearIds::default()));
    assert_eq!(Privacy::default().url(&url, &ClearIds::default()), url, "without hashing a URL is unchanged");
});

fn check_parts(url: &str, host: &str, path: &str, query: &str) {
    let without_fragment = url.split('#').next().unwrap_or_default();
    assert_eq!(query, without_fragment.split_once('?').map_or("", |(_, query)| query));
    assert!(!host.contains(['/', '?', '#', '@']), "{host}");
    assert!(!path.contains(['?', '#']) && !path.is_empty(), "{path}");
    assert!(path.starts_with('/') || host.is_empty(), "{path}");
    // The `url` crate reads the same parts of a URL that it accepts.
    let usual = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~:/?&=%@".contains(&byte));
    let Some(parsed) = url::Url::parse(url).ok().filter(|parsed| usual(url) && parsed.scheme().starts_with("http") && parsed.has_host())
    else {
        return;
    };
    // `http:/host` and `http:host` are a host for a browser; a load balancer writes `//`.
    let is_written_out = url.get(parsed.scheme().len()..).is_some_and(|rest| rest.starts_with("://") && !rest.starts_with(":///"));
    let has_dots = parsed.path() != path;
    if is_written_out && !has_dots {
        assert_eq!(parsed.query().unwrap_or(""), query, "{url}");
    }
}

/// The values of every attribute, as the `url` crate reads them.
fn check_attributes(query: &str) {
    let valid = attributes();
    let all = valid.read(query, |_| true);
    let firsts = valid.read(query, |_| false);
    let pairs = pairs(query);
    for (index, name) in valid.names().iter().enumerate() {
        let called = |is_called: &dyn Fn(&str) -> bool| -> Vec<&str> {
            pairs.iter().filter(|(of, _)| is_called(of)).map(|(_, value)| value.as_str()).collect()
        };
        let plain = called(&|of| of == name);
        let expected = if plain.is_empty() { called(&|of| without_amp(of) == name) } else { plain };
        assert_eq!(all.all(index).collect::<Vec<_>>(), expected, "{name} of {query}");
        assert_eq!(firsts.first(index), expected.first().copied(), "{name} of {query}");
        assert_eq!(firsts.all(index).count(), expected.len().min(1), "{name} of {query}");
    }
}

/// Ids are hashed and the signature is removed. Other parameters are unchanged or removed.
fn check_hidden(query: &str, hidden: &str) {
    assert!(!hidden.contains('#'), "{hidden}");
    let ids = hashed_ids();
    let mut sent = pairs(query).into_iter();
    for (name, value) in pairs(hidden.split_once('?').map_or("", |(_, query)| query)) {
        assert!(!name.eq_ignore_ascii_case("sig"), "{hidden}");
        let is_hashed = ids.names().any(|of| of.eq_ignore_ascii_case(without_amp(&name)));
        let is_source = |(of, sent): &(String, String)| *of == name && if is_hashed { ids.hash(sent) == value } else { *sent == value };
        assert!(sent.any(|pair| is_source(&pair)), "{name} of {hidden}");
    }
}

fn pairs(query: &str) -> Pairs {
    form_urlencoded::parse(query.as_bytes()).map(|(name, value)| (name.into_owned(), value.into_owned())).collect()
}
