//! The probe: a query with every attribute. One attribute, the marker, has a value that no other row has.

use jiff::Timestamp;
use url::Url;

use crate::cli::check::link::Fault;
use crate::decode::schema::{Column, ColumnType};
use crate::decode::{Schema, Settings, TableSuffix};

/// The value of the other attributes, and so of the table's name.
const VALUE: &str = "pixel_pipeline_check";

/// One event to send.
#[derive(Debug)]
pub(crate) struct Probe {
    /// By position in VALID_ATTRIBUTES.
    values: Vec<(String, String)>,
    /// The values in the row: an id may be hashed.
    stored: Vec<String>,
    /// The marker's position.
    marked: usize,
    /// The columns with the event's times that the table has.
    pub(crate) times: Vec<&'static str>,
    /// Whether the table has probes only.
    pub(crate) has_own_table: bool,
}

impl Probe {
    pub(crate) fn new(settings: &Settings, schema: &Schema) -> Result<Self, Fault> {
        let names = settings.valid_attributes.names();
        let in_suffix: Vec<usize> = settings.table_suffix.attributes().collect();
        let column = |position: usize| schema.column(&names[position]);
        let is_text = |position: &usize| column(*position).is_some_and(|column| column.kind == ColumnType::String);
        // Preferably an attribute that is not part of the table's name: otherwise each check creates a table.
        let free = (0..names.len()).filter(|position| !in_suffix.contains(position)).find(is_text);
        let none = || Fault::unknown("no attribute is a STRING column, which is needed to find the row".to_owned());
        let marked = free.or_else(|| in_suffix.iter().copied().find(is_text)).ok_or_else(none)?;
        let value = |position: usize| if position == marked { marker(column(position)) } else { sample(column(position)) };
        let values: Vec<(String, String)> = names.iter().enumerate().map(|(position, name)| (name.clone(), value(position))).collect();
        let hashed = |position: usize| settings.privacy.hashed_ids.as_ref().filter(|ids| ids.holds(position));
        let stored = |(position, (_, value)): (usize, &(String, String))| hashed(position).map_or(value.clone(), |ids| ids.hash(value));
        let stored = values.iter().enumerate().map(stored).collect();
        let times = [super::LOGGED, super::RECEIVED].into_iter().filter(|name| schema.column(name).is_some()).collect();
        Ok(Self { values, stored, marked, times, has_own_table: !in_suffix.is_empty() })
    }

    /// The marker's column and value.
    pub(crate) fn marker(&self) -> (&str, &str) {
        (&self.values[self.marked].0, &self.stored[self.marked])
    }

    /// The URL with the attributes appended to its query.
    pub(crate) fn url(&self, mut url: Url) -> Url {
        url.query_pairs_mut().extend_pairs(&self.values);
        url
    }

    /// The suffix of the event's table.
    pub(crate) fn suffix(&self, settings: &Settings, time: Timestamp) -> TableSuffix {
        let value = |position: usize| self.stored.get(position).map(String::as_str);
        // It fails only for a missing or empty value, and every attribute has one.
        settings.table_suffix.render(value, time).expect("every attribute has a value")
    }
}

fn marker(column: Option<&Column>) -> String {
    let random = format!("check-{:016x}", fastrand::u64(..));
    shortened(&random, column)
}

/// The end of a text, shortened to the column's maxLength.
fn shortened(text: &str, column: Option<&Column>) -> String {
    let length = column.and_then(|column| column.max_length).unwrap_or(text.len()).clamp(1, text.len());
    text[text.len() - length..].to_owned()
}

