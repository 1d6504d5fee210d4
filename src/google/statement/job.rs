//! The job of a statement: starts it, waits for its end, gets the pages of its result.

use std::time::Duration;

use serde_json::json;
use tokio::time::Instant;

use super::Statement;
use super::answer::{Answer, JobReference, QUERY, RESULTS, ResultPage, unreadable};
use crate::google::client::{Client, path_segment, query_value};
use crate::google::endpoints::Api;
use crate::google::error::{ApiError, ApiResult, Lookup};
use crate::google::retry::RetryPolicy;

/// Maximum time for which one request waits for the job.
const WAIT_MS: u64 = 10_000;
/// Maximum rows of a page. BigQuery sends fewer if they are large.
const PAGE_ROWS: u64 = 1_000;
/// Maximum time of a statement. docs/privacy.md has it, too.
const STATEMENT_TIMEOUT: Duration = Duration::from_secs(600);

/// A job in a project.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) project: String,
    pub(super) reference: JobReference,
}

/// Runs a statement to its end. Absent is a table that it names.
pub(super) async fn run(client: &Client, project: &str, statement: &Statement) -> ApiResult<Lookup<(Job, ResultPage)>> {
    let Statement { sql, parameters } = statement;
    let body = json!({
        "query": sql,
        "useLegacySql": false,
        "timeoutMs": WAIT_MS,
        "maxResults": PAGE_ROWS,
        "parameterMode": "NAMED",
        "queryParameters": parameters,
        // If only the answer is lost, the retry gets it and the statement does not run twice.
        "requestId": format!("{:032x}", fastrand::u128(..)),
    });
    let Lookup::Found(answer) = client.post(Api::BigQuery, &format!("projects/{project}/queries"), &body).await? else {
        return Ok(Lookup::Absent);
    };
    let Answer { job, result } = Answer::read(answer, QUERY)?;
    let job = Job { project: project.to_owned(), reference: job.ok_or_else(|| unreadable("it has no jobReference"))? };
    let result = wait(&job.reference.job_id, result, || job.results(client, None)).await?;
    Ok(Lookup::Found((job, result)))
}

/// Polls until there is a result. A server may answer without waiting for the job.
async fn wait<F>(job: &str, first: Option<ResultPage>, mut poll: impl FnMut() -> F) -> ApiResult<ResultPage>
where
    F: Future<Output = ApiResult<Option<ResultPage>>>,
{
    let started = Instant::now();
    let (mut result, mut delays) = (first, RetryPolicy::POLL.delays());
    loop {
        if let Some(result) = result {
            return Ok(result);
        }
        let delay = delays.next().filter(|delay| started.elapsed() + *delay < STATEMENT_TIMEOUT);
        let Some(delay) = delay else {
            return Err(ApiError::Timeout { job: job.to_owned(), seconds: STATEMENT_TIMEOUT.as_secs() });
        };
        tracing::info!(job, seconds = started.elapsed().as_secs(), "waiting for a statement");
        tokio::time::sleep(delay).await;
        result = poll().await?;
    }
}

impl Job {
    /// The page of the result after `page_token`.
    pub(super) async fn page(&self, client: &Client, page_token: &str) -> ApiResult<ResultPage> {
        self.results(client, Some(page_token)).await?.ok_or_else(|| unreadable("a page of a complete job is not complete"))
    }

    async fn results(&self, client: &Client, page_token: Option<&str>) -> ApiResult<Option<ResultPage>> {
        let JobReference { job_id, location } = &self.reference;
        let mut query = format!("timeoutMs={WAIT_MS}&maxResults={PAGE_ROWS}");
        for (name, value) in [("location", location.as_deref()), ("pageToken", page_token)] {
            if let Some(value) = value {
                query += &format!("&{name}={}", query_value(value));
            }
        }
        let path = format!("projects/{}/queries/{}?{query}", self.project, path_segment(job_id));
        // Absent is the job here, and not a table of the statement.
        let answer = client.get(Api::BigQuery, &path).await?.require(format!("job {job_id}"))?;
        let Answer { job, result } = Answer::read(answer, RESULTS)?;
        if job.is_some_and(|job| job.job_id != *job_id) {
            return Err(unreadable("it is the result of another job"));
        }
        Ok(result)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn polls_have_growing_delays_and_end_with_the_name_of_the_job() {
        let (started, mut times) = (Instant::now(), Vec::new());
        let result = wait("job_7", None, || {
            times.push(started.elapsed());
            std::future::ready(Ok(None))
        });
        let error = result.await.unwrap_err();
        assert!(matches!(&error, ApiError::Timeout { job, seconds: 600 } if job == "job_7"), "{error}");
        assert!((30..150).contains(&times.len()), "{times:?}");
        let pauses: Vec<Duration> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
        assert!(pauses[0] < Duration::from_secs(2) && pauses.last().unwrap() >= &Duration::from_secs(5), "{pauses:?}");
        assert!(started.elapsed() <= STATEMENT_TIMEOUT);
    }

    #[tokio::test(start_paused = true)]
    async fn a_failed_poll_ends_the_wait() {
        let result = wait("j", None, || std::future::ready(Err(unreadable("it is not a JSON object"))));
        assert!(matches!(result.await, Err(ApiError::Unreadable { .. })));
    }
}
