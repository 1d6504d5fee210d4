//! SQL conditions that separate the user's rows from all others, by the types of a table's columns.

use serde_json::Value;

use super::column::{ColumnValue, is_comparable};
use super::subject::{AttributeArg, Subject};
use crate::decode::Schema;
use crate::decode::schema::{Column, ColumnType, Mode};
use crate::google::statement;

/// Maximum length of a text in the regular expression for mentions. The beginning of a longer text is enough.
const MAX_PATTERN_CHARS: usize = 200;

/// Conditions on a table's rows.
#[derive(Debug, Clone)]
pub(crate) struct Condition {
    /// The row is the user's.
    pub(crate) matches: String,
    /// The row is another user's. A row whose columns are NULL matches neither.
    pub(crate) others: String,
    /// The parameters of these two.
    pub(crate) parameters: Vec<Value>,
    /// The row has another spelling of the id.
    pub(crate) similar: String,
    /// The row is not the user's, and another of its columns contains the id.
    pub(crate) mentions: String,
    /// The parameters of all four.
    pub(crate) all_parameters: Vec<Value>,
}

/// The column's type has no `=`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("cannot compare column {column} of type {kind} with a value")]
pub(crate) struct Incomparable {
    column: String,
    kind: String,
}

/// What is known of one attribute of a row, each as SQL.
struct Terms {
    equal: String,
    other: String,
    similar: String,
    mentioned: String,
}

/// Numbered, because a column's name may have characters that a parameter's must not have.
#[derive(Default)]
struct Parameters(Vec<Value>);

impl Parameters {
    fn add(&mut self, value: impl FnOnce(&str) -> Option<Value>) -> Option<String> {
        let name = format!("v{}", self.0.len());
        self.0.push(value(&name)?);
        Some(format!("@{name}"))
    }

    fn text(&mut self, text: &str) -> String {
        let name = format!("v{}", self.0.len());
        self.0.push(statement::scalar(&name, "STRING", text));
        format!("@{name}")
    }
}

impl Condition {
    pub(crate) fn new(subject: &Subject, schema: &Schema) -> Result<Self, Incomparable> {
        let mut parameters = Parameters::default();
        let mut terms = Vec::new();
        for attribute in subject.attributes() {
            // In a table without the column, no row names a user.
            let (equal, other) = match schema.column(&attribute.name) {
                Some(column) => equal_and_other(subject, attribute, column, schema, &mut parameters)?,
                None => ("FALSE".to_owned(), "FALSE".to_owned()),
            };
            terms.push(Terms { equal, other, similar: String::new(), mentioned: String::new() });
        }
        let of_rows = parameters.0.clone();
        for (attribute, terms) in subject.attributes().iter().zip(&mut terms) {
            terms.similar = similar(subject, attribute, schema.column(&attribute.name), &mut parameters);
            terms.mentioned = mentioned(subject, attribute, schema, &mut parameters);
        }
        let all = |term: &dyn Fn(&Terms) -> String| terms.iter().map(term).collect::<Vec<_>>().join(" AND ");
        let matches = all(&|terms| format!("({})", terms.equal));
        let is_not_theirs = format!("NOT IFNULL({matches}, FALSE)");
        Ok(Self {
            others: terms.iter().map(|terms| format!("({})", terms.other)).collect::<Vec<_>>().join(" OR "),
            similar: format!("{} AND {is_not_theirs}", all(&|terms| format!("(IFNULL({}, FALSE) OR {})", terms.equal, terms.similar))),
            mentions: format!("{} AND {is_not_theirs}", all(&|terms| format!("(IFNULL({}, FALSE) OR {})", terms.equal, terms.mentioned))),
            matches,
            parameters: of_rows,
            all_parameters: parameters.0,
        })
    }
}

fn equal_and_other(
    subject: &Subject,
    attribute: &AttributeArg,
    column: &Column,
    schema: &Schema,
    parameters: &mut Parameters,
) -> Result<(String, String), Incomparable> {
    let incomparable = |kind: String| Incomparable { column: column.name.clone(), kind };
    if !is_comparable(column) || column.mode == Mode::Other {
        return Err(incomparable(type_name(column, schema)));
    }
    let name = quoted(&column.name);
    let mut equal = Vec::new();
    for cell in subject.stored_forms(attribute).iter().filter_map(|text| ColumnValue::new(text, column)) {
        let value = parameters.add(|name| cell.parameter(name, column)).ok_or_else(|| incomparable("FLOAT (value NaN)".to_owned()))?;
        equal.push(match column.mode {
            Mode::Repeated => format!("{value} IN UNNEST({name})"),
            _ => format!("{name} = {value}"),
        });
    }
    let is_filled = match column.mode {
        Mode::Repeated => format!("ARRAY_LENGTH({name}) > 0"),
        _ => format!("{name} IS NOT NULL"),
    };
    if equal.is_empty() {
        return Ok(("FALSE".to_owned(), is_filled));
    }
    let equal = equal.join(" OR ");
    let other = format!("{is_filled} AND NOT ({equal})");
    Ok((equal, other))
}

