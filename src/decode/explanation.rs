//! The decoder's result for one message, as `explain` prints it and the console shows it.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::json;
use serde_json::value::RawValue;

use super::coerce::rfc3339_micros;
use super::decoded::Decoded;
use super::decoder::Decoder;
use super::message::PubsubMessage;
use super::notes::Notes;

/// The outcome of one message if `serve` received it. As JSON, one line of `explain`.
#[derive(Debug, Clone, Serialize)]
pub struct Explanation {
    /// `stored`, `filtered` or `dead_letter`: an outcome as in metrics and logs.
    pub outcome: &'static str,
    pub reason: Option<&'static str>,
    pub detail: Option<String>,
    /// TABLE_NAME with the suffix.
    pub table: Option<String>,
    pub suffix: Option<String>,
    pub insert_id: Option<String>,
    /// Whether the URL is signed. Only for rows, with URL_SIGNING_KEY.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signed: Option<bool>,
    pub row: Option<Box<RawValue>>,
    /// Names of parameters that VALID_ATTRIBUTES does not list. Left out if there are none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub not_kept: Vec<String>,
    /// Whether `&amp;` in the URL was read as `&`. Left out if not.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub html_escaped: bool,
}

impl Explanation {
    /// Explains a URL, as if a browser requested it at `now`.
    pub fn of_url(decoder: &Decoder, url: &str, now: Timestamp, table_name: &str) -> Self {
        let entry = json!({"timestamp": rfc3339_micros(now), "httpRequest": {"requestMethod": "GET", "requestUrl": url, "status": 200}})
            .to_string();
        Self::of_message(decoder, &PubsubMessage::raw(entry.as_bytes()), now, table_name)
    }

    /// Explains a message that arrives at `now`.
    pub fn of_message(decoder: &Decoder, message: &PubsubMessage<'_>, now: Timestamp, table_name: &str) -> Self {
        let mut notes = Notes::default();
        let decoded = decoder.decode_with_notes(message, now, &mut notes);
        Self::of(decoded, &notes, table_name)
    }

    /// Explains a result of the decoder. `table_name` is TABLE_NAME.
    pub fn of(decoded: Decoded, notes: &Notes, table_name: &str) -> Self {
        let empty = Self {
            outcome: "",
            reason: None,
            detail: None,
            table: None,
            suffix: None,
            insert_id: None,
            signed: None,
            row: None,
            not_kept: notes.not_kept().map(str::to_owned).collect(),
            html_escaped: notes.html_escaped,
        };
        match decoded {
            Decoded::Row(row) => Self {
                outcome: "stored",
                table: Some(format!("{table_name}{}", row.suffix)),
                suffix: Some(row.suffix.to_string()),
                insert_id: Some(row.event_id.to_string()),
                signed: row.signed,
                row: String::from_utf8(row.json.into()).ok().and_then(|json| RawValue::from_string(json).ok()),
                ..empty
            },
            Decoded::Filtered(reason) => Self { outcome: "filtered", reason: Some(reason.as_str()), ..empty },
            Decoded::Rejected(rejected) => Self {
                outcome: "dead_letter",
                reason: Some(rejected.reason.as_str()),
                detail: Some(rejected.detail),
                insert_id: Some(rejected.event_id.to_string()),
                ..empty
            },
        }
    }
}
