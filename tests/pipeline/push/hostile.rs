//! Arbitrary and hostile URLs and bodies: the decoder does not panic, and every row is JSON.

use std::collections::HashSet;
use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use pixel_pipeline::decode::attributes::ValidAttributes;
use pixel_pipeline::decode::entry_columns::ENTRY_COLUMNS;
use pixel_pipeline::decode::table_suffix::SuffixTemplate;
use pixel_pipeline::decode::{Decoded, Decoder, Privacy, PubsubMessage, RejectReason, RequestFilter, Row, Schema, Settings};
use pixel_pipeline::source::delivery;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::support::{Entry, Service, TestBigQuery, fixture};

/// Columns of every type, NULLABLE and REPEATED, and all columns that are filled from the log entry.
fn columns() -> Value {
    let types =
        ["STRING", "INTEGER", "FLOAT", "NUMERIC", "BIGNUMERIC", "BOOLEAN", "BYTES", "TIMESTAMP", "DATE", "TIME", "DATETIME", "JSON"];
    let mut columns: Vec<Value> = ENTRY_COLUMNS.iter().map(|column| json!({"name": column.name, "type": "STRING"})).collect();
    for kind in types {
        columns.push(json!({"name": kind.to_lowercase(), "type": kind}));
        columns.push(json!({"name": format!("{}_all", kind.to_lowercase()), "type": kind, "mode": "REPEATED"}));
    }
    columns.push(json!({"name": "invalid_attributes", "type": "STRING", "mode": "REPEATED"}));
    columns.into()
}

/// The columns of attributes.
fn attributes() -> Vec<String> {
    let schema = columns();
    let names = schema.as_array().unwrap().iter().skip(ENTRY_COLUMNS.len()).map(|column| column["name"].as_str().unwrap().to_owned());
    names.filter(|name| name != "invalid_attributes").collect()
}

static DECODER: LazyLock<Decoder> = LazyLock::new(|| {
    let valid_attributes = ValidAttributes::parse(&attributes().join(",")).unwrap();
    let table_suffix = SuffixTemplate::parse("_{string}_{integer}_{date}", &valid_attributes, "pixel").unwrap();
    let settings =
        Settings { valid_attributes, table_suffix, requests: RequestFilter::default(), privacy: Privacy::default(), signatures: None };
    Decoder::new(settings, &Schema::parse(&columns().to_string()).unwrap())
});

fn check(row: &Row) -> Map<String, Value> {
    let text = std::str::from_utf8(&row.json).expect("a row is UTF-8");
    let columns: Map<String, Value> = serde_json::from_str(text).unwrap_or_else(|error| panic!("{error} in {text}"));
    assert!(row.suffix.as_str().bytes().all(|byte| byte == b'_' || byte.is_ascii_alphanumeric()), "{}", row.suffix);
    assert!(row.suffix.as_str().len() < 1000, "{}", row.suffix);
    let mut keys = HashSet::new();
    assert!(columns.keys().all(|key| keys.insert(key.to_lowercase())), "{text}");
    columns
}

/// Decodes twice, and compares the results.
fn decode(message: &PubsubMessage<'_>) -> Decoded {
    let now: Timestamp = "2026-01-02T03:04:05Z".parse().unwrap();
    let decoded = DECODER.decode(message, now);
    assert_eq!(DECODER.decode(message, now), decoded);
    if let Decoded::Row(row) = &decoded {
        check(row);
    }
    decoded
}

fn decode_entry(entry: &Entry) -> Decoded {
    decode(&PubsubMessage::raw(entry.json().as_bytes()))
}

fn row(entry: &Entry) -> Map<String, Value> {
    match decode_entry(entry) {
        Decoded::Row(row) => check(&row),
        other => panic!("no row: {other:?}"),
    }
}

/// Reads and decodes a body.
fn deliver(body: &[u8]) {
    if let Ok(message) = delivery::read_body(body) {
        decode(&message);
    }
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(|number| json!(number)),
        ".*".prop_map(Value::from),
        "[a-z]*(%[0-9A-Fa-f]{0,2}|&|=|\\+|\\?|#|;|/|:|@|\\[)*".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::vec((".{0,6}", inner), 0..4).prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// Values at the limits of types, and values that resemble our own encodings.
fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        ".*",
        "[-+]?[0-9]{0,45}\\.?[0-9]{0,45}([eE][-+]?[0-9]{1,11})?",
        "[0-9]{1,5}-[0-9]{1,2}-[0-9]{1,2}([T ][0-9]{1,2}:[0-9]{1,2}:[0-9]{1,2}(\\.[0-9]{0,10})?)?(Z| UTC|[-+][0-9]{1,2}(:[0-9]{2})?)?",
        "[0-9]{1,2}:[0-9]{1,2}:[0-9]{1,2}(\\.[0-9]{0,10})?",
        "-?[0-9]{1,20}(\\.[0-9]{1,12})?",
        "[A-Za-z0-9+/_-]{0,12}={0,2}",
        "(true|FALSE|t|y|nan|-?inf(inity)?|null|\\{\\}|\\[1,2\\]|\"\")",
        any_json().prop_map(|json| json.to_string()),
        proptest::collection::vec(any::<u8>(), 0..20).prop_map(|bytes| String::from_utf8_lossy(&bytes).into_owned()),
    ]
}

