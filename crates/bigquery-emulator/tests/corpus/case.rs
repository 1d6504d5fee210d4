//! The cases of a `.sql` file: what is asked, and what BigQuery documents for an answer.
//!
//! The notation is told in crates/googlesql/tests/cases/README.md. A line that begins with none of its marks
//! belongs to the SQL.

use std::path::Path;

use serde_json::{Value, json};

use super::types::{Column, Type, columns};

/// One question with its answer.
pub struct Case {
    /// `FILE:LINE`
    pub place: String,
    pub title: String,
    /// Sent one after the other; the answer is that of the last.
    pub statements: Vec<String>,
    /// `queryParameters` of jobs.query.
    pub parameters: Vec<Value>,
    pub expected: Expected,
}

impl Case {
    /// Whether a statement deletes rows or makes a view.
    pub fn changes_tables(&self) -> bool {
        let is_change = |statement: &String| {
            let code = statement.lines().map(str::trim_start).find(|line| !line.is_empty() && !line.starts_with("--"));
            let word = code.and_then(|line| line.split_whitespace().next());
            word.is_some_and(|word| ["DELETE", "CREATE"].iter().any(|change| word.eq_ignore_ascii_case(change)))
        };
        self.statements.iter().any(is_change)
    }
}

/// What must come of it.
pub enum Expected {
    Rows {
        columns: Vec<Column>,
        rows: Vec<Value>,
        ordered: bool,
    },
    /// Rows that a DELETE removes.
    Affected(u64),
    /// Success, and nothing to show for it.
    Nothing,
    /// An error of that reason (of `any`, where none is documented), whose message contains the text.
    Refused {
        reason: String,
        text: String,
    },
}

/// The cases of a file. `root` is the folder of the project, for cases whose SQL is a file of it.
pub fn read(path: &Path, root: &Path) -> Vec<Case> {
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let name = path.file_name().unwrap().to_string_lossy();
    let mut blocks: Vec<(String, &str, Vec<&str>)> = Vec::new();
    for (number, line) in text.lines().enumerate() {
        match (line.strip_prefix("--- "), blocks.last_mut()) {
            (Some(title), _) => blocks.push((format!("{name}:{}", number + 1), title, Vec::new())),
            (None, Some((_, _, lines))) => lines.push(line),
            // Above the first case is the topic and its page in the reference.
            (None, None) => assert!(line.is_empty() || line.starts_with("--"), "{name}:{}: this belongs to no case", number + 1),
        }
    }
    blocks.into_iter().map(|(place, title, lines)| case(place, title, &lines, root)).collect()
}

fn case(place: String, title: &str, lines: &[&str], root: &Path) -> Case {
    let (mut sql, mut parameters) = (String::new(), Vec::new());
    let (mut header, mut rows, mut ordered, mut refused) = (None, Vec::new(), true, None);
    for line in lines {
        match line.split_at_checked(3) {
            Some(("--@", text)) => parameters.push(parameter(text, &place)),
            Some(("--<", file)) => {
                sql += &std::fs::read_to_string(root.join(file.trim())).unwrap_or_else(|error| panic!("{place}: {error}"))
            }
            Some(("-->", text)) => header = Some(text.trim()),
            Some(("--|", text)) => rows.push(row(text, &place)),
            Some(("--~", text)) => {
                ordered = false;
                rows.push(row(text, &place));
            }
            Some(("--!", text)) => refused = Some(text.trim()),
            _ => sql = sql + line + "\n",
        }
    }
    let expected = match (header, refused) {
        (None, Some(refused)) => {
            let (reason, text) = refused.split_once(':').unwrap_or_else(|| panic!("{place}: --! REASON: TEXT"));
            Expected::Refused { reason: reason.to_owned(), text: text.trim().to_owned() }
        }
        (Some("(nothing)"), None) => Expected::Nothing,
        (Some(header), None) => match header.strip_prefix('(').and_then(|text| text.split_once(' ')) {
            Some((count, _)) => Expected::Affected(count.parse().unwrap_or_else(|_| panic!("{place}: --> (N rows affected)"))),
            None => Expected::Rows { columns: columns(header).unwrap_or_else(|error| panic!("{place}: {error}")), rows, ordered },
        },
        (None, None) | (Some(_), Some(_)) => panic!("{place}: a case has either --> or --!"),
    };
    let statements = sql.trim().split(";\n").map(|statement| statement.trim().to_owned()).filter(|statement| !statement.is_empty());
    Case { place, title: title.to_owned(), statements: statements.collect(), parameters, expected }
}

/// The values of a row, as JSON without the outer brackets.
fn row(text: &str, place: &str) -> Value {
    serde_json::from_str(&format!("[{text}]")).unwrap_or_else(|error| panic!("{place}: {error} in {text}"))
}

/// `name TYPE = JSON`, or `TYPE = JSON` for a positional one.
fn parameter(text: &str, place: &str) -> Value {
    let (declared, value) = text.split_once('=').unwrap_or_else(|| panic!("{place}: --@ NAME TYPE = JSON"));
    let value: Value = serde_json::from_str(value).unwrap_or_else(|error| panic!("{place}: {error} in {value}"));
    let declared = declared.trim();
    let named = columns(declared).ok().and_then(|mut columns| columns.pop());
    let (name, kind) = match named {
        Some(column) => (Some(column.name), column.kind),
        None => (None, columns(&format!("_ {declared}")).unwrap_or_else(|error| panic!("{place}: {error}")).pop().unwrap().kind),
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
