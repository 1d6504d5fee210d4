//! `jobs.insert`: starts a job and answers at once, or nearly so.
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
use crate::jobs::configuration::Configuration;
use crate::jobs::job::Job;
use crate::jobs::name::JobName;
use crate::resource::Members;
use crate::rest::extract::Project;
use crate::rest::server::Server;
use crate::rest::wire::{Json, JsonBody};

/// A job that ends within this time is answered as DONE; `bq` would else ask again after a second.
const INSERT_WAIT: Duration = Duration::from_millis(200);

/// A `Job` as clients send it; its other members are computed.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SentJob {
    job_reference: Option<SentReference>,
    configuration: Option<Members>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SentReference {
    job_id: Option<String>,
}

pub(crate) async fn insert(
    State(server): State<Arc<Server>>,
    Project(project): Project,
    JsonBody(sent): JsonBody<SentJob>,
) -> Result<Json<Value>, ApiError> {
    let configuration = Configuration::parse(&project, sent.configuration.unwrap_or_default())?;
    let now = server.now();
    let id = sent.job_reference.and_then(|reference| reference.job_id).filter(|id| !id.is_empty());
    if configuration.dry_run {
        let planned = server.queries.run(configuration.query()).await.map_err(|error| ApiError::Job(JobError::from(error)))?;
        // A dry run is not kept: its job needs no id.
        let job = Job::new(JobName { project, id: id.unwrap_or_default() }, configuration, None, now);
        job.start();
        job.finish(Ok(planned.into()));
        return Ok(Json(job_resource::job(&job)));
    }
    let name = match id {
        Some(id) => JobName { project, id },
        None => JobName::made_up(project),
    };
    name.check_id()?;
    let job = server.jobs.start(Job::new(name, configuration, None, now), &server.queries)?;
    job.wait(INSERT_WAIT).await;
    Ok(Json(job_resource::job(&job)))
}
