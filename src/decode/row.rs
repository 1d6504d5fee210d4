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
}

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
        Self { json, invalid: Vec::new(), lacks_value: false }
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

    /// Closes the object. Writes the names of the invalid columns if the schema has a column for them.
    pub fn finish(mut self, invalid_attributes: Option<&Column>) -> Bytes {
        if let Some(column) = invalid_attributes.filter(|_| !self.invalid.is_empty()) {
            let names = std::mem::take(&mut self.invalid);
            self.column(column, names.iter().map(|name| Cell::Text(name)));
        }
        self.json.push(b'}');
        self.json.into()
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