/// A valid value for a column of that type: an invalid one in a REQUIRED column would make a dead letter.
fn sample(column: Option<&Column>) -> String {
    let fixed = match column.map(|column| column.kind) {
        None | Some(ColumnType::String | ColumnType::Other) => return shortened(VALUE, column),
        Some(ColumnType::Integer | ColumnType::Float | ColumnType::Decimal(_)) => "0",
        Some(ColumnType::Boolean) => "false",
        Some(ColumnType::Bytes) => "AA==",
        Some(ColumnType::Timestamp) => "1970-01-01T00:00:00Z",
        Some(ColumnType::Date) => "1970-01-01",
        Some(ColumnType::Time) => "00:00:00",
        Some(ColumnType::Datetime) => "1970-01-01T00:00:00",
        Some(ColumnType::Json) => "{}",
    };
    fixed.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::attributes::ValidAttributes;
    use crate::decode::hashed_ids::HashedIds;
    use crate::decode::key::Key;
    use crate::decode::table_suffix::SuffixTemplate;
    use crate::decode::{Decoded, Decoder, PixelPaths, Privacy, PubsubMessage, RequestFilter};

    fn settings(attributes: &str, suffix: &str) -> Settings {
        let valid_attributes = ValidAttributes::parse(attributes).unwrap();
        let table_suffix = SuffixTemplate::parse(suffix, &valid_attributes, "pixel").unwrap();
        Settings {
            valid_attributes,
            requests: RequestFilter { paths: PixelPaths::parse("/pixel.png").unwrap(), ..RequestFilter::default() },
            table_suffix,
            privacy: Privacy::default(),
            signatures: None,
        }
    }

    /// The row that the decoder makes of the request.
    fn row(probe: &Probe, settings: &Settings, schema: &Schema, now: Timestamp) -> crate::decode::Row {
        let url = probe.url("https://track.example.com/pixel.png?x=1".parse().unwrap());
        let entry = serde_json::json!({"timestamp": now.to_string(), "httpRequest": {"requestMethod": "GET", "requestUrl": url.as_str()}})
            .to_string();
        match Decoder::new(settings.clone(), schema).decode(&PubsubMessage::raw(entry.as_bytes()), now) {
            Decoded::Row(row) => row,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_probe_names_the_table_that_the_decoder_chooses() {
        let schema = Schema::shipped();
        let now: Timestamp = "2026-01-02T03:04:05Z".parse().unwrap();
        for (suffix, own, marked) in [
            ("_{user_id}_{date}", true, "order_id"),
            ("_{date:%-m_%-d_%Y}", false, "order_id"),
            ("", false, "order_id"),
            ("_{order_id}", true, "type"),
        ] {
            let settings = settings("order_id,type,user_id", suffix);
            let probe = Probe::new(&settings, &schema).unwrap();
            let row = row(&probe, &settings, &schema, now);
            assert_eq!((probe.suffix(&settings, now), probe.has_own_table, probe.marker().0), (row.suffix, own, marked), "{suffix}");
            let json: serde_json::Value = serde_json::from_slice(&row.json).unwrap();
            assert_eq!(json[marked], probe.marker().1);
        }
    }

    #[test]
    fn a_hashed_id_is_searched_by_its_hash() {
        let schema = Schema::shipped();
        for suffix in ["_{user_id}", ""] {
            let mut settings = settings("user_id", suffix);
            let key = Key::parse("0123456789abcdef0123456789abcdef").unwrap();
            settings.privacy.hashed_ids = Some(HashedIds::parse(key, "user_id", &settings.valid_attributes).unwrap());
            let probe = Probe::new(&settings, &schema).unwrap();
            let row = row(&probe, &settings, &schema, Timestamp::UNIX_EPOCH);
            assert_eq!(probe.suffix(&settings, Timestamp::UNIX_EPOCH), row.suffix);
            let json: serde_json::Value = serde_json::from_slice(&row.json).unwrap();
            assert_eq!(json["user_id"], probe.marker().1);
            assert!(!probe.marker().1.starts_with("check-"));
        }
    }

    #[test]
    fn every_type_gets_a_valid_value() {
        let types = ["INTEGER", "FLOAT", "NUMERIC", "BOOLEAN", "BYTES", "TIMESTAMP", "DATE", "TIME", "DATETIME", "JSON", "STRING"];
        let columns: Vec<String> = types.iter().map(|kind| format!(r#"{{"name":"a_{kind}","type":"{kind}","mode":"REQUIRED"}}"#)).collect();
        let short = r#"{"name":"short","type":"STRING","mode":"REQUIRED","maxLength":4}"#;
        let schema = Schema::parse(&format!("[{short},{}]", columns.join(","))).unwrap();
        let names: Vec<&str> = schema.columns().iter().map(|column| column.name.as_str()).collect();
        let settings = settings(&names.join(","), "_{a_STRING}");
        let probe = Probe::new(&settings, &schema).unwrap();
        assert_eq!((probe.marker().0, probe.marker().1.len()), ("short", 4));
        row(&probe, &settings, &schema, Timestamp::UNIX_EPOCH);
    }

    #[test]
    fn without_a_string_column_there_is_no_probe() {
        let schema = Schema::parse(r#"[{"name":"n","type":"INTEGER"}]"#).unwrap();
        assert!(Probe::new(&settings("n", ""), &schema).is_err());
    }
}
