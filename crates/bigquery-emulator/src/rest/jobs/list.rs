//! `jobs.list`: the jobs of the registry, newest first.
//!
//! Reference: <https://cloud.google.com/bigquery/docs/reference/rest/v2/jobs/list>.

use std::sync::Arc;

use axum::extract::{RawQuery, State};
use serde_json::{Value, json};
use url::form_urlencoded;

use super::job_resource;
use crate::error::ApiError;
use crate::jobs::job::Job;
use crate::rest::extract::Project;
use crate::rest::server::Server;
use crate::rest::wire::Json;

const MAX_JOBS: usize = 1_000;

/// The query parameters. `allUsers` is ignored, because there is one user.
#[derive(Debug)]
struct ListParams {
    full: bool,
    /// Values of `status.state`; empty for all jobs.
    states: Vec<String>,
    created: std::ops::RangeInclusive<i64>,
    /// Child jobs of a script. Scripts are not supported, so there are none.
    children_only: bool,
    max_results: usize,
    /// The last job of the previous page.
    after: Option<String>,
}

pub(crate) async fn list(
    State(server): State<Arc<Server>>,
    Project(project): Project,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, ApiError> {
    let params = ListParams::parse(query.as_deref().unwrap_or_default())?;
    let of_project = server.jobs.newest_first().into_iter().filter(|job| job.name.project == project);
    let mut jobs: Vec<Arc<Job>> = of_project.collect();
    if let Some(last) = &params.after {
        let position = jobs.iter().position(|job| job.name.id == *last);
        let position = position.ok_or_else(|| ApiError::Invalid(format!("Invalid page token: {last}")))?;
        jobs.drain(..=position);
    }
    jobs.retain(|job| params.matches(job));
    let more = jobs.len() > params.max_results;
    jobs.truncate(params.max_results);

    let entries: Vec<Value> = jobs.iter().map(|job| job_resource::to_list_entry(job, params.full)).collect();
    let mut response = json!({"kind": "bigquery#jobList", "jobs": entries});
    if let Some(last) = jobs.last().filter(|_| more) {
        response["nextPageToken"] = Value::from(last.name.id.clone());
    }
    Ok(Json(response))
}

impl ListParams {
    /// Parses the query string. serde does not support the repeated parameter `stateFilter`.
    fn parse(query: &str) -> Result<ListParams, ApiError> {
        let mut params = ListParams {
            full: false,
            states: Vec::new(),
            created: i64::MIN..=i64::MAX,
            children_only: false,
            max_results: MAX_JOBS,
            after: None,
        };
        for (name, value) in form_urlencoded::parse(query.as_bytes()).filter(|(_, value)| !value.is_empty()) {
            let invalid = |_| ApiError::Invalid(format!("Invalid value for {name}: {value}"));
            match &*name {
                "projection" => params.full = value.eq_ignore_ascii_case("full"),
                "stateFilter" => params.states.push(value.to_ascii_uppercase()),
                "minCreationTime" => params.created = value.parse().map_err(invalid)?..=*params.created.end(),
                "maxCreationTime" => params.created = *params.created.start()..=value.parse().map_err(invalid)?,
                "parentJobId" => params.children_only = true,
                "maxResults" => params.max_results = value.parse::<usize>().map_err(invalid)?.min(MAX_JOBS),
                "pageToken" => params.after = Some(value.into_owned()),
                _ => {}
            }
        }
        Ok(params)
    }

    fn matches(&self, job: &Job) -> bool {
        let state = job_resource::state(job);
        !self.children_only
            && self.created.contains(&job.created)
            && (self.states.is_empty() || self.states.iter().any(|wanted| wanted == state))
    }
}