fn query(pairs: &[(usize, String)]) -> String {
    let names = attributes();
    let mut query = url::form_urlencoded::Serializer::new("string=u&integer=1".to_owned());
    for (name, value) in pairs {
        query.append_pair(&names[name % names.len()], value);
    }
    query.finish()
}

fn pairs() -> impl Strategy<Value = Vec<(usize, String)>> {
    proptest::collection::vec((any::<usize>(), value()), 0..30)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn any_bytes_are_decoded_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        deliver(&bytes);
        decode(&PubsubMessage::raw(&bytes));
    }

    #[test]
    fn any_json_is_decoded_without_panic(json in any_json()) {
        for body in [
            json.clone(),
            json!({"message": json}),
            json!({"message": {"data": json, "attributes": json, "messageId": json, "message_id": json}, "deliveryAttempt": json}),
            json!({"message": {"data": STANDARD.encode(json.to_string())}}),
            json!({"data": json, "id": json, "time": json, "context": json}),
            json!({"data": {"message": json}, "context": {"eventId": json}}),
            json!({"data_base64": STANDARD.encode(json.to_string())}),
        ] {
            deliver(body.to_string().as_bytes());
        }
    }

    #[test]
    fn truncated_and_corrupted_bodies_do_not_panic(at in any::<prop::sample::Index>(), byte in any::<u8>(), shape in 0usize..4) {
        let name = ["wrapped", "unwrapped", "event_in_structured_mode_in_base64", "background_flat"][shape];
        let mut body = fixture(&format!("deliveries/{name}.json")).into_bytes();
        deliver(&body[..at.index(body.len())]);
        let at = at.index(body.len());
        body[at] = byte;
        deliver(&body);
    }

    #[test]
    fn any_member_of_an_entry_can_have_any_value(member in 0usize..20, json in any_json()) {
        let entry = Entry::of_fixture("classic_backend_bucket_cache_hit");
        let pointers = [
            "/httpRequest", "/httpRequest/requestMethod", "/httpRequest/requestUrl", "/httpRequest/status", "/httpRequest/userAgent",
            "/httpRequest/referer", "/httpRequest/remoteIp", "/httpRequest/latency", "/httpRequest/cacheHit", "/insertId", "/logName",
            "/receiveTimestamp", "/timestamp", "/trace", "/resource", "/jsonPayload", "/severity", "/labels", "/httpRequest/x", "/spanId",
        ];
        decode_entry(&entry.with(pointers[member], json));
    }

    #[test]
    fn any_text_is_read_as_a_url(url in "([a-z]{0,5}:?//?)?[^?]{0,20}\\?.*") {
        decode_entry(&Entry::of_url(&url));
    }

    #[test]
    fn any_value_of_any_column_yields_a_row(pairs in pairs()) {
        row(&Entry::of_query(&query(&pairs)));
    }
}

/// A row that BigQuery rejects becomes a dead letter, so the decoder checks every value before.
#[tokio::test]
async fn bigquery_accepts_every_row_of_the_decoder() {
    let bigquery = TestBigQuery::with_template(columns()).await;
    let service = Service::start(&bigquery, &[("VALID_ATTRIBUTES", &attributes().join(",")), ("TABLE_SUFFIX", "")]).await;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let strategy = pairs();
    let count = 150;
    for _ in 0..count {
        let pairs = proptest::strategy::ValueTree::current(&strategy.new_tree(&mut runner).unwrap());
        let query = query(&pairs);
        assert_eq!(service.push(Entry::of_query(&query).pushed()).await.status, 204, "{query}");
    }
    let rejected: Vec<Value> = bigquery.rows("dead_letters").await.into_iter().map(|letter| letter["detail"].clone()).collect();
    assert!(rejected.is_empty(), "{rejected:?}");
    assert_eq!(bigquery.rows("pixel").await.len(), count);
}

#[test]
fn deep_json_does_not_overflow_the_stack() {
    for (open, close) in [("[", "]"), ("{\"a\":", "}"), ("{\"message\":", "}"), ("{\"data\":", "}"), ("{\"httpRequest\":", "}")] {
        for depth in [100, 1_000, 50_000] {
            let whole = format!("{}1{}", open.repeat(depth), close.repeat(depth));
            let cut = open.repeat(depth);
            for json in [&whole, &cut] {
                deliver(json.as_bytes());
                deliver(format!("{{\"message\":{{\"data\":\"{}\"}}}}", STANDARD.encode(json)).as_bytes());
                deliver(format!("{{\"data_base64\":\"{}\"}}", STANDARD.encode(json)).as_bytes());
                decode(&PubsubMessage::raw(json.as_bytes()));
            }
        }
    }
}