/// Only text has spellings.
fn similar(subject: &Subject, attribute: &AttributeArg, column: Option<&Column>, parameters: &mut Parameters) -> String {
    let Some(column) = column.filter(|column| column.kind == ColumnType::String) else { return "FALSE".to_owned() };
    let forms = subject.other_forms(attribute);
    let texts: Vec<&str> = forms.iter().map(|form| form.stored.as_str()).chain([attribute.value.as_str()]).collect();
    let folded: Vec<String> = texts.iter().map(|text| fold(&parameters.text(text))).collect();
    any_cell(column, |cell| format!("{} IN ({})", fold(cell), folded.join(", ")))
}

/// Without letter case, blanks around the text and differences of Unicode forms.
fn fold(text: &str) -> String {
    format!("NORMALIZE_AND_CASEFOLD(TRIM({text}), NFKC)")
}

/// In the text columns beside those of the attributes.
fn mentioned(subject: &Subject, attribute: &AttributeArg, schema: &Schema, parameters: &mut Parameters) -> String {
    let is_attribute = |column: &&Column| subject.attributes().iter().any(|attribute| column.is_called(&attribute.name));
    let columns: Vec<&Column> =
        schema.columns().iter().filter(|column| column.kind == ColumnType::String && !is_attribute(column)).collect();
    if columns.is_empty() {
        return "FALSE".to_owned();
    }
    let pattern = parameters.text(&mention_pattern(&subject.mentioned_forms(attribute)));
    let contains = |cell: &str| format!("IFNULL(REGEXP_CONTAINS({cell}, {pattern}), FALSE)");
    format!("({})", columns.iter().map(|column| any_cell(column, contains)).collect::<Vec<_>>().join(" OR "))
}

/// The texts between other characters than letters and digits. `%20` before a text is a blank.
fn mention_pattern(texts: &[String]) -> String {
    let escape = |c: char| if r"\.+*?()|[]{}^$".contains(c) { format!("\\{c}") } else { c.to_string() };
    let pattern = |text: &String| {
        let begin: String = text.chars().take(MAX_PATTERN_CHARS).map(escape).collect();
        let end = if text.chars().count() > MAX_PATTERN_CHARS { "" } else { "($|[^0-9A-Za-z])" };
        format!("{begin}{end}")
    };
    let texts: Vec<String> = texts.iter().map(pattern).collect();
    format!("(?i)(^|[^0-9A-Za-z]|%[0-9A-Fa-f][0-9A-Fa-f])({})", texts.join("|"))
}

/// Whether the condition holds for the column's value, or for one of its values. Never NULL.
fn any_cell(column: &Column, condition: impl Fn(&str) -> String) -> String {
    let name = quoted(&column.name);
    match column.mode {
        Mode::Repeated => format!("EXISTS (SELECT 1 FROM UNNEST({name}) AS cell WHERE {})", condition("cell")),
        Mode::Nullable | Mode::Required => format!("IFNULL({}, FALSE)", condition(&name)),
        Mode::Other => "FALSE".to_owned(),
    }
}

/// A name in backticks.
pub(crate) fn quoted(name: &str) -> String {
    format!("`{}`", name.replace('\\', "\\\\").replace('`', "\\`"))
}

/// The type's name in the schema.
fn type_name(column: &Column, schema: &Schema) -> String {
    let field = schema.fields().as_array().into_iter().flatten().find(|field| field["name"] == column.name.as_str());
    field.and_then(|field| field["type"].as_str()).unwrap_or("unknown").to_owned()
}

#[cfg(test)]
mod tests {
    use super::mention_pattern;

    #[test]
    fn a_mention_pattern_escapes_the_id() {
        let pattern = mention_pattern(&["a.b+c".to_owned(), "x".repeat(300)]);
        assert!(pattern.contains(r"(a\.b\+c($|[^0-9A-Za-z])|"), "{pattern}");
        assert!(pattern.len() < 300, "{pattern}");
    }
}
