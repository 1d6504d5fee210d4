//! The decoder: reads one `PubsubMessage`, and returns one row or the reason why there is none.
//!
//! ```text
//! PubsubMessage ── data ──▶ LogEntry ──▶ RequestUrl ──▶ attributes ──▶ columns ──▶ Row
//! ```
//!
//! Pure: no I/O, no clock, no environment, no logging. The time of arrival and the schema ([`schema::Schema`]) are
//! arguments. No input causes a panic.

pub mod attributes;
pub mod civil;
pub mod coerce;
pub mod column_name;
mod decoded;
mod decoder;
pub mod entry_columns;
pub mod event;
mod event_id;
mod explanation;
pub mod hashed_ids;
pub mod hashed_url;
pub mod json;
mod json_value;
pub mod key;
pub mod list;
pub mod log_entry;
pub mod long_text;
pub mod message;
mod notes;
pub mod numeric;
pub(crate) mod percent;
pub mod pixel_paths;
pub mod privacy;
pub mod remote_ip;
pub mod request_filter;
pub mod request_url;
mod row;
pub mod schema;
pub mod signature;
pub mod status;
pub mod table_suffix;
mod time_bounds;

pub use decoded::{Decoded, FilterReason, RejectReason, Rejected};
#[cfg(test)]
pub(crate) use decoder::filled_columns;
pub use decoder::{Decoder, SchemaProblem, Settings, claimed_columns};
pub use event_id::EventId;
pub use explanation::Explanation;
pub use message::PubsubMessage;
pub use notes::Notes;
pub use pixel_paths::PixelPaths;
pub use privacy::Privacy;
pub use request_filter::RequestFilter;
pub use row::{MAX_ROW_BYTES, Row};
pub use schema::Schema;
pub use table_suffix::TableSuffix;
