//! Parses TABLE_SUFFIX.

use super::encode::{MAX_FIELD_LENGTH, check_format};
use super::{Piece, SuffixTemplate};
use crate::decode::attributes::ValidAttributes;

/// Length and `_` before a field of a template that is not delimited.
const LENGTH_PREFIX: usize = 3;
/// BigQuery's limit for TABLE_NAME and suffix together.
const MAX_TABLE_NAME_LENGTH: usize = 1024;

/// Why a text is not a template.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum BadTemplate {
    #[error("{{ at character {0} is not closed")]
    Unclosed(usize),
    #[error("}} at character {0} has no opening {{")]
    Unopened(usize),
    #[error("{0:?} is not allowed between the fields: use letters, digits and _ only")]
    BadLiteral(String),
    #[error("{{{field}}} is neither an attribute of VALID_ATTRIBUTES nor date nor date:FORMAT: use {}", .known.join(", "))]
    UnknownField { field: String, known: Vec<String> },
    #[error("{{date:{format}}} is not a strftime format: {problem}")]
    BadDate { format: String, problem: String },
    #[error("it can have {0} characters, and BigQuery's limit for TABLE_NAME and suffix together is 1024")]
    TooLong(usize),
}

impl SuffixTemplate {
    /// Parses a template over `attributes`; its results follow `table_name`.
    pub fn parse(template: &str, attributes: &ValidAttributes, table_name: &str) -> Result<Self, BadTemplate> {
        let mut pieces = Vec::new();
        let mut rest = template;
        while !rest.is_empty() {
            let at = template.len() - rest.len();
            if let Some(after_brace) = rest.strip_prefix('{') {
                let (field, after) = after_brace.split_once('}').ok_or(BadTemplate::Unclosed(at + 1))?;
                pieces.push(parse_field(field, attributes)?);
                rest = after;
            } else {
                let end = rest.find(['{', '}']).unwrap_or(rest.len());
                let (literal, after) = rest.split_at(end);
                if after.starts_with('}') {
                    return Err(BadTemplate::Unopened(at + end + 1));
                }
                if !literal.bytes().all(|b| b == b'_' || b.is_ascii_alphanumeric()) {
                    return Err(BadTemplate::BadLiteral(literal.to_owned()));
                }
                pieces.push(Piece::Literal(literal.to_owned()));
                rest = after;
            }
        }
        let longest = table_name.len() + pieces.iter().map(Piece::max_length).sum::<usize>();
        if longest > MAX_TABLE_NAME_LENGTH {
            return Err(BadTemplate::TooLong(longest));
        }
        let delimited = (0..pieces.len()).all(|at| is_delimited(&pieces[at..]));
        Ok(Self { pieces, delimited })
    }
}

impl Piece {
    fn max_length(&self) -> usize {
        match self {
            Self::Literal(literal) => literal.len(),
            Self::Day => 8 + LENGTH_PREFIX,
            Self::Attribute(_) | Self::Date(_) => MAX_FIELD_LENGTH + LENGTH_PREFIX,
        }
    }
}

fn parse_field(field: &str, attributes: &ValidAttributes) -> Result<Piece, BadTemplate> {
    match field.split_once(':') {
        None if field == "date" => Ok(Piece::Day),
        Some(("date", format)) => match check_format(format) {
            Ok(_) if is_notation_of_other_tools(format) => {
                let problem = format!("use {{date:{}}}", as_strftime(format));
                Err(BadTemplate::BadDate { format: format.to_owned(), problem })
            }
            Ok(text) if text.is_empty() => Err(BadTemplate::BadDate { format: format.to_owned(), problem: "it is empty".to_owned() }),
            Ok(_) if is_constant(format) => {
                let problem = "it is the same for every date: use a format such as {date:%Y%m%d}".to_owned();
                Err(BadTemplate::BadDate { format: format.to_owned(), problem })
            }
            Ok(_) => Ok(Piece::Date(format.to_owned())),
            Err(error) => Err(BadTemplate::BadDate { format: format.to_owned(), problem: error.to_string() }),
        },
        _ => attributes.position(field).map(Piece::Attribute).ok_or_else(|| unknown(field, attributes)),
    }
}

/// Names the fields that the unknown one may mean: with other case or separators; else all.
fn unknown(field: &str, attributes: &ValidAttributes) -> BadTemplate {
    let letters = |text: &str| text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect::<String>();
    let all: Vec<&str> = attributes.names().iter().map(String::as_str).chain(["date"]).collect();
    let near: Vec<&str> = all.iter().copied().filter(|name| letters(name) == letters(field)).collect();
    let known = if near.is_empty() { all } else { near };
    BadTemplate::UnknownField { field: field.to_owned(), known: known.iter().map(|name| format!("{{{name}}}")).collect() }
}

/// The notations of Java, moment.js and spreadsheets, and strftime's conversion for each, longest first.
const OTHER_NOTATIONS: [(&str, &str); 9] =
    [("YYYY", "%Y"), ("yyyy", "%Y"), ("YY", "%y"), ("yy", "%y"), ("MM", "%m"), ("DD", "%d"), ("dd", "%d"), ("HH", "%H"), ("hh", "%H")];

fn is_notation_of_other_tools(format: &str) -> bool {
    OTHER_NOTATIONS.iter().any(|(other, _)| format.contains(other))
}

fn as_strftime(format: &str) -> String {
    OTHER_NOTATIONS.iter().fold(format.to_owned(), |format, (other, conversion)| format.replace(other, conversion))
}

/// Whether events of different years have the same text.
fn is_constant(format: &str) -> bool {
    !format.replace("%%", "").contains('%')
}

/// Whether a delimiter, the end or its own text marks the end of the first piece.
fn is_delimited(pieces: &[Piece]) -> bool {
    let begins_with_underscore = |piece: &Piece| match piece {
        Piece::Literal(literal) => literal.starts_with('_'),
        Piece::Date(format) => check_format(format).is_ok_and(|text| text.starts_with('_')),
        Piece::Attribute(_) | Piece::Day => false,
    };
    match pieces {
        [Piece::Literal(_), ..] | [_] | [] => true,
        [_, Piece::Literal(literal), after @ ..] => match literal.as_bytes() {
            [b'_'] => !after.first().is_some_and(begins_with_underscore),
            [b'_', second, ..] => *second != b'_',
            _ => false,
        },
        _ => false,
    }
}
