//! From a message to the insertAll request body, with every setting and every column type.
//!
//! Input: two characters choose the settings and the template, and one the signature and the encoding of the message; two
//! lines are the visitor's address and the referer; the rest is the query.

#![no_main]

use std::collections::{BTreeSet, HashMap};
use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use libfuzzer_sys::fuzz_target;
use pixel_pipeline::decode::message::MessageData;
use pixel_pipeline::decode::signature::SignatureMode;
use pixel_pipeline::decode::{Decoded, Decoder, EventId, FilterReason, PubsubMessage, RejectReason, Row};
use pixel_pipeline::sink::InsertRow;
use pixel_pipeline::sink::insert_body::InsertBody;
use pixel_pipeline_fuzz::decoders::{Options, TEMPLATES, attributes, hashed_ids, now, signing_keys, without_amp};
use pixel_pipeline_fuzz::fields::Fields;
use pixel_pipeline_fuzz::rows;
use serde_json::{Map, Value, json};
use url::form_urlencoded;

const SETTINGS: usize = 72;
/// An id that no generated query contains by chance.
const MARKER: &str = "Zq8xKw3vTt5";

static DECODERS: LazyLock<Vec<Decoder>> = LazyLock::new(|| {
    let all = (0..SETTINGS).flat_map(|settings| (0..TEMPLATES.len()).map(move |template| (settings, template)));
    all.map(|(settings, template)| Options::of(settings, template).decoder()).collect()
});

fuzz_target!(|input: &[u8]| {
    let mut fields = Fields(input);
    let (settings, template, how) = (fields.choice() % SETTINGS, fields.choice() % TEMPLATES.len(), fields.choice());
    let (address, referer, query) = (fields.line(), fields.line(), fields.rest());
    let options = Options::of(settings, template);
    let decoder = &DECODERS[settings * TEMPLATES.len() + template];
    // The fragment is not part of the query.
    let query = query.split('#').next().unwrap_or_default();
    let query = if how & 1 == 1 { format!("user_id={MARKER}&{query}") } else { query.to_owned() };
    let mut url = format!("https://track.example.com/pixel.png?{query}");
    let is_signed = how & 2 == 2;
    if is_signed {
        url = signing_keys().sign(&url);
    }
    let entry = json!({
        "httpRequest": {"requestUrl": url, "remoteIp": address, "referer": referer, "status": 200, "latency": "0.5s"},
        "insertId": "1", "logName": "l", "timestamp": "2026-01-02T00:00:00Z",
    })
    .to_string();
    let data = if how & 4 == 4 { MessageData::Raw(entry.as_bytes().into()) } else { MessageData::Base64(STANDARD.encode(&entry).into()) };
    let message = PubsubMessage { data, ..PubsubMessage::raw(b"") };
    let decoded = decoder.decode(&message, now());
    assert_eq!(decoder.decode(&message, now()), decoded, "decoding is deterministic");
    let event_id = EventId::of_entry("l", "", "2026-01-02T00:00:00Z".parse().ok(), "1");
    assert_eq!(outcome(&decoded), expected(&options, &url, is_signed), "{options:?} {url}");
    match decoded {
        Decoded::Row(row) => {
            assert_eq!(row.event_id, event_id);
            let columns = rows::check(&row, options.schema(), entry.len());
            check_columns(&columns, &options, &query);
            if options.hashes {
                check_hashed(&row, &query, &referer);
            }
            check_body(&row, &columns);
            let names = attributes();
            let left_out = &names.names()[query.len() % names.names().len()];
            check_without(decoder, &message, left_out, columns);
        }
        Decoded::Rejected(rejected) => {
            assert_eq!((rejected.event_id, rejected.column.as_deref()), (event_id, Some("i")));
            assert!(rejected.detail.len() < 100, "{}", rejected.detail);
        }
        Decoded::Filtered(_) => {}
    }
});

#[derive(Debug, PartialEq)]
enum Outcome {
    Row,
    Filtered(FilterReason),
    Rejected(RejectReason),
}

fn outcome(decoded: &Decoded) -> Outcome {
    match decoded {
        Decoded::Row(_) => Outcome::Row,
        Decoded::Filtered(reason) => Outcome::Filtered(*reason),
        Decoded::Rejected(rejected) => Outcome::Rejected(rejected.reason),
    }
}

/// The expected outcome, computed with the `url` crate only.
fn expected(options: &Options, url: &str, is_signed: bool) -> Outcome {
    let query = url.split_once('?').map_or("", |(_, query)| query);
    let pairs: Vec<_> = form_urlencoded::parse(query.as_bytes()).collect();
    let says = |text: &str, words: &[&str]| words.iter().any(|word| text.trim().eq_ignore_ascii_case(word));
    if options.respects_opt_out
        && pairs.iter().any(|(name, value)| says(without_amp(name.trim()), &["dnt", "gpc"]) && says(value, &["1", "true", "yes"]))
    {
        return Outcome::Filtered(FilterReason::OptedOut);
    }
    if options.signatures == Some(SignatureMode::Require) && !is_signed {
        // A generated query has no valid signature.
        let claims = pairs.iter().any(|(name, _)| name == "sig");
        return Outcome::Filtered(if claims { FilterReason::BadSignature } else { FilterReason::Unsigned });
    }
    let escaped = |name: &str| pairs.iter().find(|(of, _)| without_amp(of) == name);
    let first = |name: &str| pairs.iter().find(|(of, _)| of == name).or_else(|| escaped(name)).map(|(_, value)| value.as_ref());
    let named = TEMPLATES[options.template].split(['{', '}']).skip(1).step_by(2).filter(|field| !field.starts_with("date"));
    if named.into_iter().any(|name| first(name).is_none_or(str::is_empty)) {
        return Outcome::Filtered(FilterReason::MissingAttribute);
    }
    if options.strict && first("i").is_none_or(|value| value.parse::<i64>().is_err()) {
        return Outcome::Rejected(RejectReason::RequiredColumn);
    }
    Outcome::Row
}

