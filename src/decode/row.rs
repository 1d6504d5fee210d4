//! A row of the template table, ready for `insertAll`.

use bytes::Bytes;
use jiff::Timestamp;

use super::coerce;
use super::event_id::EventId;
use super::schema::{Column, Mode};
use super::table_suffix::TableSuffix;

/// One row of a generated table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Selects the generated table.
    pub suffix: TableSuffix,
    /// Also the row's `insertId`.
    pub event_id: EventId,
    /// The time of the request, in UTC.
    pub event_time: Timestamp,
    /// Whether the URL is signed. `None` if URLs are not signed.
    pub signed: Option<bool>,
    /// Whether a value is missing, because the table lacks its column.
    pub lacks_value: bool,
    /// The columns as one JSON object.
    pub json: Bytes,
}

/// Writes the JSON object column by column.
#[derive(Debug)]
pub struct RowWriter {
    json: Vec<u8>,
    invalid: Vec<String>,
    lacks_value: bool,
    is_too_large: bool,
}

/// No row is longer. BigQuery accepts requests of 10 MB and decides up to here; a row of a request of 16 MiB could have a
/// multiple of its bytes.
pub const MAX_ROW_BYTES: usize = 16 << 20;
/// Memory for longer texts is reserved exactly: a vector that grows step by step takes up to three times as much.
const LONG_TEXT_BYTES: usize = 16 << 10;

/// The row exceeds [`MAX_ROW_BYTES`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the row is longer than {} MiB", MAX_ROW_BYTES >> 20)]
pub struct RowTooLarge;

/// A value before coercion to its column's type.
#[derive(Debug, Clone, Copy)]
pub enum Cell<'a> {
    Text(&'a str),
    Time(Timestamp),
}

/// Whether a column got a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    Yes,
    /// There was no value.
    Absent,
    /// There was a value, and it does not fit the column's type.
    Rejected,
}

impl RowWriter {
    /// An empty object.
    pub fn new() -> Self {
        let mut json = Vec::with_capacity(512);
        json.push(b'{');
        Self { json, invalid: Vec::new(), lacks_value: false, is_too_large: false }
    }

    /// Writes a column. All values that fit are written; a column that is not REPEATED has at most one value. A value that
    /// does not fit adds the column to the invalid ones.
    pub fn column<'v>(&mut self, column: &Column, values: impl Iterator<Item = Cell<'v>>) -> Written {
        let start = self.json.len();
        self.key(&column.name);
        let repeated = column.mode == Mode::Repeated;
        if repeated {
            self.json.push(b'[');
        }
        let (mut written, mut has_rejected) = (0, false);
        for value in values {
            let before = self.json.len();
            if written > 0 {
                self.json.push(b',');
            }
            let result = match value {
                Cell::Text(text) if !self.has_room_for(text) => Ok(()),
                Cell::Text(text) => coerce::write_text(text, column, &mut self.json),
                Cell::Time(time) => coerce::write_time(time, column, &mut self.json),
            };
            match result {
                Ok(()) => written += 1,
                Err(coerce::CoercionError) => {
                    self.json.truncate(before);
                    has_rejected = true;
                }
            }
        }
        if repeated {
            self.json.push(b']');
        }
        if has_rejected {
            self.invalid.push(column.name.clone());
        }
        match (written, has_rejected) {
            (0, _) => {
                self.json.truncate(start);
                if has_rejected { Written::Rejected } else { Written::Absent }
            }
            _ => Written::Yes,
        }
    }

    /// Writes nothing of a column that the table lacks. A value for it adds the column to the invalid ones.
    pub fn left_out<'v>(&mut self, column: &Column, mut values: impl Iterator<Item = Cell<'v>>) {
        if values.next().is_some() {
            self.invalid.push(column.name.clone());
            self.lacks_value = true;
        }
    }

    /// Whether a value was left out.
    pub fn lacks_value(&self) -> bool {
        self.lacks_value
    }

    /// Whether the row stays within [`MAX_ROW_BYTES`] with this text. Reserves memory for a long one.
    fn has_room_for(&mut self, text: &str) -> bool {
        let length = if text.len() < LONG_TEXT_BYTES { text.len() } else { coerce::json_string_len(text) };
        self.is_too_large |= self.json.len() + length > MAX_ROW_BYTES;
        if !self.is_too_large && length >= LONG_TEXT_BYTES {
            self.json.reserve_exact(length + LONG_TEXT_BYTES);
        }
        !self.is_too_large
    }

    /// Closes the object. Writes the names of the invalid columns if the schema has a column for them.
    pub fn finish(mut self, invalid_attributes: Option<&Column>) -> Result<Bytes, RowTooLarge> {
        if let Some(column) = invalid_attributes.filter(|_| !self.invalid.is_empty()) {
            let names = std::mem::take(&mut self.invalid);
            self.column(column, names.iter().map(|name| Cell::Text(name)));
        }
        self.json.push(b'}');
        if self.is_too_large { Err(RowTooLarge) } else { Ok(self.json.into()) }
    }

    fn key(&mut self, name: &str) {
        if self.json.len() > 1 {
            self.json.push(b',');
        }
        coerce::write_json_string(name, &mut self.json);
        self.json.push(b':');
    }
}

impl Default for RowWriter {
    fn default() -> Self {
        Self::new()
    }
}
