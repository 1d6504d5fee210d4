//! `jobs.query`: starts a job, waits for it, and responds with the first page of its result.
//!
//! Reference: <https://cloud.google.com/bigquery/docs/reference/rest/v2/jobs/query>.

use std::sync::Arc;

use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value, json};

use super::results::{build_response, wait_time};
use crate::error::ApiError;
use crate::error::JobError;
use crate::google_json::deserialize_count;
use crate::jobs::configuration::JobConfiguration;
use crate::jobs::job::{Job, JobResult};
use crate::jobs::name::{JobName, LOCATION};
use crate::jobs::page::{self, PageRequest};
use crate::resource::Members;
use crate::rest::extract::Project;
use crate::rest::server::Server;
use crate::rest::wire::{Json, JsonBody};

/// The request. The other members are part of the job's configuration.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct QueryRequest {
    #[serde(default, deserialize_with = "deserialize_count")]
    max_results: Option<u64>,
    #[serde(default, deserialize_with = "deserialize_count")]
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

/// Members of the request that belong to the job's configuration, and not to the query's.
const JOB_MEMBERS: [&str; 3] = ["dryRun", "jobTimeoutMs", "labels"];
/// Members of the request that belong to neither configuration.
const REQUEST_MEMBERS: [&str; 4] = ["jobCreationMode", "kind", "location", "preserveNulls"];

pub(crate) async fn query(
    State(server): State<Arc<Server>>,
    Project(project): Project,
    JsonBody(request): JsonBody<QueryRequest>,
) -> Result<Json<Value>, ApiError> {
    let format = request.format_options.unwrap_or_default();
    let int64_timestamp =
        page::parse_timestamp_format(format.use_int64_timestamp.unwrap_or(false), format.timestamp_output_format.as_deref())?;
    let configuration = JobConfiguration::parse(&project, configuration(request.configuration))?;
    if configuration.dry_run {
        return dry_run(&server, &project, &configuration).await.map(Json);
    }
    let now = server.now();
    let request_id = request.request_id.filter(|id| !id.is_empty());
    let job = server.jobs.start(Job::new(JobName::generate(project), configuration, request_id, now), &server.queries)?;
    let ended = job.wait(wait_time(request.timeout_ms)).await;
    build_response("bigquery#queryResponse", &job, ended, PageRequest { start: 0, max_results: request.max_results, int64_timestamp })
        .await
        .map(Json)
}

/// Responds with the schema of the query. A dry run creates no job.
async fn dry_run(server: &Server, project: &str, configuration: &JobConfiguration) -> Result<Value, ApiError> {
    let planned = server.queries.run(configuration.query()).await.map_err(|error| ApiError::Job(JobError::from(error)))?;
    let JobResult { schema, bytes_processed, .. } = planned.into();
    let mut response = json!({
        "kind": "bigquery#queryResponse",
        "jobReference": {"projectId": project, "location": LOCATION},
        "jobComplete": true,
        "cacheHit": false,
        "totalBytesProcessed": bytes_processed.to_string(),
    });
    if let Some(schema) = schema {
        response["schema"] = schema;
    }
    Ok(response)
}

/// Converts the request to the configuration of jobs.insert.
fn configuration(mut sent: Members) -> Members {
    sent.retain(|name, _| !REQUEST_MEMBERS.contains(&name.as_str()));
    let mut configuration = Members::new();
    for name in JOB_MEMBERS {
        configuration.extend(sent.remove_entry(name));
    }
    configuration.insert("query".to_owned(), Value::Object(sent));
    configuration
}