/// Every attribute is in its column or in `invalid_attributes`.
fn check_columns(columns: &Map<String, Value>, options: &Options, query: &str) {
    let mut values: HashMap<String, Vec<String>> = HashMap::new();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        values.entry(name.into_owned()).or_default().push(value.into_owned());
    }
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        let plain = without_amp(&name);
        if plain != name && !form_urlencoded::parse(query.as_bytes()).any(|(of, _)| of == plain) {
            values.entry(plain.to_owned()).or_default().push(value.into_owned());
        }
    }
    let invalid: Vec<&str> =
        columns.get("invalid_attributes").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
    for name in attributes().names() {
        let Some(sent) = values.get(name) else {
            assert!(!columns.contains_key(name) && !invalid.contains(&name.as_str()), "{name} is not in {query}");
            continue;
        };
        let stored = columns.get(name);
        assert!(stored.is_some() || invalid.contains(&name.as_str()), "{name} of {query} is neither stored nor listed as invalid");
        let hashed = options.hashes && hashed_ids().names().any(|of| of == name);
        match stored {
            Some(Value::Array(stored)) => {
                assert!(stored.len() <= sent.len() && (stored.len() == sent.len() || invalid.contains(&name.as_str())))
            }
            Some(Value::String(stored)) if matches!(name.as_str(), "s" | "user_id") => {
                let hash = hashed_ids().hash(&sent[0]);
                // A value that assigns an id is hashed, too.
                let is_right = *stored == hash && options.hashes || *stored == sent[0] && !hashed;
                assert!(is_right, "the first value of {name} is stored");
            }
            _ => {}
        }
    }
    assert!(
        columns
            .keys()
            .chain(invalid.iter().map(|name| name.to_owned().to_owned()).collect::<Vec<_>>().iter())
            .all(|name| name != "nothing")
    );
}

/// The row does not contain the marker id, unless another part of the query contains it.
fn check_hashed(row: &Row, query: &str, referer: &str) {
    let Some((marked, rest)) = query.split_once('&') else { return };
    let decoded = |text: &str| form_urlencoded::parse(text.as_bytes()).flat_map(|(name, value)| [name, value]).collect::<String>();
    let says_it = |text: &str| text.contains(MARKER) || decoded(text).contains(MARKER);
    if marked != format!("user_id={MARKER}") || says_it(rest) || says_it(referer) {
        return;
    }
    assert!(!String::from_utf8_lossy(&row.json).contains(MARKER), "{}", String::from_utf8_lossy(&row.json));
    assert!(!row.suffix.as_str().contains(MARKER), "{}", row.suffix);
}

/// A row for a table that lacks a column has all other columns, and names this one if it has a value.
fn check_without(decoder: &Decoder, message: &PubsubMessage<'_>, left_out: &String, mut columns: Map<String, Value>) {
    let decoded = decoder.decode_without(std::slice::from_ref(left_out), message, now());
    let Decoded::Row(row) = decoded else { panic!("a row without {left_out}: {decoded:?}") };
    let mut without: Map<String, Value> = serde_json::from_slice(&row.json).expect("a row is JSON");
    let mut expected = invalid_attributes(&mut columns);
    let has_value = columns.remove(left_out).is_some() || expected.contains(left_out);
    if has_value {
        expected.insert(left_out.clone());
    }
    assert_eq!((invalid_attributes(&mut without), row.lacks_value), (expected, has_value), "{left_out}");
    assert_eq!(without, columns, "{left_out}");
}

/// Removes the names of the attributes that are not stored.
fn invalid_attributes(columns: &mut Map<String, Value>) -> BTreeSet<String> {
    let names = columns.remove("invalid_attributes");
    names.iter().filter_map(Value::as_array).flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// The request body is JSON, and its row equals the decoded row.
fn check_body(row: &Row, columns: &Map<String, Value>) {
    let insert = InsertRow { event_id: row.event_id, json: row.json.clone() };
    let body = InsertBody::new(&row.suffix, &[&insert, &insert]).collect::<Vec<_>>().concat();
    let body: Value = serde_json::from_slice(&body).expect("a body is JSON");
    assert_eq!(body["templateSuffix"].as_str().unwrap_or(""), row.suffix.as_str());
    for sent in body["rows"].as_array().expect("rows") {
        assert_eq!((sent["insertId"].as_str(), sent["json"].as_object()), (Some(row.event_id.as_str()), Some(columns)));
    }
}
