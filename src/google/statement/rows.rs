//! The rows of a query, page by page. The rows of all pages must be as many as the answer says, and each has a cell for each
//! column, so that a page without rows is never an empty result by mistake.

use serde_json::Value;

use super::answer::{ResultPage, ResultRow, parse_number, unreadable};
use super::job::Job;
use crate::google::client::Client;
use crate::google::error::ApiResult;

/// Maximum number of pages without rows, one after the other.
const MAX_EMPTY_PAGES: u32 = 10;

/// The result of a query.
#[derive(Debug)]
pub struct Rows {
    job: Job,
    schema: Value,
    /// The number of rows on all pages.
    total: u64,
    /// The last page.
    page: ResultPage,
    /// Rows on the pages so far.
    seen: u64,
    /// Pages without rows since the last page with rows.
    empty_pages: u32,
}

impl Rows {
    pub(super) fn new(job: Job, page: ResultPage) -> ApiResult<Self> {
        let (schema, total) = (page.schema()?.clone(), page.total_rows()?);
        let rows = Self { job, schema, total, seen: page.rows.len() as u64, empty_pages: 0, page };
        rows.check_page()?;
        Ok(rows)
    }

    fn check_page(&self) -> ApiResult<()> {
        let Self { page, seen, total, empty_pages, .. } = self;
        if page.total_rows()? != *total {
            return Err(unreadable("the number of rows differs from page to page"));
        }
        if seen > total || page.next_page.is_none() && seen < total {
            return Err(unreadable(format!("it has {seen} of {total} rows")));
        }
        if *empty_pages > MAX_EMPTY_PAGES {
            return Err(unreadable(format!("{empty_pages} pages have no rows")));
        }
        let columns = self.schema["fields"].as_array().map_or(0, Vec::len);
        if page.rows.iter().any(|row| row.f.len() != columns) {
            return Err(unreadable(format!("a row has not {columns} columns")));
        }
        Ok(())
    }

    /// The number of rows on all pages.
    pub(crate) fn total(&self) -> u64 {
        self.total
    }

    /// The result's schema in the API's JSON.
    pub(crate) fn schema(&self) -> &Value {
        &self.schema
    }

    /// The numbers in the only row of a result.
    pub(crate) fn counts(&mut self) -> ApiResult<Vec<u64>> {
        if self.page.next_page.is_some() {
            return Err(unreadable("a count has a next page"));
        }
        let rows = self.take();
        let [row] = rows.as_slice() else { return Err(unreadable(format!("it has {} rows where one is expected", rows.len()))) };
        let number = |cell: &Value| cell.as_str().and_then(parse_number).ok_or_else(|| unreadable("a count is not a number"));
        row.iter().map(number).collect()
    }

    /// The only number of a result.
    pub(crate) fn count(&mut self) -> ApiResult<u64> {
        match self.counts()?.as_slice() {
            [count] => Ok(*count),
            counts => Err(unreadable(format!("it has {} columns where one is expected", counts.len()))),
        }
    }

    /// The cells of this page's rows.
    pub(crate) fn take(&mut self) -> Vec<Vec<Value>> {
        let cells = |row: ResultRow| row.f.into_iter().map(|cell| cell.v).collect();
        std::mem::take(&mut self.page.rows).into_iter().map(cells).collect()
    }

