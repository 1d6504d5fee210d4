//! Adapts the SQL of `schema/` to the columns of a template table.
//!
//! A line of these files can end with a condition:
//!
//! | condition | without such a column |
//! |---|---|
//! | `-- needs NAME TYPE` | the whole statement is left out |
//! | `-- if NAME TYPE` | the line is left out |
//! | `-- unless NAME` | the line is kept; with such a column, it is left out |
//!
//! TYPE is one of [`ColumnClass`]. A condition without a type accepts any type. `deploy/views.sh` and
//! `deploy/terraform/views.tf` implement the same rules, and tests compare the results.

use crate::decode::Schema;
use crate::decode::schema::{Column, ColumnType, Mode};

/// Name and text of each view. A view stands after the views that its query reads.
pub const VIEWS: [(&str, &str); 2] =
    [("events", include_str!("../schema/views/events.sql")), ("events_daily", include_str!("../schema/views/events_daily.sql"))];

/// The types that a condition accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnClass {
    /// Every type and mode.
    Any,
    /// A value that can be grouped and compared: STRING, INTEGER, NUMERIC, BIGNUMERIC, BOOLEAN, BYTES or a time. BigQuery does
    /// not partition by FLOAT.
    Scalar,
    String,
    Timestamp,
    /// A REPEATED STRING.
    Strings,
}

/// The column that a statement needs and the table does not have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the template table has no column {name}{}", .class.description())]
pub struct MissingColumn {
    pub name: String,
    pub class: ColumnClass,
}

/// What a line needs.
struct Condition<'a> {
    word: &'a str,
    name: &'a str,
    class: ColumnClass,
}

/// The statement for a table with these columns, without the conditions.
///
/// # Errors
///
/// The first column that the statement needs and the table does not have.
pub fn for_columns(text: &str, schema: &Schema) -> Result<String, MissingColumn> {
    let mut sql = String::with_capacity(text.len());
    for line in text.lines() {
        let (code, condition) = split_condition(line);
        if let Some(Condition { word, name, class }) = condition {
            let is_present = schema.column(name).is_some_and(|column| class.accepts(column));
            match (word, is_present) {
                ("needs", false) => return Err(MissingColumn { name: name.to_owned(), class }),
                ("if", false) | ("unless", true) => continue,
                _ => {}
            }
        }
        sql += code;
        sql.push('\n');
    }
    Ok(sql)
}

/// The line without its condition, and the condition.
fn split_condition(line: &str) -> (&str, Option<Condition<'_>>) {
    let parse = || {
        let (code, comment) = line.rsplit_once("-- ")?;
        let mut words = comment.split(' ');
        let (word, name) = (words.next()?, words.next()?);
        let class = match words.next() {
            None => ColumnClass::Any,
            Some("SCALAR") => ColumnClass::Scalar,
            Some("STRING") => ColumnClass::String,
            Some("TIMESTAMP") => ColumnClass::Timestamp,
            Some("STRINGS") => ColumnClass::Strings,
            Some(_) => return None,
        };
        let is_condition = words.next().is_none() && matches!(word, "needs" | "if" | "unless");
        is_condition.then_some((code.trim_end(), Condition { word, name, class }))
    };
    parse().map_or((line, None), |(code, condition)| (code, Some(condition)))
}

impl ColumnClass {
    fn accepts(self, Column { kind, mode, .. }: &Column) -> bool {
        let is_single = *mode != Mode::Repeated;
        match self {
            Self::Any => true,
            Self::Scalar => is_single && !matches!(kind, ColumnType::Float | ColumnType::Json | ColumnType::Other),
            Self::String => is_single && *kind == ColumnType::String,
            Self::Timestamp => is_single && *kind == ColumnType::Timestamp,
            Self::Strings => !is_single && *kind == ColumnType::String,
        }
    }

    fn description(self) -> &'static str {
        match self {
            Self::Any => "",
            Self::Scalar => " whose values can be grouped",
            Self::String => " of type STRING",
            Self::Timestamp => " of type TIMESTAMP",
            Self::Strings => " of type STRING and mode REPEATED",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schema(columns: &[(&str, &str, &str)]) -> Schema {
        let fields: Vec<_> =
            columns.iter().map(|(name, kind, mode)| serde_json::json!({"name": name, "type": kind, "mode": mode})).collect();
        Schema::parse(&serde_json::Value::from(fields).to_string()).unwrap()
    }

    #[test]
    fn lines_follow_the_columns_of_the_table() {
        let text = "-- if this is a comment\nSELECT\n  a, -- needs a STRING\n  b, -- if b SCALAR\n  s AS c -- unless c\nFROM t\n";
        let all = schema(&[("A", "STRING", "NULLABLE"), ("b", "INT64", "REQUIRED"), ("c", "JSON", "NULLABLE")]);
        assert_eq!(for_columns(text, &all).unwrap(), "-- if this is a comment\nSELECT\n  a,\n  b,\nFROM t\n");
        let one = schema(&[("a", "STRING", "NULLABLE")]);
        assert_eq!(for_columns(text, &one).unwrap(), "-- if this is a comment\nSELECT\n  a,\n  s AS c\nFROM t\n");
        let error = for_columns(text, &schema(&[("a", "STRING", "REPEATED")])).unwrap_err().to_string();
        assert_eq!(error, "the template table has no column a of type STRING");
    }

    #[test]
    fn a_class_accepts_types_under_both_names() {
        for (kind, mode, expected) in [
            ("INTEGER", "NULLABLE", true),
            ("INT64", "REQUIRED", true),
            ("bool", "NULLABLE", true),
            ("FLOAT64", "NULLABLE", false),
            ("JSON", "NULLABLE", false),
            ("RECORD", "NULLABLE", false),
            ("STRING", "REPEATED", false),
        ] {
            let schema = schema(&[("a", kind, mode)]);
            assert_eq!(for_columns("a -- needs a SCALAR", &schema).is_ok(), expected, "{kind} {mode}");
        }
        assert!(for_columns("a -- needs a STRINGS", &schema(&[("a", "STRING", "REPEATED")])).is_ok());
    }

    #[test]
    fn every_file_of_schema_views_is_listed() {
        let dir = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("schema/views");
        let mut files: Vec<String> = std::fs::read_dir(dir).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
        files.sort();
        assert_eq!(files, VIEWS.map(|(view, _)| format!("{view}.sql")));
    }

    /// Otherwise a view could be created without the view that it reads.
    #[test]
    fn a_view_needs_the_columns_of_the_view_before_it() {
        let [(_, events), (_, daily)] = VIEWS;
        let needs = |text: &'static str| text.lines().filter_map(|line| line.split_once("-- needs ")).map(|(_, column)| column);
        let daily: Vec<&str> = needs(daily).collect();
        assert!(needs(events).all(|column| daily.contains(&column)), "{daily:?}");
    }

    #[test]
    fn a_misspelled_condition_is_found() {
        let dir = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("schema");
        for folder in ["views", "queries"] {
            for file in std::fs::read_dir(dir.join(folder)).unwrap() {
                let path = file.unwrap().path();
                let text = std::fs::read_to_string(&path).unwrap();
                let code = text.lines().filter(|line| !line.starts_with("--"));
                let unread = code.filter(|line| line.contains("-- ") && split_condition(line).1.is_none());
                assert_eq!(unread.collect::<Vec<_>>(), Vec::<&str>::new(), "{}", path.display());
            }
        }
    }
}
