//! The one table of the columns that are filled from the log entry because of their names.
//!
//! To add a column, add a row here and in docs/concepts.md (section Columns), and a field in [`super::log_entry`] if the
//! entry's member is not read yet. The decoder and the fuzz targets derive their lists from this table; tests compare
//! docs/concepts.md and `schema/pixel.json` with it.

use std::borrow::Cow;

use jiff::Timestamp;

use super::coerce;
use super::event::Event;
use super::hashed_url::ClearIds;
use super::privacy::Privacy;
use super::request_url::RequestUrl;
use super::schema::Column;

/// A column and its value.
#[derive(Debug)]
pub struct EntryColumn {
    pub name: &'static str,
    /// The usual BigQuery type. The value is coerced to the type that the column has.
    pub bigquery_type: &'static str,
    /// The member of the log entry, or what it is computed from.
    pub source: &'static str,
    value: for<'e> fn(&Context<'e>) -> Option<Value<'e>>,
}

/// The sources of values.
pub(crate) struct Context<'e> {
    pub(crate) event: &'e Event<'e>,
    /// The parts of the event's URL.
    pub(crate) url: RequestUrl<'e>,
    pub(crate) privacy: &'e Privacy,
    /// The ids that are hashed.
    pub(crate) clear_ids: &'e ClearIds,
}

/// A value before coercion.
pub(crate) enum Value<'e> {
    Text(Cow<'e, str>),
    Time(Timestamp),
}

const fn column(
    name: &'static str,
    bigquery_type: &'static str,
    source: &'static str,
    value: for<'e> fn(&Context<'e>) -> Option<Value<'e>>,
) -> EntryColumn {
    EntryColumn { name, bigquery_type, source, value }
}

const EVENT_ID: &str = "event_id";
/// Empty with IP_ANONYMIZATION=drop.
pub(crate) const REMOTE_IP: &str = "remote_ip";

/// Every column.
pub static ENTRY_COLUMNS: [EntryColumn; 15] = [
    column(EVENT_ID, "STRING", "logName, timestamp and insertId", |context| text(Some(context.event.event_id.as_str()))),
    column("event_timestamp", "TIMESTAMP", "timestamp", |context| Some(Value::Time(context.event.time))),
    column("received_timestamp", "TIMESTAMP", "receiveTimestamp", |context| Some(Value::Time(context.event.received))),
    column("request_method", "STRING", "httpRequest.requestMethod", |context| text(Some(context.event.method()))),
    column("request_url", "STRING", "httpRequest.requestUrl", |context| url(context, context.event.request_url())),
    column("host", "STRING", "httpRequest.requestUrl", |context| text(Some(context.url.host).filter(|host| !host.is_empty()))),
    column("path", "STRING", "httpRequest.requestUrl", |context| text(Some(context.privacy.path(context.url.path, context.clear_ids)))),
    column("status", "INTEGER", "httpRequest.status", |context| text(context.event.request.status.text())),
    column("referer", "STRING", "httpRequest.referer", |context| url(context, context.event.request.referer.text())),
    column("user_agent", "STRING", "httpRequest.userAgent", |context| text(context.event.request.user_agent.text())),
    column(REMOTE_IP, "STRING", "httpRequest.remoteIp", |context| {
        let address = context.event.request.remote_ip.text();
        address.and_then(|address| context.privacy.remote_ip.apply(address)).map(|address| Value::Text(address.into()))
    }),
    // The sender omits it unless it is true.
    column("cache_hit", "BOOLEAN", "httpRequest.cacheHit", |context| text(context.event.request.cache_hit.text().or(Some("false")))),
    column("latency_seconds", "FLOAT", "httpRequest.latency", |context| {
        let latency = context.event.request.latency.text();
        text(latency.map(|latency| latency.strip_suffix('s').unwrap_or(latency)))
    }),
    column("trace", "STRING", "trace", |context| text(context.event.trace.as_deref())),
    column("pubsub_message_id", "STRING", "the Pub/Sub message's messageId", |context| text(context.event.message_id)),
];

impl EntryColumn {
    /// The row of the table for a column of the schema.
    pub(crate) fn of(column: &Column) -> Option<&'static Self> {
        ENTRY_COLUMNS.iter().find(|entry| column.is_called(entry.name))
    }

    /// Whether the column can hold the values: its type may be any that the values can be converted to.
    pub(crate) fn fits(&self, column: &Column) -> bool {
        let text = match (self.name, self.bigquery_type) {
            (_, "TIMESTAMP") => return coerce::write_time(Timestamp::UNIX_EPOCH, column, &mut Vec::new()).is_ok(),
            (EVENT_ID, _) => "0123456789abcdef0123456789abcdef",
            (_, "INTEGER") => "200",
            (_, "FLOAT") => "0.5",
            (_, "BOOLEAN") => "true",
            _ => "-",
        };
        coerce::write_text(text, column, &mut Vec::new()).is_ok()
    }

    pub(crate) fn value<'e>(&self, context: &Context<'e>) -> Option<Value<'e>> {
        (self.value)(context)
    }
}

fn text(text: Option<&str>) -> Option<Value<'_>> {
    text.map(|text| Value::Text(text.into()))
}

fn url<'e>(context: &Context<'e>, url: Option<&'e str>) -> Option<Value<'e>> {
    url.map(|url| context.privacy.url(url, context.clear_ids)).filter(|url| !url.is_empty()).map(Value::Text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::schema::Schema;

    /// The names in the first column of the table in section Columns of docs/concepts.md. `signed` is not filled from the
    /// log entry.
    fn documented_columns() -> Vec<&'static str> {
        let text = include_str!("../../docs/concepts.md");
        let (_, section) = text.split_once("\n## Columns\n").expect("docs/concepts.md has a section Columns");
        let section = section.split("\n## ").next().expect("a part");
        let (_, rows) = section.split_once("\n| column |").expect("section Columns of docs/concepts.md has a table of columns");
        let cells = rows.lines().skip(2).map_while(|row| row.strip_prefix('|')).map(|row| row.split('|').next().expect("a part"));
        cells.flat_map(|cell| cell.split('`').skip(1).step_by(2)).filter(|name| *name != "signed").collect()
    }

    #[test]
    fn the_documentation_lists_every_column_in_order() {
        let (documented, defined) = (documented_columns(), ENTRY_COLUMNS.each_ref().map(|column| column.name));
        for name in defined {
            assert!(documented.contains(&name), "docs/concepts.md lacks the column `{name}` of entry_columns.rs");
        }
        for name in &documented {
            assert!(defined.contains(name), "docs/concepts.md has a column `{name}` that entry_columns.rs lacks");
        }
        assert_eq!(documented, defined, "docs/concepts.md has the columns in the order of entry_columns.rs");
    }

    #[test]
    fn shipped_columns_have_the_types_of_the_table() {
        let schema = Schema::shipped();
        let fields = schema.fields().as_array().unwrap();
        let mut found = 0;
        for entry in &ENTRY_COLUMNS {
            for field in fields.iter().filter(|field| field["name"] == entry.name) {
                assert_eq!(field["type"], entry.bigquery_type, "{}", entry.name);
                found += 1;
            }
        }
        assert!(found >= 4, "{found} of the shipped columns are in the table");
    }

    #[test]
    fn names_are_unique() {
        for (index, column) in ENTRY_COLUMNS.iter().enumerate() {
            assert!(ENTRY_COLUMNS[..index].iter().all(|other| other.name != column.name), "{}", column.name);
        }
    }
}