/// In an ignored member, and in a parameter of type JSON.
#[test]
fn deep_json_in_ignored_members_does_not_reject_an_event() {
    let deep = format!("{}1{}", "[".repeat(100), "]".repeat(100));
    let nested: Value = serde_json::from_str(&deep).unwrap();
    row(&Entry::of_query("string=u&integer=1").with("/jsonPayload", nested.clone()).with("/httpRequest/latency", nested));
    for depth in [100, 100_000] {
        let deep = format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
        row(&Entry::of_query(&format!("string=u&integer=1&json={deep}")));
    }
}

#[test]
fn a_million_parameters_are_read() {
    let mut query = "string=u&integer=1".to_owned();
    query.push_str(&"&x=1".repeat(1_000_000));
    query.push_str(&"&string_all=a".repeat(10_000));
    query.push_str("&date=2026-01-02");
    let row = row(&Entry::of_query(&query));
    assert_eq!((&row["date"], row["string_all"].as_array().unwrap().len()), (&json!("2026-01-02"), 10_000));
}

#[test]
fn huge_numbers_are_invalid_values() {
    let digits = "9".repeat(100_000);
    for number in [
        digits.clone(),
        format!("-{digits}"),
        format!("0.{digits}"),
        format!("1e{digits}"),
        "1e999999999".to_owned(),
        "1e-999999999".to_owned(),
        "1e2147483647".to_owned(),
        "1e-2147483648".to_owned(),
        format!("{}e-2147483648", "0".repeat(1000)),
        "-9223372036854775809".to_owned(),
        "253402300800".to_owned(),
        "-62135596801".to_owned(),
    ] {
        for name in attributes() {
            let row = row(&Entry::of_query(&format!("string=u&integer=1&{name}={number}")));
            assert!(name.starts_with("integer") || row["integer"] == "1");
        }
    }
    // Numbers in members of the entry that are usually text.
    let entry = Entry::of_query("string=u&integer=1").json();
    let entry = entry.replace("\"0.002317s\"", "1e400").replace("200", "123456789012345678901234567890");
    decode(&PubsubMessage::raw(entry.as_bytes()));
}

#[test]
fn times_at_the_calendars_edges_are_out_of_range() {
    let far = [
        "0001-01-01T00:00:00Z",
        "9999-12-31T23:59:59.999999999Z",
        "9999-12-31T23:59:59-00:01",
        "1969-12-31T23:59:59.999999999Z",
        "-62135596800",
        "0",
    ];
    for time in far.into_iter().chain(["2015-12-31T00:00:00Z", "2026-01-03T04:04:06Z"]) {
        let Decoded::Rejected(rejected) = decode_entry(&Entry::of_query("string=u&integer=1").with("/timestamp", json!(time))) else {
            panic!("{time} makes a row");
        };
        assert_eq!(rejected.reason, RejectReason::TimestampOutOfRange, "{time}");
    }
    for time in ["2016-01-02T03:04:05.000000Z", "2026-01-03T04:04:05.000000Z"] {
        let row = row(&Entry::of_query("string=u&integer=1").with("/timestamp", json!(time)));
        assert_eq!(row["event_timestamp"], time);
    }
    for time in ["0000-12-31T23:59:59Z", "10000-01-01T00:00:00Z", "2026-02-30T00:00:00Z", "", "\0"] {
        let row = row(&Entry::of_query("string=u&integer=1").with("/timestamp", json!(time)));
        assert_eq!(row["event_timestamp"], "2026-01-02T03:04:05.000000Z", "the time of arrival, for {time:?}");
    }
}

#[test]
fn nul_and_invalid_utf8_affect_only_their_value() {
    let row = row(&Entry::of_query("string=%00a%FF%FE%C3&integer=1&string_all=%ED%A0%80&json=%22%00%22"));
    assert_eq!(row["string"], "\0a\u{fffd}\u{fffd}\u{fffd}");
    assert_eq!(row["string_all"], json!(["\u{fffd}\u{fffd}\u{fffd}"]));
    assert_eq!(row["invalid_attributes"], json!(["json"]), "a raw NUL is invalid JSON");
    let mut raw = Entry::of_query("string=u&integer=1").json().into_bytes();
    raw.push(0);
    deliver(&raw);
    let at = raw.iter().position(|byte| *byte == b'u').unwrap();
    raw[at] = 0xff;
    deliver(&raw);
}

#[test]
fn duplicate_members_do_not_panic() {
    let entry = Entry::of_query("string=u&integer=1").json();
    for member in ["\"insertId\":\"a\",", "\"httpRequest\":{},", "\"timestamp\":1,"] {
        decode(&PubsubMessage::raw(format!("{{{member}{}", &entry[1..]).as_bytes()));
    }
    deliver(br#"{"message":{"data":"e30="},"message":{"data":"e30="}}"#);
    deliver(br#"{"message":{"data":"e30=","data":"e30=","messageId":"1","messageId":"2"}}"#);
}
