//! Builds the `Job` resource for jobs.get, jobs.insert, jobs.cancel and jobs.list.
//!
//! Reference: <https://cloud.google.com/bigquery/docs/reference/rest/v2/Job>.

use serde_json::{Value, json};

use crate::jobs::anonymous;
use crate::jobs::job::{Completion, Job, JobResult};

/// The `Job` resource.
pub(crate) fn to_json(job: &Job) -> Value {
    let completion = job.completion();
    let mut status = json!({"state": state(job)});
    if let Some(Completion { outcome: Err(error), .. }) = &completion {
        status["errorResult"] = error.to_json();
        status["errors"] = json!([error.to_json()]);
    }
    json!({
        "kind": "bigquery#job",
        "id": job.name.to_string(),
        "etag": format!("j{}{}", job.created, state(job)),
        "user_email": "local",
        "principal_subject": "user:local",
        "jobReference": job.reference(),
        "configuration": job.configuration.to_resource(anonymous::table_reference(&job.name)),
        "status": status,
        "statistics": statistics(job, completion.as_ref()),
    })
}

/// An element of jobs.list: it also has the state at the top level, and the configuration only in the full projection.
pub(crate) fn to_list_entry(job: &Job, full: bool) -> Value {
    let mut entry = to_json(job);
    entry["state"] = entry["status"]["state"].clone();
    if let Some(error) = entry["status"].get("errorResult").cloned() {
        entry["errorResult"] = error;
    }
    if !full && let Some(members) = entry.as_object_mut() {
        members.remove("configuration");
    }
    entry
}

/// `PENDING`, `RUNNING` or `DONE`.
pub(crate) fn state(job: &Job) -> &'static str {
    match (job.is_running(), job.started()) {
        (false, _) => "DONE",
        (true, Some(_)) => "RUNNING",
        (true, None) => "PENDING",
    }
}

/// Google's JSON has int64 values as strings.
fn statistics(job: &Job, completion: Option<&Completion>) -> Value {
    let mut statistics = json!({"creationTime": job.created.to_string()});
    if let Some(started) = job.started() {
        statistics["startTime"] = Value::from(started.to_string());
    }
    let Some(Completion { at, outcome }) = completion else { return statistics };
    statistics["endTime"] = Value::from(at.to_string());
    if let Ok(success) = outcome {
        statistics["totalBytesProcessed"] = Value::from(success.bytes_processed.to_string());
        statistics["query"] = query_statistics(success, job.configuration.dry_run);
    }
    statistics
}

fn query_statistics(success: &JobResult, dry_run: bool) -> Value {
    let mut query = json!({
        "statementType": success.statement,
        "totalBytesProcessed": success.bytes_processed.to_string(),
        "totalBytesBilled": "0",
        "cacheHit": false,
    });
    if let Some(rows) = success.affected_rows {
        query["numDmlAffectedRows"] = Value::from(rows.to_string());
        query["dmlStats"] = json!({"deletedRowCount": rows.to_string()});
    }
    if let Some(schema) = success.schema.as_ref().filter(|_| dry_run) {
        query["schema"] = schema.clone();
    }
    query
}
