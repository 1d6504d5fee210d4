//! GoogleSQL statements by `jobs.query`.
//!
//! ```text
//! Statement ─▶ job (start, wait, next page) ─▶ answer (which answers count) ─┬─▶ Rows of a query
//!                                                                            └─▶ number of rows of a DELETE
//! ```
//!
//! A query and a DELETE have different answers, so they are different functions. Neither takes an answer for a result that
//! lacks what its statement returns: an unreadable count is an error, and never zero.

mod answer;
mod job;
mod rows;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::client::Client;
use super::error::{ApiResult, Lookup};
pub use rows::Rows;

/// A statement with named parameters.
#[derive(Debug, Clone)]
pub struct Statement {
    pub sql: String,
    pub parameters: Vec<Value>,
}

/// Runs a SELECT to its end. Absent is a table that it names.
pub(crate) async fn query(client: &Client, project: &str, statement: &Statement) -> ApiResult<Lookup<Rows>> {
    match job::run(client, project, statement).await? {
        Lookup::Found((job, result)) => Rows::new(job, result).map(Lookup::Found),
        Lookup::Absent => Ok(Lookup::Absent),
    }
}

/// Runs a DELETE to its end and returns the number of deleted rows. Absent is a table that it names.
pub(crate) async fn delete(client: &Client, project: &str, statement: &Statement) -> ApiResult<Lookup<u64>> {
    match job::run(client, project, statement).await? {
        Lookup::Found((_, result)) => result.deleted_rows().map(Lookup::Found),
        Lookup::Absent => Ok(Lookup::Absent),
    }
}

pub(crate) fn integer(name: &str, value: i64) -> Value {
    scalar(name, "INT64", &value.to_string())
}

pub(crate) fn timestamp(name: &str, value: Timestamp) -> Value {
    scalar(name, "TIMESTAMP", &crate::decode::coerce::rfc3339_micros(value))
}

/// A parameter of type `ARRAY<STRING>`.
pub(crate) fn strings(name: &str, values: &[String]) -> Value {
    let values: Vec<Value> = values.iter().map(|value| json!({"value": value})).collect();
    json!({
        "name": name,
        "parameterType": {"type": "ARRAY", "arrayType": {"type": "STRING"}},
        "parameterValue": {"arrayValues": values},
    })
}

/// A parameter of the GoogleSQL type `kind`.
pub(crate) fn scalar(name: &str, kind: &str, value: &str) -> Value {
    json!({"name": name, "parameterType": {"type": kind}, "parameterValue": {"value": value}})
}
