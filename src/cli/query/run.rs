//! Runs one query as a job on the server, and prints its pages.

use std::io;
use std::time::Duration;

use gcp_bigquery_client::Client;
use gcp_bigquery_client::error::BQError;
use gcp_bigquery_client::model::get_query_results_parameters::GetQueryResultsParameters;
use gcp_bigquery_client::model::get_query_results_response::GetQueryResultsResponse;
use gcp_bigquery_client::model::job::Job;
use gcp_bigquery_client::model::job_configuration::JobConfiguration;
use gcp_bigquery_client::model::job_configuration_query::JobConfigurationQuery;
use gcp_bigquery_client::model::job_reference::JobReference;

use super::output::Output;
use super::parameters::Parameter;
use super::target::Target;
use super::{RowFormat, pager};
use crate::cli::output::note;
use crate::telemetry::with_causes;

/// Maximum rows of a page.
const PAGE_ROWS: u64 = 1_000;
/// How long one request waits for the job.
const WAIT_MS: i32 = 10_000;
/// How long Ctrl-C waits for the server to accept the cancellation.
const CANCEL_TIMEOUT: Duration = Duration::from_secs(5);

/// What to run and how to print it.
pub(crate) struct Query {
    pub(crate) sql: String,
    pub(crate) parameters: Vec<Parameter>,
    pub(crate) format: RowFormat,
    pub(crate) max_rows: Option<u64>,
    pub(crate) pager: Option<String>,
}

/// How it ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum End {
    Done,
    Interrupted,
}

/// Why a query has no result.
#[derive(Debug, thiserror::Error)]
pub(crate) enum QueryError {
    /// In BigQuery's words.
    #[error("{message}")]
    Query { message: String },
    #[error("cannot reach BigQuery: {0}")]
    Unreachable(String),
    #[error("cannot reach BigQuery: {cause}: start it with `pixel-pipeline local`, or name its port with --local=PORT")]
    NotRunning { cause: String },
    #[error("cannot read the answer of BigQuery: {0}")]
    Unreadable(String),
    #[error("cannot write to standard output: {0}")]
    Output(#[from] io::Error),
}

impl QueryError {
    /// Adds how to start the BigQuery that --local selects.
    fn with_target(self, target: &Target) -> Self {
        match self {
            Self::Unreachable(cause) if target.is_local => Self::NotRunning { cause },
            other => other,
        }
    }

