//! `defaultValueExpression` of a column: the value of a row that does not mention it.
//!
//! BigQuery takes any constant expression of GoogleSQL; here are those that schemas use: literals,
//! `CURRENT_TIMESTAMP()` and its kin (in UTC), `GENERATE_UUID()`. Others are refused when the
//! table is made, rather than stored as NULL later.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::Value;
use uuid::Uuid;

use super::column_type::Scalar;
use super::scalar;

/// What a missing column gets.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum DefaultValue {
    /// Always this, in stored form.
    Constant(Value),
    /// The moment of the insertion, as far as the type shows it.
    Now(Scalar),
    /// A random version 4 UUID.
    Uuid,
}

impl DefaultValue {
    /// Reads the expression; `None` if it is not one of those above, or not for this type.
    pub(crate) fn parse(expression: &str, kind: Scalar) -> Option<DefaultValue> {
        let expression = expression.trim();
        let upper = expression.to_ascii_uppercase();
        match (upper.trim_end_matches("()"), kind) {
            ("CURRENT_TIMESTAMP", Scalar::Timestamp)
            | ("CURRENT_DATE", Scalar::Date)
            | ("CURRENT_TIME", Scalar::Time)
            | ("CURRENT_DATETIME", Scalar::DateTime) => return Some(DefaultValue::Now(kind)),
            ("GENERATE_UUID", Scalar::String) => return Some(DefaultValue::Uuid),
            ("TRUE", Scalar::Boolean) => return Some(DefaultValue::Constant(Value::Bool(true))),
            ("FALSE", Scalar::Boolean) => return Some(DefaultValue::Constant(Value::Bool(false))),
            _ => {}
        }
        let literal = quoted(expression).or_else(|| number(expression, kind))?;
        scalar::store(kind, &literal).ok().map(DefaultValue::Constant)
    }

    /// The value in its stored form; `now` is in milliseconds since 1970.
    pub(crate) fn value(&self, now: i64) -> Value {
        let civil =
            || Timestamp::from_millisecond(now).expect("the clock shows a year that BigQuery has").to_zoned(TimeZone::UTC).datetime();
        match self {
            DefaultValue::Constant(value) => value.clone(),
            DefaultValue::Now(Scalar::Date) => Value::String(civil().date().to_string()),
            DefaultValue::Now(Scalar::Time) => Value::String(civil().time().to_string()),
            DefaultValue::Now(Scalar::DateTime) => Value::String(civil().to_string()),
            DefaultValue::Now(_) => Value::from(now.saturating_mul(1_000)),
            DefaultValue::Uuid => Value::String(Uuid::new_v4().to_string()),
        }
    }
}

/// `'text'` or `"text"`, without escapes.
fn quoted(expression: &str) -> Option<Value> {
    let within = |quote| expression.strip_prefix(quote)?.strip_suffix(quote);
    let text: &str = within('\'').or_else(|| within('"'))?;
    (!text.contains(['\\', '\'', '"'])).then(|| Value::from(text))
}

fn number(expression: &str, kind: Scalar) -> Option<Value> {
    let numeric = matches!(kind, Scalar::Integer | Scalar::Float | Scalar::Numeric | Scalar::BigNumeric);
    (numeric && expression.ends_with(|c: char| c.is_ascii_digit())).then(|| Value::from(expression))
}
