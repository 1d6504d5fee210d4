//! `jobs.insert`: starts a job and responds immediately or after a short wait.
//!
//! Reference: <https://cloud.google.com/bigquery/docs/reference/rest/v2/jobs/insert>.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use serde::Deserialize;
use serde_json::Value;

use super::job_resource;
use crate::error::ApiError;
use crate::error::JobError;
use crate::jobs::configuration::JobConfiguration;
use crate::jobs::job::Job;
use crate::jobs::name::JobName;
use crate::resource::Members;
use crate::rest::extract::Project;
use crate::rest::server::Server;
use crate::rest::wire::{Json, JsonBody};

/// A job that completes in this time is DONE in the response. Otherwise `bq` sends the next request after one second.
const INSERT_WAIT: Duration = Duration::from_millis(200);

/// The `Job` of the request. The server computes the other members.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct InsertJobRequest {
    job_reference: Option<RequestJobReference>,
    configuration: Option<Members>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RequestJobReference {
    job_id: Option<String>,
}

pub(crate) async fn insert(
    State(server): State<Arc<Server>>,
    Project(project): Project,
    JsonBody(sent): JsonBody<InsertJobRequest>,
) -> Result<Json<Value>, ApiError> {
    let configuration = JobConfiguration::parse(&project, sent.configuration.unwrap_or_default())?;
    let now = server.now();
    let id = sent.job_reference.and_then(|reference| reference.job_id).filter(|id| !id.is_empty());
    if configuration.dry_run {
        let planned = server.queries.run(configuration.query()).await.map_err(|error| ApiError::Job(JobError::from(error)))?;
        // The registry does not keep a dry run, so its job needs no id.
        let job = Job::new(JobName { project, id: id.unwrap_or_default() }, configuration, None, now);
        job.start();
        job.finish(Ok(planned.into()));
        return Ok(Json(job_resource::to_json(&job)));
    }
    let name = match id {
        Some(id) => JobName { project, id },
        None => JobName::generate(project),
    };
    name.check_id()?;
    let job = server.jobs.start(Job::new(name, configuration, None, now), &server.queries)?;
    job.wait(INSERT_WAIT).await;
    Ok(Json(job_resource::to_json(&job)))
}