    fn unreadable(problem: &str) -> Self {
        Self::Unreadable(problem.to_owned())
    }
}

impl From<BQError> for QueryError {
    fn from(error: BQError) -> Self {
        match error {
            BQError::ResponseError { error } => Self::Query { message: error.error.message },
            BQError::RequestError(error) => Self::Unreachable(with_causes(&error)),
            other => Self::Unreachable(with_causes(&other)),
        }
    }
}

/// Runs the query to its end, or until Ctrl-C.
pub(crate) async fn run(query: &Query, target: &Target) -> Result<End, QueryError> {
    let client = target.client().await?;
    let job_id = format!("pixel_query_{:032x}", fastrand::u128(..));
    let mut job = JobReference { project_id: Some(target.project.clone()), job_id: Some(job_id.clone()), location: None };
    let interrupt = tokio::signal::ctrl_c();
    let ended = tokio::select! {
        ended = print(query, target, &client, &mut job) => ended.map_err(|error| error.with_target(target)),
        _ = interrupt => Ok(End::Interrupted),
    };
    let is_pipe_closed = matches!(&ended, Err(QueryError::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe);
    if is_pipe_closed || matches!(ended, Ok(End::Interrupted)) {
        // Best effort: the exit must not take long.
        let cancel = client.job().cancel_job(&target.project, &job_id, job.location.as_deref());
        let _ = tokio::time::timeout(CANCEL_TIMEOUT, cancel).await;
    }
    // The reader closed the pipe.
    if is_pipe_closed { Ok(End::Done) } else { ended }
}

async fn print(query: &Query, target: &Target, client: &Client, job: &mut JobReference) -> Result<End, QueryError> {
    let started = client.job().insert(&target.project, job_of(query, target, job)).await?;
    if let Some(location) = started.job_reference.and_then(|reference| reference.location) {
        job.location = Some(location);
    }
    if let Some(error) = started.status.and_then(|status| status.error_result) {
        return Err(QueryError::Query { message: error.message.or(error.reason).unwrap_or_else(|| "BigQuery gives no reason".to_owned()) });
    }
    let mut left = query.max_rows.unwrap_or(u64::MAX);
    let mut page = results(target, client, job, None, left).await?;
    let Some(fields) = page.schema.take().and_then(|schema| schema.fields).filter(|fields| !fields.is_empty()) else {
        report(page.num_dml_affected_rows.as_deref());
        return Ok(End::Done);
    };
    let (out, pager) = pager::open(query.pager.as_deref(), query.format == RowFormat::Table);
    let mut output = Output::new(query.format, fields, out);
    let total: u64 = page
        .total_rows
        .as_deref()
        .and_then(|total| total.parse().ok())
        .ok_or_else(|| QueryError::unreadable("totalRows is not a number"))?;
    loop {
        let rows = page.rows.take().unwrap_or_default();
        let rows = &rows[..rows.len().min(usize::try_from(left).unwrap_or(usize::MAX))];
        left -= rows.len() as u64;
        let next = page.page_token.take().filter(|_| left > 0);
        output.page(rows, next.is_none())?;
        let Some(token) = next else { break };
        page = results(target, client, job, Some(token), left).await?;
    }
    // Closes the pipe: the pager waits for its end.
    drop(output);
    pager.wait();
    let most = query.max_rows.unwrap_or(u64::MAX);
    let printed = most - left;
    if printed < total.min(most) {
        return Err(QueryError::Unreadable(format!("it has {printed} of {total} rows")));
    }
    if let Some(most) = query.max_rows.filter(|&most| most < total) {
        note(format_args!("Printed the first {most} of {total} rows."));
    }
    Ok(End::Done)
}

/// A page; waits until the query is done.
async fn results(
    target: &Target,
    client: &Client,
    job: &JobReference,
    page_token: Option<String>,
    most: u64,
) -> Result<GetQueryResultsResponse, QueryError> {
    let parameters = GetQueryResultsParameters {
        location: job.location.clone(),
        max_results: i32::try_from(most.min(PAGE_ROWS)).ok(),
        page_token,
        timeout_ms: Some(WAIT_MS),
        ..Default::default()
    };
    let id = job.job_id.as_deref().expect("run() sets the id");
    loop {
        let page = client.job().get_query_results(&target.project, id, parameters.clone()).await?;
        match page.job_complete {
            Some(true) => return Ok(page),
            Some(false) => {}
            None => return Err(QueryError::unreadable("jobComplete is missing")),
        }
    }
}

fn job_of(query: &Query, target: &Target, reference: &JobReference) -> Job {
    let parameters: Vec<_> = query.parameters.iter().map(|Parameter(parameter)| parameter.clone()).collect();
    let mode = parameters.first().map(|first| if first.name.is_some() { "NAMED" } else { "POSITIONAL" });
    let configuration = JobConfigurationQuery {
        query: query.sql.clone(),
        use_legacy_sql: Some(false),
        default_dataset: Some(target.dataset.clone()),
        parameter_mode: mode.map(str::to_owned),
        query_parameters: Some(parameters).filter(|parameters| !parameters.is_empty()),
        ..Default::default()
    };
    Job {
        configuration: Some(JobConfiguration { query: Some(configuration), ..Default::default() }),
        job_reference: Some(reference.clone()),
        ..Default::default()
    }
}

/// Reports a statement without rows on standard error: standard output is for rows.
fn report(affected: Option<&str>) {
    match affected {
        Some("1") => note("1 row affected."),
        Some(rows) => note(format_args!("{rows} rows affected.")),
        None => note("Done."),
    }
}
