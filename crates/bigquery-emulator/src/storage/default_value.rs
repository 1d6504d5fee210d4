//! The `defaultValueExpression` of a column: the value for rows without that column.
//!
//! BigQuery accepts any constant expression. The emulator supports literals, `CURRENT_TIMESTAMP()`, `CURRENT_DATE()`,
//! `CURRENT_TIME()` and `CURRENT_DATETIME()` in UTC, and `GENERATE_UUID()`. It rejects other expressions when the table is
//! created.
//! Reference: <https://cloud.google.com/bigquery/docs/default-values>.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::Value;
use uuid::Uuid;

use super::column_type::ScalarType;
use super::scalar;

/// A parsed default value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum DefaultValue {
    /// A constant in stored form.
    Constant(Value),
    /// The time of the insertion, converted to the type.
    Now(ScalarType),
    /// A random version 4 UUID.
    Uuid,
}

impl DefaultValue {
    /// Parses the expression. Returns `None` if it is not supported, or not valid for the type.
    pub(crate) fn parse(expression: &str, kind: ScalarType) -> Option<DefaultValue> {
        let expression = expression.trim();
        let upper = expression.to_ascii_uppercase();
        match (upper.trim_end_matches("()"), kind) {
            ("CURRENT_TIMESTAMP", ScalarType::Timestamp)
            | ("CURRENT_DATE", ScalarType::Date)
            | ("CURRENT_TIME", ScalarType::Time)
            | ("CURRENT_DATETIME", ScalarType::DateTime) => return Some(DefaultValue::Now(kind)),
            ("GENERATE_UUID", ScalarType::String) => return Some(DefaultValue::Uuid),
            ("TRUE", ScalarType::Boolean) => return Some(DefaultValue::Constant(Value::Bool(true))),
            ("FALSE", ScalarType::Boolean) => return Some(DefaultValue::Constant(Value::Bool(false))),
            _ => {}
        }
        let literal = parse_quoted(expression).or_else(|| parse_number(expression, kind))?;
        scalar::to_stored(kind, &literal).ok().map(DefaultValue::Constant)
    }

    /// Computes the value in its stored form. `now` is in milliseconds since 1970.
    pub(crate) fn value(&self, now: i64) -> Value {
        let civil =
            || Timestamp::from_millisecond(now).expect("the clock is within the years 1 to 9999").to_zoned(TimeZone::UTC).datetime();
        match self {
            DefaultValue::Constant(value) => value.clone(),
            DefaultValue::Now(ScalarType::Date) => Value::String(civil().date().to_string()),
            DefaultValue::Now(ScalarType::Time) => Value::String(civil().time().to_string()),
            DefaultValue::Now(ScalarType::DateTime) => Value::String(civil().to_string()),
            DefaultValue::Now(_) => Value::from(now.saturating_mul(1_000)),
            DefaultValue::Uuid => Value::String(Uuid::new_v4().to_string()),
        }
    }
}

/// `'text'` or `"text"`, without escapes.
fn parse_quoted(expression: &str) -> Option<Value> {
    let within = |quote| expression.strip_prefix(quote)?.strip_suffix(quote);
    let text: &str = within('\'').or_else(|| within('"'))?;
    (!text.contains(['\\', '\'', '"'])).then(|| Value::from(text))
}

fn parse_number(expression: &str, kind: ScalarType) -> Option<Value> {
    let numeric = matches!(kind, ScalarType::Integer | ScalarType::Float | ScalarType::Numeric | ScalarType::BigNumeric);
    (numeric && expression.ends_with(|c: char| c.is_ascii_digit())).then(|| Value::from(expression))
}
