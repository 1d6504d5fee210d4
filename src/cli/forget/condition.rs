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
    /// The row is the user's alone.
    pub(crate) matches: String,
    /// The row names another user. A row whose columns are NULL names no user.
    pub(crate) others: String,
    /// The row names the user and another one, in a REPEATED column.
    pub(crate) joint: String,
    /// The parameters of these three.
    pub(crate) parameters: Vec<Value>,
    /// The row holds the id, which may not be the user's there: in another column, or as the hash of another user.
    pub(crate) doubtful: String,
    /// The row has another spelling of the id.
    pub(crate) similar: String,
    /// Another column of a row that is not the user's contains the id.
    pub(crate) mentions: String,
    /// The parameters of all conditions.
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
    identity: Identity,
    doubtful: String,
    similar: String,
    mentioned: String,
}

/// What the attribute's column says about whose a row is.
struct Identity {
    /// It names the user alone.
    equal: String,
    /// It names the user, and others maybe.
    contains: String,
    /// It names another user.
    other: String,
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
            let identity = match schema.column(&attribute.name) {
                Some(column) => Identity::new(subject, attribute, column, schema, &mut parameters)?,
                None => Identity::none(),
            };
            terms.push(Terms { identity, doubtful: String::new(), similar: String::new(), mentioned: String::new() });
        }
        let of_rows = parameters.0.clone();
        for (attribute, terms) in subject.attributes().iter().zip(&mut terms) {
            let column = schema.column(&attribute.name);
            terms.doubtful = doubtful(subject, attribute, schema, &mut parameters);
            terms.similar = similar(subject, attribute, column, &mut parameters);
            terms.mentioned = mentioned(subject, attribute, schema, &mut parameters);
        }
        let all = |term: &dyn Fn(&Terms) -> String| terms.iter().map(term).collect::<Vec<_>>().join(" AND ");
        let matches = all(&|terms| format!("({})", terms.identity.equal));
        let contains = all(&|terms| format!("({})", terms.identity.contains));
        // Of the rows that do not name the user.
        let or_equal = |term: fn(&Terms) -> &str| {
            let terms = all(&|terms| format!("(IFNULL({}, FALSE) OR {})", terms.identity.contains, term(terms)));
            format!("{terms} AND NOT IFNULL({contains}, FALSE)")
        };
        let doubtful = or_equal(|terms| &terms.doubtful);
        Ok(Self {
            others: terms.iter().map(|terms| format!("({})", terms.identity.other)).collect::<Vec<_>>().join(" OR "),
            joint: if contains == matches { "FALSE".to_owned() } else { format!("{contains} AND NOT IFNULL({matches}, FALSE)") },
            similar: or_equal(|terms| &terms.similar),
            mentions: format!("{} AND NOT ({doubtful})", or_equal(|terms| &terms.mentioned)),
            doubtful,
            matches,
            parameters: of_rows,
            all_parameters: parameters.0,
        })
    }
}

impl Identity {
    /// In a table without the column, no row names a user.
    fn none() -> Self {
        let never = || "FALSE".to_owned();
        Self { equal: never(), contains: never(), other: never() }
    }

    fn new(
        subject: &Subject,
        attribute: &AttributeArg,
        column: &Column,
        schema: &Schema,
        parameters: &mut Parameters,
    ) -> Result<Self, Incomparable> {
        let incomparable = |kind: String| Incomparable { column: column.name.clone(), kind };
        if !is_comparable(column) || column.mode == Mode::Other {
            return Err(incomparable(type_name(column, schema)));
        }
        let mut values = Vec::new();
        for cell in subject.stored_forms(attribute).iter().filter_map(|text| ColumnValue::new(text, column)) {
            let value = parameters.add(|name| cell.parameter(name, column));
            values.push(value.ok_or_else(|| incomparable("FLOAT (value NaN)".to_owned()))?);
        }
        let name = quoted(&column.name);
        let is_theirs = |cell: &str| match values.as_slice() {
            [] => "FALSE".to_owned(),
            values => format!("{cell} IN ({})", values.join(", ")),
        };
        if column.mode == Mode::Repeated {
            let exists = |condition: String| format!("EXISTS (SELECT 1 FROM UNNEST({name}) AS cell WHERE {condition})");
            let (contains, other) = (exists(is_theirs("cell")), exists(format!("NOT {}", is_theirs("cell"))));
            return Ok(match subject.is_id(attribute) {
                true => Self { equal: format!("{contains} AND NOT {other}"), contains, other },
                false => Self { equal: contains.clone(), other: format!("{other} AND NOT {contains}"), contains },
            });
        }
        let equal = is_theirs(&name);
        let other = format!("{name} IS NOT NULL AND NOT ({equal})");
        Ok(Self { contains: equal.clone(), equal, other })
    }
}

/// The attribute's column is the id, which may be the hash of another user; without the column, one of the text columns is
/// the id.
fn doubtful(subject: &Subject, attribute: &AttributeArg, schema: &Schema, parameters: &mut Parameters) -> String {
    match schema.column(&attribute.name) {
        None => {}
        Some(column) if column.kind == ColumnType::String && subject.may_be_a_hash(attribute) => {
            let value = parameters.text(&attribute.value);
            return any_cell(column, |cell| format!("{cell} = {value}"));
        }
        Some(_) => return "FALSE".to_owned(),
    }
    let forms = subject.stored_forms(attribute);
    let texts = forms.iter().chain(Some(&attribute.value).filter(|value| !forms.contains(value)));
    let values = texts.map(|text| parameters.text(text)).collect::<Vec<_>>().join(", ");
    let is_id = |column| any_cell(column, |cell| format!("{cell} IN ({values})"));
    any_of(text_columns(subject, schema).map(is_id))
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
    let pattern = parameters.text(&mention_pattern(&subject.mentioned_forms(attribute)));
    let contains = |cell: &str| format!("IFNULL(REGEXP_CONTAINS({cell}, {pattern}), FALSE)");
    any_of(text_columns(subject, schema).map(|column| any_cell(column, contains)))
}

fn text_columns<'a>(subject: &'a Subject, schema: &'a Schema) -> impl Iterator<Item = &'a Column> {
    let is_attribute = |column: &Column| subject.attributes().iter().any(|attribute| column.is_called(&attribute.name));
    schema.columns().iter().filter(move |column| column.kind == ColumnType::String && !is_attribute(column))
}

fn any_of(conditions: impl Iterator<Item = String>) -> String {
    let conditions: Vec<String> = conditions.collect();
    if conditions.is_empty() { "FALSE".to_owned() } else { format!("({})", conditions.join(" OR ")) }
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
