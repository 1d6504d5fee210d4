//! TABLE_SUFFIX: different values never share a table.
//!
//! Input: a character chooses the time; lines are the template and three values; the rest is the fourth value.

#![no_main]

use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;
use pixel_pipeline::decode::attributes::ValidAttributes;
use pixel_pipeline::decode::table_suffix::{Match, SuffixTemplate};
use pixel_pipeline_fuzz::fields::Fields;
use pixel_pipeline_fuzz::rows;

const TIMES: [&str; 6] = [
    "2026-01-02T23:59:59.999Z",
    "1970-01-01T00:00:00Z",
    "0001-01-01T00:00:00Z",
    "9999-12-30T22:00:00Z",
    "2026-12-31T12:00:00.000000001Z",
    "-000009-03-04T05:06:07Z",
];

fuzz_target!(|input: &[u8]| {
    let mut fields = Fields(input);
    let time: Timestamp = TIMES[fields.choice() % TIMES.len()].parse().expect("a time");
    let (text, a, b, c, d) = (fields.line(), fields.line(), fields.line(), fields.line(), fields.rest());
    let attributes = ValidAttributes::parse("a,b").expect("names");
    let template = match SuffixTemplate::parse(&text, &attributes, "pixel") {
        Ok(template) => template,
        Err(error) => return assert!(!error.to_string().is_empty()),
    };
    let render = |one: &str, other: &str| template.render(|index| Some(if index == 0 { one } else { other }), time);
    let named: Vec<usize> = template.attributes().collect();
    let lacks = |one: &str, other: &str| named.iter().copied().find(|index| [one, other][*index].is_empty());
    let (one, other) = (render(&a, &b), render(&c, &d));
    assert_eq!(
        (one.as_ref().err(), other.as_ref().err()),
        (lacks(&a, &b).as_ref(), lacks(&c, &d).as_ref()),
        "an empty value counts as missing"
    );
    let (Ok(one), Ok(other)) = (one, other) else { return };
    rows::check_suffix(&one, "pixel");
    rows::check_suffix(&other, "pixel");
    let is_same = named.iter().all(|index| [(&a, &c), (&b, &d)][*index].0 == [(&a, &c), (&b, &d)][*index].1);
    assert_eq!(one == other, is_same, "{one} {other}");
    if text == "_{a}_{date}" {
        check_default(&a, one.as_str(), time);
    }
    {
        let values = [a.as_ref(), b.as_ref()];
        let by_both = |suffix: &str| template.matches(suffix, |index| vec![values[index].to_owned()]);
        let by_a = |suffix: &str| template.matches(suffix, |index| if index == 0 { vec![values[0].to_owned()] } else { Vec::new() });
        assert_ne!(by_both(one.as_str()), Match::None, "{one} is its own");
        assert_ne!(by_a(one.as_str()), Match::None, "{one} is its own");
        assert_ne!(template.matches(one.as_str(), |_| Vec::new()), Match::Certain, "nothing is known");
        // `forget` deletes tables that match with certainty.
        assert!(by_a(other.as_str()) != Match::Certain || a == c, "{other} is not {a}'s");
        assert!(by_both(other.as_str()) != Match::Certain || is_same, "{other} is not theirs");
    }
});

/// Parses a suffix by the documented rules.
fn check_default(value: &str, suffix: &str, time: Timestamp) {
    let (field, day) = suffix.strip_prefix('_').and_then(|rest| rest.rsplit_once('_')).expect("two fields");
    let date = time.to_string().replace('-', "");
    assert!(time < Timestamp::UNIX_EPOCH || day == &date[..8], "{day}");
    if value.len() <= 64 && value.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        assert_eq!(field, value, "an id stays as it is");
    }
    assert!(field.len() <= 64, "{field}");
    if let Some(digest) = field.strip_prefix("__h") {
        assert!(digest.len() == 40 && digest.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let length: usize = value.bytes().map(|byte| if byte.is_ascii_alphanumeric() { 1 } else { 4 }).sum();
        assert!(length > 64, "{value} is not too long");
        return;
    }
    let mut pieces = field.split("__");
    let mut bytes = pieces.next().unwrap_or_default().as_bytes().to_vec();
    for piece in pieces {
        let (digits, rest) = piece.split_at(2);
        bytes.push(u8::from_str_radix(digits, 16).expect("two digits"));
        bytes.extend_from_slice(rest.as_bytes());
    }
    assert_eq!(bytes, value.as_bytes(), "{field}");
}
