//! A URL is signed and verified, and verified again with one changed byte in the query.
//!
//! Input: two characters choose the byte and its new value; the rest is the URL.

#![no_main]

use libfuzzer_sys::fuzz_target;
use pixel_pipeline::decode::FilterReason;
use pixel_pipeline::decode::request_url::RequestUrl;
use pixel_pipeline::decode::signature::{SignatureMode, Signatures, SigningKeys};
use pixel_pipeline_fuzz::decoders::{SIGNING_KEYS, signing_keys};
use pixel_pipeline_fuzz::fields::Fields;
use url::form_urlencoded;

fuzz_target!(|input: &[u8]| {
    let mut fields = Fields(input);
    let (at, with) = (fields.choice(), fields.choice());
    let url = fields.rest();
    let require = Signatures { keys: signing_keys(), mode: SignatureMode::Require };
    let mark = Signatures { mode: SignatureMode::Mark, ..require.clone() };
    let check = |query: &str| {
        let verdict = require.check(query);
        assert_eq!(mark.check(query), Ok(verdict == Ok(true)), "{query}");
        verdict
    };
    // A generated URL has no valid signature.
    let query = RequestUrl::new(&url).query;
    let claims = form_urlencoded::parse(query.as_bytes()).any(|(name, _)| name == "sig");
    assert_eq!(check(query), Err(if claims { FilterReason::BadSignature } else { FilterReason::Unsigned }), "{query}");
    // A signed URL is valid, by the older key too, and signing changes nothing else.
    let signed = require.keys.sign(&url);
    let signed_query = RequestUrl::new(&signed).query;
    assert_eq!(check(signed_query), Ok(true), "{signed}");
    assert_eq!(require.keys.sign(&signed), signed, "signed once more");
    let (_, older) = SIGNING_KEYS.split_once(',').expect("two keys");
    let by_older = SigningKeys::parse(older).expect("a key").sign(&url);
    assert_eq!(check(RequestUrl::new(&by_older).query), Ok(true), "{by_older}");
    assert_eq!(sorted(signed_query), sorted(query), "{signed}");
    let (before, after) = (RequestUrl::new(&url), RequestUrl::new(&signed));
    assert_eq!((before.host, before.path), (after.host, after.path), "{signed}");
    // A changed URL is valid only if its parameters are the same.
    let mut bytes = signed_query.as_bytes().to_vec();
    let at = at * bytes.len() / 256;
    bytes[at] = with as u8;
    if let Ok(changed) = std::str::from_utf8(&bytes) {
        let digits = |query: &str| {
            let all: Vec<String> = form_urlencoded::parse(query.as_bytes())
                .filter(|(name, _)| name == "sig")
                .map(|(_, digits)| digits.to_ascii_lowercase())
                .collect();
            all
        };
        let says_the_same = sorted(changed) == sorted(signed_query) && digits(changed) == digits(signed_query);
        assert_eq!(check(changed) == Ok(true), says_the_same, "{changed}");
    }
});

/// All parameters except the signature, sorted by name; the order of equal names is kept.
fn sorted(query: &str) -> Vec<(String, String)> {
    let pairs = form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name != "sig");
    let mut pairs: Vec<_> = pairs.map(|(name, value)| (name.into_owned(), value.into_owned())).collect();
    pairs.sort_by(|(one, _), (other, _)| one.cmp(other));
    pairs
}
