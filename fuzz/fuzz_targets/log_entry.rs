//! The payload of a message: a log entry or anything else.

#![no_main]

use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use libfuzzer_sys::fuzz_target;
use pixel_pipeline::decode::message::MessageData;
use pixel_pipeline::decode::schema::{ColumnType, Mode};
use pixel_pipeline::decode::{Decoded, Decoder, EventId, PubsubMessage, RejectReason, Rejected, event};
use pixel_pipeline::sink::dead_letter;
use pixel_pipeline_fuzz::decoders::{Options, now};
use pixel_pipeline_fuzz::rows;
use serde_json::Value;

const OPTIONS: usize = 6;
static DECODER: LazyLock<Decoder> = LazyLock::new(|| Options::of(OPTIONS, 1).decoder());

fuzz_target!(|data: &[u8]| {
    let raw = PubsubMessage { message_id: Some("7001".into()), ..PubsubMessage::raw(data) };
    let decoded = DECODER.decode(&raw, now());
    assert_eq!(DECODER.decode(&raw, now()), decoded, "decoding is deterministic");
    let base64 = PubsubMessage { data: MessageData::Base64(STANDARD.encode(data).into()), ..raw.clone() };
    assert_eq!(DECODER.decode(&base64, now()), decoded, "the same result, wrapped or not");
    match &decoded {
        Decoded::Row(row) => {
            let columns = rows::check(row, Options::of(OPTIONS, 1).schema(), data.len());
            assert_eq!(columns["event_id"], row.event_id.as_str());
            assert_eq!(columns["pubsub_message_id"], "7001");
            let away = row.event_time.duration_since(now()).as_hours();
            assert!((-3653 * 24..=25).contains(&away), "{}", row.event_time);
            let told = event::time_of(&raw);
            assert!(told.is_none_or(|time| time == row.event_time), "replay and forget read another time: {told:?}");
        }
        Decoded::Filtered(_) => {}
        Decoded::Rejected(rejected) => check_rejected(&raw, rejected, data),
    }
    // The publish time is used only for an entry without a timestamp.
    let published = PubsubMessage { publish_time: Some("2025-12-31T23:59:59Z".into()), ..raw.clone() };
    if let (Decoded::Row(one), Decoded::Row(other)) = (&decoded, DECODER.decode(&published, now())) {
        assert_eq!(one.event_id, other.event_id);
        assert!(one.event_time == other.event_time || one.event_time == now() && other.event_time.to_string() == "2025-12-31T23:59:59Z");
    }
    check_other_spelling(&raw, &decoded, data);
});

fn check_rejected(message: &PubsubMessage<'_>, rejected: &Rejected, data: &[u8]) {
    assert!(rejected.detail.len() < 300, "{}", rejected.detail);
    let is_not_an_entry = matches!(rejected.reason, RejectReason::NoData | RejectReason::BadJson);
    assert!(is_not_an_entry || matches!(rejected.reason, RejectReason::NoRequestUrl | RejectReason::TimestampOutOfRange), "{rejected:?}");
    assert_eq!(rejected.reason == RejectReason::NoData, data.is_empty());
    assert!(!is_not_an_entry || rejected.event_id == EventId::of_message("7001"));
    let letter = dead_letter::row(message, rejected, now()).expect("the row of a small message is below the limit");
    let columns: serde_json::Map<String, Value> = serde_json::from_slice(&letter.json).expect("a dead letter is JSON");
    let schema = dead_letter::schema();
    for (name, value) in columns.iter().filter(|(_, value)| !value.is_null()) {
        let column = schema.column(name).expect("a column of the dead-letter table");
        // The API accepts an INTEGER as a number, too.
        assert!(column.kind == ColumnType::Integer || column.mode != Mode::Repeated);
        if column.kind != ColumnType::Integer {
            rows::check_value(column, value);
        }
    }
    assert_eq!(STANDARD.decode(columns["data"].as_str().expect("data")).expect("base64"), data, "it can be replayed");
    assert!(letter.json.len() <= data.len() * 4 / 3 + 1000);
}

/// JSON with another member order and other escapes is the same event.
fn check_other_spelling(message: &PubsubMessage<'_>, decoded: &Decoded, data: &[u8]) {
    let Ok(value) = serde_json::from_slice::<Value>(data) else {
        return;
    };
    // `Value` takes the last of duplicate members, the decoder rejects them; and `Value` rounds fractions.
    if matches!(decoded, Decoded::Rejected(rejected) if rejected.reason == RejectReason::BadJson) || has_fraction(&value) {
        return;
    }
    let text = value.to_string();
    let ascii: String = text.chars().map(|c| if c.is_ascii() { c.to_string() } else { escaped(c) }).collect();
    for spelling in [text, ascii.replace('/', "\\/")] {
        let other = PubsubMessage { data: MessageData::Raw(spelling.as_bytes().into()), ..message.clone() };
        // A duplicate member that the decoder does not read has no effect.
        assert_eq!(&DECODER.decode(&other, now()), decoded, "{spelling}");
    }
}

fn has_fraction(value: &Value) -> bool {
    match value {
        Value::Number(number) => number.is_f64(),
        Value::Array(values) => values.iter().any(has_fraction),
        Value::Object(members) => members.values().any(has_fraction),
        _ => false,
    }
}

fn escaped(c: char) -> String {
    let mut units = [0; 2];
    c.encode_utf16(&mut units).iter().map(|unit| format!("\\u{unit:04x}")).collect()
}
