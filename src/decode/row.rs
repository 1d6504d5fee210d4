//! A row of the template table, ready for `insertAll`.

use bytes::Bytes;
use jiff::Timestamp;

use super::coerce;
use super::event_id::EventId;
use super::schema::{Column, Mode};
use super::table_suffix::TableSuffix;

/// What is to be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Which generated table.
    pub suffix: TableSuffix,
    /// Also the row's `insertId`.
    pub event_id: EventId,
    /// When the request was made; UTC.
    pub event_time: Timestamp,
    /// Whether its URL is signed; nothing where nobody asks.
    pub signed: Option<bool>,
    /// The columns as one JSON object.
    pub json: Bytes,
}

/// Writes the JSON object column by column.
#[derive(Debug)]
pub struct RowWriter {
    json: Vec<u8>,
    invalid: Vec<String>,
}

/// A value on its way into a column.
#[derive(Debug, Clone, Copy)]
pub enum Cell<'a> {
    Text(&'a str),
    Time(Timestamp),
}

/// Whether a column got a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    Yes,
    /// There was none.
    Absent,
    /// There was one and it did not fit.
    Rejected,
}

impl RowWriter {
    /// An empty object.
    pub fn new() -> Self {
        let mut json = Vec::with_capacity(512);
        json.push(b'{');
        Self { json, invalid: Vec::new() }
    }

    /// Writes a column from its values: the first that fits, or all that fit if it is REPEATED.
    /// Those that do not fit put the column on the list of invalid ones.
    pub fn column<'v>(&mut self, column: &Column, values: impl Iterator<Item = Cell<'v>>) -> Written {
        let start = self.json.len();
        self.key(&column.name);
        let repeated = column.mode == Mode::Repeated;
        if repeated {
            self.json.push(b'[');
        }
        let (mut written, mut unfit) = (0, false);
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
                Err(coerce::Misfit) => {
                    self.json.truncate(before);
                    unfit = true;
                }
            }
        }
        if repeated {
            self.json.push(b']');
        }
        if unfit {
            self.invalid.push(column.name.clone());
        }
        match (written, unfit) {
            (0, _) => {
                self.json.truncate(start);
                if unfit { Written::Rejected } else { Written::Absent }
            }
            _ => Written::Yes,
        }
    }

    /// Notes an attribute that has a value and no column.
    pub fn invalid(&mut self, name: &str) {
        self.invalid.push(name.to_owned());
    }

    /// Closes the object, with the names of what did not fit where the schema has a place for them.
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
