//! Parses the cases of a `.sql` file. `crates/googlesql/tests/cases/README.md` describes the notation.

use std::path::Path;

use serde_json::{Value, json};

use super::types::{Column, Type, parse_columns};

/// A query and its expected answer.
pub struct Case {
    /// `FILE:LINE`
    pub location: String,
    pub title: String,
    /// The requests, in order. The expected answer is that of the last one.
    pub statements: Vec<String>,
    /// `queryParameters` of jobs.query.
    pub parameters: Vec<Value>,
    pub expected: Expected,
}

impl Case {
    /// Whether a statement deletes rows or creates a view.
    pub fn changes_tables(&self) -> bool {
        let is_change = |statement: &String| {
            let code = statement.lines().map(str::trim_start).find(|line| !line.is_empty() && !line.starts_with("--"));
            let word = code.and_then(|line| line.split_whitespace().next());
            word.is_some_and(|word| ["DELETE", "CREATE"].iter().any(|change| word.eq_ignore_ascii_case(change)))
        };
        self.statements.iter().any(is_change)
    }
}

/// The expected answer.
pub enum Expected {
    Rows {
        columns: Vec<Column>,
        rows: Vec<Value>,
        ordered: bool,
    },
    /// The number of rows that a DELETE removes.
    Affected(u64),
    /// Success without rows.
    Nothing,
    /// An error with this reason (or `any`), whose message contains the text.
    Error {
        reason: String,
        text: String,
    },
}

/// Parses the cases of a file. `root` is the folder of the workspace, for cases whose SQL is in a file.
pub fn parse_file(path: &Path, root: &Path) -> Vec<Case> {
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let name = path.file_name().unwrap().to_string_lossy();
    let mut blocks: Vec<(String, &str, Vec<&str>)> = Vec::new();
    for (number, line) in text.lines().enumerate() {
        match (line.strip_prefix("--- "), blocks.last_mut()) {
            (Some(title), _) => blocks.push((format!("{name}:{}", number + 1), title, Vec::new())),
            (None, Some((_, _, lines))) => lines.push(line),
            // The lines before the first case are comments.
            (None, None) => assert!(line.is_empty() || line.starts_with("--"), "{name}:{}: expected a comment or a case", number + 1),
        }
    }
    blocks.into_iter().map(|(location, title, lines)| parse_case(location, title, &lines, root)).collect()
}

fn parse_case(location: String, title: &str, lines: &[&str], root: &Path) -> Case {
    let (mut sql, mut parameters) = (String::new(), Vec::new());
    let (mut header, mut rows, mut ordered, mut error) = (None, Vec::new(), true, None);
    for line in lines {
        match line.split_at_checked(3) {
            Some(("--@", text)) => parameters.push(parse_parameter(text, &location)),
            Some(("--<", file)) => {
                sql += &std::fs::read_to_string(root.join(file.trim())).unwrap_or_else(|error| panic!("{location}: {error}"))
            }
            Some(("-->", text)) => header = Some(text.trim()),
            Some(("--|", text)) => rows.push(parse_row(text, &location)),
            Some(("--~", text)) => {
                ordered = false;
                rows.push(parse_row(text, &location));
            }
            Some(("--!", text)) => error = Some(text.trim()),
            _ => sql = sql + line + "\n",
        }
    }
    let expected = match (header, error) {
        (None, Some(error)) => {
            let (reason, text) = error.split_once(':').unwrap_or_else(|| panic!("{location}: --! REASON: TEXT"));
            Expected::Error { reason: reason.to_owned(), text: text.trim().to_owned() }
        }
        (Some("(nothing)"), None) => Expected::Nothing,
        (Some(header), None) => match header.strip_prefix('(').and_then(|text| text.split_once(' ')) {
            Some((count, _)) => Expected::Affected(count.parse().unwrap_or_else(|_| panic!("{location}: --> (N rows affected)"))),
            None => Expected::Rows { columns: parse_columns(header).unwrap_or_else(|error| panic!("{location}: {error}")), rows, ordered },
        },
        (None, None) | (Some(_), Some(_)) => panic!("{location}: a case has either --> or --!"),
    };
    let statements = sql.trim().split(";\n").map(|statement| statement.trim().to_owned()).filter(|statement| !statement.is_empty());
    Case { location, title: title.to_owned(), statements: statements.collect(), parameters, expected }
}

/// Parses the values of a row: JSON without the outer brackets.
fn parse_row(text: &str, location: &str) -> Value {
    serde_json::from_str(&format!("[{text}]")).unwrap_or_else(|error| panic!("{location}: {error} in {text}"))
}

/// Parses `name TYPE = JSON`, or `TYPE = JSON` for a positional parameter.
fn parse_parameter(text: &str, location: &str) -> Value {
    let (declared, value) = text.split_once('=').unwrap_or_else(|| panic!("{location}: --@ NAME TYPE = JSON"));
    let value: Value = serde_json::from_str(value).unwrap_or_else(|error| panic!("{location}: {error} in {value}"));
    let declared = declared.trim();
    let named = parse_columns(declared).ok().and_then(|mut columns| columns.pop());
    let (name, kind) = match named {
        Some(column) => (Some(column.name), column.kind),
        None => (None, parse_columns(&format!("_ {declared}")).unwrap_or_else(|error| panic!("{location}: {error}")).pop().unwrap().kind),
    };
    let mut parameter = json!({"parameterType": kind.parameter_type(), "parameterValue": parameter_value(&kind, &value)});
    if let Some(name) = name {
        parameter["name"] = name.into();
    }
    parameter
}

fn parameter_value(kind: &Type, value: &Value) -> Value {
    match (kind, value) {
        (_, Value::Null) => json!({"value": null}),
        (Type::Array(element), Value::Array(values)) => {
            json!({"arrayValues": values.iter().map(|value| parameter_value(element, value)).collect::<Vec<_>>()})
        }
        (Type::Struct(fields), Value::Object(values)) => {
            let fields = fields.iter().map(|field| (field.name.clone(), parameter_value(&field.kind, &values[&field.name])));
            json!({"structValues": fields.collect::<serde_json::Map<_, _>>()})
        }
        (_, Value::String(text)) => json!({"value": text}),
        (_, other) => json!({"value": other.to_string()}),
    }
}