    /// Gets the next page; `false` if this was the last.
    pub(crate) async fn next(&mut self, client: &Client) -> ApiResult<bool> {
        let Some(token) = self.page.next_page.take() else { return Ok(false) };
        if self.seen == self.total {
            return Ok(false);
        }
        self.page = self.job.page(client, &token).await?;
        self.empty_pages = if self.page.rows.is_empty() { self.empty_pages + 1 } else { 0 };
        self.seen += self.page.rows.len() as u64;
        self.check_page()?;
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::answer::{Answer, JobReference, QUERY};
    use super::*;
    use crate::google::ApiError;

    fn rows(answer: Value) -> ApiResult<Rows> {
        let page = Answer::read(answer, QUERY)?.result.ok_or_else(|| unreadable("the job runs"))?;
        let reference = JobReference { job_id: "j".to_owned(), location: None };
        Rows::new(Job { project: "p".to_owned(), reference }, page)
    }

    /// The answer to a SELECT COUNT(*), with this member replaced.
    fn count_answer(member: &str, value: Value) -> Value {
        let mut answer = json!({
            "kind": QUERY, "jobComplete": true, "jobReference": {"jobId": "j"},
            "schema": {"fields": [{"name": "f0_", "type": "INTEGER"}]}, "totalRows": "1", "rows": [{"f": [{"v": "7"}]}],
        });
        answer[member] = value;
        answer
    }

    #[test]
    fn a_count_is_read() {
        for (member, value) in [("cacheHit", json!(true)), ("pageToken", json!("")), ("pageToken", json!(null)), ("dryRun", json!(false))] {
            assert_eq!(rows(count_answer(member, value)).unwrap().count().unwrap(), 7, "{member}");
        }
    }

    #[test]
    fn an_answer_without_a_readable_count_is_never_zero() {
        let two_columns = json!({"fields": [{"name": "a"}, {"name": "b"}]});
        for answer in [
            json!({}),
            json!({"jobComplete": true}),
            json!({"kind": "bigquery#job", "status": {"state": "DONE"}}),
            json!({"kind": QUERY, "jobComplete": true, "totalRows": "0"}),
            json!({"kind": QUERY, "jobComplete": true, "totalRows": "1"}),
            count_answer("kind", json!(null)),
            count_answer("kind", json!("bigquery#job")),
            count_answer("kind", json!("bigquery#getQueryResultsResponse")),
            count_answer("kind", json!("bigquery#tableDataList")),
            count_answer("dryRun", json!(true)),
            count_answer("errorResult", json!({"reason": "backendError"})),
            count_answer("status", json!({"state": "DONE"})),
            count_answer("jobComplete", json!("true")),
            count_answer("jobComplete", json!(null)),
            count_answer("errors", json!([{"reason": "backendError"}])),
            count_answer("errors", json!("none")),
            count_answer("pageToken", json!("next")),
            count_answer("pageToken", json!(1)),
            count_answer("schema", json!(null)),
            count_answer("schema", json!({})),
            count_answer("schema", json!({"fields": []})),
            count_answer("schema", two_columns),
            count_answer("totalRows", json!(null)),
            count_answer("totalRows", json!(1)),
            count_answer("totalRows", json!("2")),
            count_answer("totalRows", json!("-1")),
            count_answer("rows", json!([])),
            count_answer("rows", json!(null)),
            count_answer("rows", json!({})),
            count_answer("rows", json!([{}])),
            count_answer("rows", json!([{"f": []}])),
            count_answer("rows", json!([{"f": [{}]}])),
            count_answer("rows", json!([{"f": [{"v": null}]}])),
            count_answer("rows", json!([{"f": [{"v": 7}]}])),
            count_answer("rows", json!([{"f": [{"v": "7.0"}]}])),
            count_answer("rows", json!([{"f": [{"v": "-7"}]}])),
            count_answer("rows", json!([{"f": [{"v": "9223372036854775808"}]}])),
            count_answer("rows", json!([{"f": [{"v": "7"}, {"v": "8"}]}])),
            count_answer("rows", json!([{"f": [{"v": "7"}]}, {"f": [{"v": "8"}]}])),
        ] {
            let count = rows(answer.clone()).and_then(|mut rows| rows.count());
            assert!(matches!(count, Err(ApiError::Unreadable { .. })), "{answer}: {count:?}");
        }
    }

    #[test]
    fn an_empty_result_says_so() {
        let mut answer = count_answer("totalRows", json!("0"));
        answer.as_object_mut().unwrap().remove("rows");
        assert!(rows(answer).unwrap().take().is_empty());
    }
}
