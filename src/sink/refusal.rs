//! Why BigQuery refuses a row, and which of the row's columns it means.
//!
//! It reads BigQuery's location and message. Whether the row or its table is at fault is decided in `bigquery::split`.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

use crate::decode::column_name::is_same_name;

/// What a message contains, in lower case, if the row has a column that the table does not have. Columns follow in the
/// same sentence, or the location names one: `no such field: plan.`, `no such field.`,
/// `JSONObject has fields unknown to BigQuery: root.plan.`
const NO_SUCH_FIELD: [&str; 2] = ["no such field", "unknown to bigquery"];
/// What a message contains, in lower case, if the row lacks a value. It is about no value of the row then.
const MISSING_VALUE: &str = "required field";
/// Before the column in some locations.
const LOCATION_PREFIX: &str = "Field:";

/// Why BigQuery refuses a row permanently.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The column, where BigQuery names one.
    pub column: Option<String>,
    /// BigQuery's message.
    pub detail: String,
    /// The row has a column that the table does not have: a newer schema may help.
    pub no_such_field: bool,
}

impl Refusal {
    /// [`detail`](Self::detail) of a row that BigQuery calls invalid without a message.
    pub const WITHOUT_MESSAGE: &str = "invalid, without a message";

    /// The refusal of one row, from its entry in an answer.
    pub fn of_row(location: Option<String>, message: Option<String>) -> Self {
        let message = message.filter(|message| !message.trim().is_empty());
        Self {
            no_such_field: message.as_deref().is_some_and(|message| text_after_no_such_field(message).is_some()),
            detail: message.map_or(Self::WITHOUT_MESSAGE.to_owned(), |message| format!("invalid: {message}")),
            column: location.filter(|location| !location.trim().is_empty()),
        }
    }

    /// The refusal of a whole request.
    pub fn of_request(detail: String) -> Self {
        Self { column: None, detail, no_such_field: false }
    }

    /// Whether BigQuery names the column or the cause. Without both, the row may only be the neighbour of an invalid one.
    pub fn is_explained(&self) -> bool {
        self.column.is_some() || self.detail != Self::WITHOUT_MESSAGE
    }

    /// The column that the table does not have, if BigQuery names it.
    pub fn missing_column(&self) -> Option<&str> {
        self.column.as_deref().filter(|_| self.no_such_field)
    }

    /// The column of the row that the refusal is about, in the row's spelling. `None` if BigQuery names none, or one that
    /// the row has no value for. `row` is the row's JSON.
    pub fn column_in(&self, row: &[u8]) -> Option<String> {
        self.find_in(row).map(|(column, _)| column)
    }

    /// The JSON of the value of that column.
    pub fn value_in(&self, row: &[u8]) -> Option<String> {
        self.find_in(row).map(|(_, value)| value)
    }

    fn find_in(&self, row: &[u8]) -> Option<(String, String)> {
        if self.detail.to_ascii_lowercase().contains(MISSING_VALUE) {
            return None;
        }
        let columns: BTreeMap<String, &RawValue> = serde_json::from_slice(row).ok()?;
        let of_row = |name: &str| columns.keys().find(|column| is_same_name(column, name));
        let by_location = self.column.as_deref().and_then(|location| {
            let location = location.trim();
            let location = location.strip_prefix(LOCATION_PREFIX).map_or(location, str::trim);
            // A nested location begins with the column, or with the name of the whole row.
            let (first, last) = (location.split('.').next(), location.rsplit('.').next());
            of_row(location).or_else(|| last.and_then(of_row)).or_else(|| first.and_then(of_row))
        });
        let by_text = || {
            let names = text_after_no_such_field(&self.detail)?;
            columns.keys().filter(|column| has_word(names, column)).max_by_key(|column| column.len())
        };
        let column = by_location.or_else(by_text)?;
        Some((column.clone(), columns[column].get().to_owned()))
    }
}

/// The rest of the sentence that says that the table lacks columns.
fn text_after_no_such_field(message: &str) -> Option<&str> {
    let lower_case = message.to_ascii_lowercase();
    let end = NO_SUCH_FIELD.iter().find_map(|text| Some(lower_case.find(text)? + text.len()))?;
    message[end..].split(". ").next()
}

/// Whether the text contains the word, not as a part of a longer one and without regard to case.
fn has_word(text: &str, word: &str) -> bool {
    let (text, word) = (text.to_lowercase(), word.to_lowercase());
    let is_inside = |character: Option<char>| character.is_some_and(|character| character.is_alphanumeric() || character == '_');
    text.match_indices(&word).any(|(at, _)| {
        let (before, after) = (&text[..at], &text[at + word.len()..]);
        !is_inside(before.chars().next_back()) && !is_inside(after.chars().next())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROW: &[u8] = br#"{"user_id":"bob","plan":"pro","planet":"x","order id":"7","Preis":"1","host":"t.example"}"#;

    fn of_row(location: &str, message: &str) -> Refusal {
        Refusal::of_row(Some(location.to_owned()), Some(message.to_owned()))
    }

    #[test]
    fn every_form_of_a_missing_column_is_read() {
        for (location, message, expected) in [
            ("plan", "no such field.", Some("plan")),
            ("plan", "no such field: plan.", Some("plan")),
            ("", "no such field: plan.", Some("plan")),
            ("", "No such field: PLAN", Some("plan")),
            ("root.plan", "no such field: root.plan.", Some("plan")),
            ("", "no such field: root.plan.", Some("plan")),
            ("Field:plan", "no such field.", Some("plan")),
            ("plan.name", "no such field: plan.name.", Some("plan")),
            ("", "JSONObject has fields unknown to BigQuery: root.plan.", Some("plan")),
            ("", "The source object has fields unknown to BigQuery: root.plan. Set allowUnknownFields to True for host.", Some("plan")),
            ("", "The source object has fields unknown to BigQuery: root.plan,root.gone.", Some("plan")),
            ("order id", "no such field: order id.", Some("order id")),
            ("", "no such field: order id.", Some("order id")),
            ("PREIS", "no such field: PREIS.", Some("Preis")),
            ("", "no such field.", None),
            ("gone", "no such field: gone.", None),
            ("", "no such field: plan_b.", None),
        ] {
            let refusal = of_row(location, message);
            assert!(refusal.no_such_field, "{message}");
            assert_eq!(refusal.column_in(ROW).as_deref(), expected, "{location:?} {message}");
        }
    }

    #[test]
    fn the_location_names_a_column_of_the_row_or_another() {
        for (location, message, expected) in [
            ("plan", "Could not convert value to integer. Value: pro", Some("plan")),
            ("Field:plan", "Could not convert value to string", Some("plan")),
            ("Field: plan", "Could not convert value to string", Some("plan")),
            ("root.plan", "This field: plan is not a record.", Some("plan")),
            ("tenant", "Missing required field: tenant.", None),
            ("plan", "Missing required field: plan.name.", None),
            ("", "Missing required field: Msg_0_CLOUD_QUERY_TABLE.plan.", None),
            ("", "Cannot add rows to a table of type VIEW.", None),
            (" ", "The host of plan is bad", None),
        ] {
            let refusal = of_row(location, message);
            assert!(!refusal.no_such_field, "{message}");
            assert_eq!(refusal.column_in(ROW).as_deref(), expected, "{location:?} {message}");
        }
    }
}
