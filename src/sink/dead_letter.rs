//! A message that can never become a row, as a row of the dead-letter table.
//!
//! It carries the whole message, so that it can be replayed once the cause is fixed.

use jiff::Timestamp;
use serde::{Serialize, Serializer};

use super::InsertRow;
use crate::decode::coerce::{json_string_len, rfc3339_micros};
use crate::decode::message::MessageData;
use crate::decode::{MAX_ROW_BYTES, PubsubMessage, Rejected, Schema};

/// The columns of `schema/dead_letters.json`.
#[derive(Serialize)]
struct DeadLetter<'a> {
    event_id: &'a str,
    received_timestamp: String,
    reason: &'a str,
    detail: &'a str,
    column: Option<&'a str>,
    #[serde(serialize_with = "write_base64")]
    data: &'a MessageData<'a>,
    message_id: Option<&'a str>,
    publish_time: Option<&'a str>,
    /// Of type JSON: a string that holds JSON text.
    attributes: Option<&'a str>,
    delivery_attempt: Option<i64>,
}

/// The schema that the dead-letter table is created with.
pub fn schema() -> Schema {
    Schema::parse(include_str!("../../schema/dead_letters.json")).expect("schema/dead_letters.json is a schema: a test reads it")
}

/// The columns that a table lacks for dead letters. `None` is a table without columns.
pub fn columns_missing_in(table: Option<&Schema>) -> Vec<String> {
    let is_missing = |name: &&String| table.is_none_or(|table| table.column(name).is_none());
    schema().columns().iter().map(|column| &column.name).filter(is_missing).cloned().collect()
}

/// The row for a message that arrived at `received`. `None` if it exceeds [`MAX_ROW_BYTES`], so that BigQuery cannot store
/// it.
pub fn row(message: &PubsubMessage<'_>, rejected: &Rejected, received: Timestamp) -> Option<InsertRow> {
    let (data, attributes) = (message.data.base64_len(), message.attributes.as_deref().map_or(0, json_string_len));
    if data + attributes > MAX_ROW_BYTES {
        return None;
    }
    let letter = DeadLetter {
        event_id: rejected.event_id.as_str(),
        received_timestamp: rfc3339_micros(received),
        reason: rejected.reason.as_str(),
        detail: &rejected.detail,
        column: rejected.column.as_deref(),
        data: &message.data,
        message_id: message.message_id.as_deref(),
        publish_time: message.publish_time.as_deref(),
        attributes: message.attributes.as_deref(),
        delivery_attempt: message.delivery_attempt,
    };
    // A vector that grows step by step takes up to three times as much memory.
    let mut json = Vec::with_capacity(data + attributes + 512);
    serde_json::to_writer(&mut json, &letter).expect("a struct of strings and numbers always has a JSON form");
    Some(InsertRow { event_id: rejected.event_id, json: json.into() })
}

fn write_base64<S: Serializer>(data: &MessageData<'_>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&data.base64())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::{EventId, RejectReason};

    #[test]
    fn the_row_has_the_columns_of_the_schema_and_no_other() {
        let rejected = Rejected { event_id: EventId::of_message("1"), reason: RejectReason::BadJson, detail: "d".into(), column: None };
        let row = row(&PubsubMessage::raw(b"{"), &rejected, Timestamp::UNIX_EPOCH).unwrap();
        let json: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(&row.json).unwrap();
        let mut written: Vec<&str> = json.keys().map(String::as_str).collect();
        let schema = schema();
        let mut columns: Vec<&str> = schema.columns().iter().map(|column| column.name.as_str()).collect();
        written.sort_unstable();
        columns.sort_unstable();
        assert_eq!(written, columns);
        assert_eq!(json["data"], "ew==");
    }

    #[test]
    fn a_message_beyond_the_largest_row_has_no_dead_letter() {
        let rejected = Rejected { event_id: EventId::of_message("1"), reason: RejectReason::BadJson, detail: "d".into(), column: None };
        let row = |length: usize| row(&PubsubMessage::raw(&vec![b'{'; length]), &rejected, Timestamp::UNIX_EPOCH);
        assert!(row(MAX_ROW_BYTES / 4 * 3).is_some());
        assert!(row(MAX_ROW_BYTES / 4 * 3 + 1).is_none());
    }

    #[test]
    fn attributes_count_as_the_data_does() {
        let rejected = Rejected { event_id: EventId::of_message("1"), reason: RejectReason::BadJson, detail: "d".into(), column: None };
        let attributes = r#"{"a":"b"}"#;
        let row = |length: usize| {
            let data = vec![b'{'; length];
            let message = PubsubMessage { attributes: Some(attributes.into()), ..PubsubMessage::raw(&data) };
            row(&message, &rejected, Timestamp::UNIX_EPOCH)
        };
        // Four characters of base64 for three bytes.
        let longest = (MAX_ROW_BYTES - json_string_len(attributes)) / 4 * 3;
        assert!(row(longest).is_some());
        assert!(row(longest + 3).is_none());
    }

    #[test]
    fn a_table_lacks_the_columns_that_its_schema_does_not_have() {
        assert_eq!(columns_missing_in(Some(&schema())), Vec::<String>::new());
        assert_eq!(columns_missing_in(None).len(), schema().columns().len());
        let missing = columns_missing_in(Some(&Schema::shipped()));
        assert!(missing.contains(&"reason".to_owned()) && !missing.contains(&"event_id".to_owned()), "{missing:?}");
    }
}
