//! The generated table of a row: the `templateSuffix` of its `insertAll` request.
//!
//! TABLE_SUFFIX is a template such as `_{user_id}_{date}`. Parameter values come from a public URL, and BigQuery accepts
//! only `[A-Za-z0-9_]`. So values are encoded. **Two different combinations of values never share a table**:
//!
//! 1. ASCII letters and digits stay. Every other byte of the UTF-8 becomes `__` and two
//!    hexadecimal digits: `a-b` is `a__2db`, and `a__2db` is `a__5f__5f2db`.
//! 2. An encoded value of more than 64 characters becomes `__h` and 40 hexadecimal digits of the
//!    value's SHA-256. (`h` is not a hexadecimal digit, so no shorter value looks like it.)
//! 3. A template is delimited if each field is followed by the end or by a single `_`. In other templates, such as
//!    `{a}{b}`, each field is preceded by its length and a `_`.
//!
//! A suffix can be read from the left in only one way. In a delimited template, a single `_` ends a value, because an
//! encoded value contains `_` only in pairs. Three `_` in a row are a delimiter and the `__` that begins the next
//! value. In other templates the lengths say where a value ends. The row's column keeps the original value.

mod encode;
mod parse;
mod segment;
#[cfg(test)]
mod tests;

use std::fmt;

use jiff::Timestamp;

pub use parse::BadTemplate;
use segment::Segment;

/// The text after the template table's name. Only letters, digits and `_`; may be empty.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TableSuffix(String);

impl TableSuffix {
    /// The suffix of the template table itself.
    pub fn none() -> Self {
        Self(String::new())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TableSuffix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A parsed TABLE_SUFFIX.
#[derive(Debug, Clone, PartialEq)]
pub struct SuffixTemplate {
    pieces: Vec<Piece>,
    /// Rule 3.
    delimited: bool,
}

#[derive(Debug, Clone, PartialEq)]
enum Piece {
    Literal(String),
    /// Position in VALID_ATTRIBUTES.
    Attribute(usize),
    /// `%Y%m%d`. Written without strftime: it is the default, and part of every event's suffix.
    Day,
    /// A strftime format that [`encode::check_format`] accepts.
    Date(String),
}

/// Whether a suffix is one of certain values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Match {
    None,
    /// Other values can have the same suffix: with `_{user_id}_{date:%Y}`, the end of the value is unknown in `_a_2026`.
    Possible,
    /// No other values have the suffix.
    Certain,
}

impl SuffixTemplate {
    /// Whether all events go to the template table itself.
    pub fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    /// The positions of the attributes in the template.
    pub fn attributes(&self) -> impl Iterator<Item = usize> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Attribute(position) => Some(*position),
            Piece::Literal(_) | Piece::Day | Piece::Date(_) => None,
        })
    }

    /// The suffix of an event, or the position of its first missing attribute. An empty value is missing, as in the
    /// original function.
    pub fn render<'v>(&self, value: impl Fn(usize) -> Option<&'v str>, time: Timestamp) -> Result<TableSuffix, usize> {
        let mut suffix = String::with_capacity(48);
        for piece in &self.pieces {
            match piece {
                Piece::Literal(literal) => suffix.push_str(literal),
                Piece::Attribute(index) => {
                    let value = value(*index).filter(|value| !value.is_empty()).ok_or(*index)?;
                    self.push_field(&mut suffix, |field| encode::push_value(value, field));
                }
                Piece::Day => self.push_field(&mut suffix, |field| encode::push_day(time, field)),
                Piece::Date(format) => self.push_field(&mut suffix, |field| encode::push_date(format, time, field)),
            }
        }
        Ok(TableSuffix(suffix))
    }

    /// Compares a suffix with these values, by the attribute's position. An attribute without values matches any value.
    pub fn matches(&self, suffix: &str, values: impl Fn(usize) -> Vec<String>) -> Match {
        let segments: Vec<Segment> = self.pieces.iter().map(|piece| self.segment(piece, &values)).collect();
        if !segment::matches(suffix, &segments) {
            return Match::None;
        }
        let names_a_value = self.attributes().any(|index| !values(index).is_empty());
        if names_a_value && !segments.contains(&Segment::Any) { Match::Certain } else { Match::Possible }
    }

    fn segment(&self, piece: &Piece, values: impl Fn(usize) -> Vec<String>) -> Segment {
        match piece {
            Piece::Literal(literal) => Segment::Text(vec![literal.clone()]),
            Piece::Attribute(index) => {
                let field = |value: String| {
                    let mut text = String::new();
                    self.push_field(&mut text, |field| encode::push_value(&value, field));
                    text
                };
                let fields: Vec<String> = values(*index).into_iter().map(field).collect();
                if fields.is_empty() { Segment::Any } else { Segment::Text(fields) }
            }
            Piece::Day => Segment::Day(if self.delimited { "" } else { "8_" }),
            Piece::Date(_) => Segment::Any,
        }
    }

    fn push_field(&self, suffix: &mut String, write: impl FnOnce(&mut String)) {
        let start = suffix.len();
        write(suffix);
        if !self.delimited {
            let length = suffix.len() - start;
            suffix.insert_str(start, &format!("{length}_"));
        }
    }
}
