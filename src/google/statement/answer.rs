//! The answers of `jobs.query` and `jobs.getQueryResults`: which ones are a result, and which ones say that the job runs.
//!
//! <https://cloud.google.com/bigquery/docs/reference/rest/v2/jobs/query#response-body>. Both have the same members and
//! differ in `kind`. Any other answer is an error: the resource of a job, a dry run, a result beside errors.

use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::decode::json::describe;
use crate::google::endpoints::Api;
use crate::google::error::{ApiError, ApiResult};

/// The `kind` of an answer of jobs.query.
pub(super) const QUERY: &str = "bigquery#queryResponse";
/// The same of jobs.getQueryResults.
pub(super) const RESULTS: &str = "bigquery#getQueryResultsResponse";

/// Members of a job's resource. It has the state of the job and not its result.
const JOB_MEMBERS: [&str; 4] = ["configuration", "errorResult", "statistics", "status"];

/// An answer.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) job: Option<JobReference>,
    /// `None` while the job runs.
    pub(super) result: Option<ResultPage>,
}

/// The job, as BigQuery names it.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct JobReference {
    pub(super) job_id: String,
    pub(super) location: Option<String>,
}

/// The result of a complete job, or a page of it. What a statement needs of it is read by the functions below.
#[derive(Debug)]
pub(super) struct ResultPage {
    schema: Value,
    total_rows: Option<u64>,
    /// BigQuery leaves out an empty page.
    pub(super) rows: Vec<ResultRow>,
    pub(super) next_page: Option<String>,
    deleted_rows: Option<u64>,
}

#[derive(Debug, Deserialize)]
pub(super) struct ResultRow {
    pub(super) f: Vec<Cell>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Cell {
    pub(super) v: Value,
}

/// The members that are read.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Members {
    kind: String,
    job_complete: bool,
    job_reference: Option<JobReference>,
    #[serde(default)]
    dry_run: bool,
    /// Those of a job that has not failed, too.
    #[serde(default)]
    errors: Vec<Value>,
    #[serde(default)]
    schema: Value,
    #[serde(default, deserialize_with = "number")]
    total_rows: Option<u64>,
    #[serde(default)]
    rows: Vec<ResultRow>,
    page_token: Option<String>,
    #[serde(default, deserialize_with = "number")]
    num_dml_affected_rows: Option<u64>,
}

/// A 64-bit number, which the API writes as a string.
fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    let text = String::deserialize(deserializer)?;
    parse_number(&text).map(Some).ok_or_else(|| serde::de::Error::custom("a number of rows is not a number"))
}

/// A number of rows. BigQuery counts in INT64.
pub(super) fn parse_number(text: &str) -> Option<u64> {
    text.parse::<i64>().ok()?.try_into().ok()
}

pub(super) fn unreadable(problem: impl Into<String>) -> ApiError {
    ApiError::unreadable(Api::BigQuery, problem)
}

impl Answer {
    /// Reads an answer of this kind.
    pub(super) fn read(answer: Value, expected_kind: &str) -> ApiResult<Self> {
        if let Some(member) = JOB_MEMBERS.iter().find(|member| !answer[**member].is_null()) {
            return Err(unreadable(format!("it has {member}, and is not the result of a query")));
        }
        let members: Members = serde_json::from_value(answer).map_err(|error| unreadable(describe(&error)))?;
        let Members { kind, job_complete, job_reference: job, dry_run, errors, schema, total_rows, rows, page_token, .. } = members;
        if kind != expected_kind {
            return Err(unreadable(format!("it is not of kind {expected_kind}")));
        }
        if dry_run {
            return Err(unreadable("it is the answer to a dry run"));
        }
        if !errors.is_empty() {
            return Err(unreadable("it lists errors of the job"));
        }
        let next_page = page_token.filter(|token| !token.is_empty());
        let page = ResultPage { schema, total_rows, rows, next_page, deleted_rows: members.num_dml_affected_rows };
        Ok(Self { job, result: job_complete.then_some(page) })
    }
}

impl ResultPage {
    /// The number of rows on all pages.
    pub(super) fn total_rows(&self) -> ApiResult<u64> {
        self.total_rows.ok_or_else(|| unreadable("it has no totalRows"))
    }

    /// The schema of a query's rows.
    pub(super) fn schema(&self) -> ApiResult<&Value> {
        let has_columns = self.schema["fields"].as_array().is_some_and(|fields| !fields.is_empty());
        has_columns.then_some(&self.schema).ok_or_else(|| unreadable("it has no schema"))
    }

    /// The number of rows that a DELETE has deleted.
    pub(super) fn deleted_rows(&self) -> ApiResult<u64> {
        if !self.rows.is_empty() || self.next_page.is_some() {
            return Err(unreadable("the answer to a DELETE has rows"));
        }
        self.deleted_rows.ok_or_else(|| unreadable("it has no numDmlAffectedRows"))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn deleted(members: Value) -> ApiResult<u64> {
        let mut answer = json!({"kind": QUERY, "jobComplete": true, "numDmlAffectedRows": "3", "schema": {}});
        answer.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        Answer::read(answer, QUERY)?.result.ok_or_else(|| unreadable("the job runs"))?.deleted_rows()
    }

    #[test]
    fn the_number_of_deleted_rows_is_read() {
        for members in [json!({}), json!({"schema": null}), json!({"totalRows": "0", "rows": []}), json!({"dryRun": false, "etag": "e"})] {
            assert_eq!(deleted(members.clone()).unwrap(), 3, "{members}");
        }
    }

    #[test]
    fn a_delete_without_a_readable_number_is_an_error() {
        for members in [
            json!({"numDmlAffectedRows": null}),
            json!({"numDmlAffectedRows": 3}),
            json!({"numDmlAffectedRows": "-3"}),
            json!({"numDmlAffectedRows": "9223372036854775808"}),
            json!({"kind": null}),
            json!({"kind": RESULTS}),
            json!({"kind": "bigquery#job"}),
            json!({"jobComplete": false}),
            json!({"dryRun": true}),
            json!({"dryRun": "true"}),
            json!({"status": {"state": "DONE"}}),
            json!({"errorResult": {"reason": "backendError"}}),
            json!({"configuration": {"dryRun": true}}),
            json!({"errors": [{"reason": "backendError"}]}),
            json!({"errors": null}),
            json!({"rows": [{"f": [{"v": "1"}]}]}),
            json!({"pageToken": "next"}),
        ] {
            assert!(matches!(deleted(members.clone()), Err(ApiError::Unreadable { .. })), "{members}");
        }
    }
}
