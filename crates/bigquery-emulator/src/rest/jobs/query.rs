//! `jobs.query`: starts a job, waits for it a while, and gives the first page of its result.
//!
//! Reference: <https://cloud.google.com/bigquery/docs/reference/rest/v2/jobs/query>.

use std::sync::Arc;

use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value, json};

use super::results::{answer, wait_time};
use crate::error::ApiError;
use crate::error::JobError;
use crate::google_json::count;
use crate::jobs::configuration::Configuration;
use crate::jobs::job::{Job, Success};
use crate::jobs::name::{JobName, LOCATION};
use crate::jobs::page::{self, Wanted};
use crate::resource::Members;
use crate::rest::extract::Project;
use crate::rest::server::Server;
use crate::rest::wire::{Json, JsonBody};

/// The request. What is not listed here is part of the query's configuration.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct QueryRequest {
    #[serde(default, deserialize_with = "count")]
    max_results: Option<u64>,
    #[serde(default, deserialize_with = "count")]
    timeout_ms: Option<u64>,
    format_options: Option<FormatOptions>,
    request_id: Option<String>,
    #[serde(flatten)]
    configuration: Members,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct FormatOptions {
    use_int64_timestamp: Option<bool>,
    timestamp_output_format: Option<String>,
}

/// Members of the request that belong to the job, not to its query.
const OF_THE_JOB: [&str; 3] = ["dryRun", "jobTimeoutMs", "labels"];
/// Members that are neither.
const OF_THE_REQUEST: [&str; 4] = ["jobCreationMode", "kind", "location", "preserveNulls"];

pub(crate) async fn query(
    State(server): State<Arc<Server>>,
    Project(project): Project,
    JsonBody(request): JsonBody<QueryRequest>,
) -> Result<Json<Value>, ApiError> {
    let format = request.format_options.unwrap_or_default();
    let int64_timestamp = page::int64_timestamp(format.use_int64_timestamp.unwrap_or(false), format.timestamp_output_format.as_deref())?;
    let configuration = Configuration::parse(&project, configuration(request.configuration))?;
    if configuration.dry_run {
        return dry_run(&server, &project, &configuration).await.map(Json);
    }
    let now = server.now();
    let request_id = request.request_id.filter(|id| !id.is_empty());
    let job = server.jobs.start(Job::new(JobName::made_up(project), configuration, request_id, now), &server.queries)?;
    let ended = job.wait(wait_time(request.timeout_ms)).await;
    answer("bigquery#queryResponse", &job, ended, Wanted { from: 0, most: request.max_results, int64_timestamp }).await.map(Json)
}

/// What the query would give. There is no job, and so none to ask for later.
async fn dry_run(server: &Server, project: &str, configuration: &Configuration) -> Result<Value, ApiError> {
    let planned = server.queries.run(configuration.query()).await.map_err(|error| ApiError::Job(JobError::from(error)))?;
    let Success { schema, bytes_processed, .. } = planned.into();
    let mut answer = json!({
        "kind": "bigquery#queryResponse",
        "jobReference": {"projectId": project, "location": LOCATION},
        "jobComplete": true,
        "cacheHit": false,
        "totalBytesProcessed": bytes_processed.to_string(),
    });
    if let Some(schema) = schema {
        answer["schema"] = schema;
    }
    Ok(answer)
}

/// The configuration with which jobs.insert would start the same job.
fn configuration(mut sent: Members) -> Members {
    sent.retain(|name, _| !OF_THE_REQUEST.contains(&name.as_str()));
    let mut configuration = Members::new();
    for name in OF_THE_JOB {
        configuration.extend(sent.remove_entry(name));
    }
    configuration.insert("query".to_owned(), Value::Object(sent));
    configuration
}
