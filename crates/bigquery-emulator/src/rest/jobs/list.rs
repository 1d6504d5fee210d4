//! `jobs.list`: the jobs that are remembered, newest first.
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

/// Which jobs, and how much of each. `allUsers` is ignored: there is one user.
#[derive(Debug)]
struct ListParams {
    full: bool,
    /// In the words of `status.state`; empty for all.
    states: Vec<String>,
    created: std::ops::RangeInclusive<i64>,
    /// Of a script; there are none, so none has children.
    children_only: bool,
    most: usize,
    /// The last job of the page before.
    after: Option<String>,
}

pub(crate) async fn list(
    State(server): State<Arc<Server>>,
    Project(project): Project,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, ApiError> {
    let asked = ListParams::parse(query.as_deref().unwrap_or_default())?;
    let of_project = server.jobs.newest_first().into_iter().filter(|job| job.name.project == project);
    let mut jobs: Vec<Arc<Job>> = of_project.collect();
    if let Some(last) = &asked.after {
        let position = jobs.iter().position(|job| job.name.id == *last);
        let position = position.ok_or_else(|| ApiError::Invalid(format!("Invalid page token: {last}")))?;
        jobs.drain(..=position);
    }
    jobs.retain(|job| asked.wants(job));
    let more = jobs.len() > asked.most;
    jobs.truncate(asked.most);

    let entries: Vec<Value> = jobs.iter().map(|job| job_resource::listed(job, asked.full)).collect();
    let mut answer = json!({"kind": "bigquery#jobList", "jobs": entries});
    if let Some(last) = jobs.last().filter(|_| more) {
        answer["nextPageToken"] = Value::from(last.name.id.clone());
    }
    Ok(Json(answer))
}

impl ListParams {
    /// By hand, because `stateFilter` may be repeated.
    fn parse(query: &str) -> Result<ListParams, ApiError> {
        let mut asked =
            ListParams { full: false, states: Vec::new(), created: i64::MIN..=i64::MAX, children_only: false, most: MAX_JOBS, after: None };
        for (name, value) in form_urlencoded::parse(query.as_bytes()).filter(|(_, value)| !value.is_empty()) {
            let invalid = |_| ApiError::Invalid(format!("Invalid value for {name}: {value}"));
            match &*name {
                "projection" => asked.full = value.eq_ignore_ascii_case("full"),
                "stateFilter" => asked.states.push(value.to_ascii_uppercase()),
                "minCreationTime" => asked.created = value.parse().map_err(invalid)?..=*asked.created.end(),
                "maxCreationTime" => asked.created = *asked.created.start()..=value.parse().map_err(invalid)?,
                "parentJobId" => asked.children_only = true,
                "maxResults" => asked.most = value.parse::<usize>().map_err(invalid)?.min(MAX_JOBS),
                "pageToken" => asked.after = Some(value.into_owned()),
                _ => {}
            }
        }
        Ok(asked)
    }

    fn wants(&self, job: &Job) -> bool {
        let state = job_resource::state(job);
        !self.children_only
            && self.created.contains(&job.created)
            && (self.states.is_empty() || self.states.iter().any(|wanted| wanted == state))
    }
}
