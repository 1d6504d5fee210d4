//! A job as jobs.get and jobs.list show it.
//!
//! Reference: <https://cloud.google.com/bigquery/docs/reference/rest/v2/Job>.

use serde_json::{Value, json};

use crate::jobs::anonymous;
use crate::jobs::job::{Ended, Job, Success};

/// The `Job` resource.
pub(crate) fn job(job: &Job) -> Value {
    let ended = job.ended();
    let mut status = json!({"state": state(job)});
    if let Some(Ended { outcome: Err(error), .. }) = &ended {
        status["errorResult"] = error.shown();
        status["errors"] = json!([error.shown()]);
    }
    json!({
        "kind": "bigquery#job",
        "id": job.name.to_string(),
        "etag": format!("j{}{}", job.created, state(job)),
        "user_email": "local",
        "principal_subject": "user:local",
        "jobReference": job.reference(),
        "configuration": job.configuration.shown(anonymous::reference(&job.name)),
        "status": status,
        "statistics": statistics(job, ended.as_ref()),
    })
}

/// An element of jobs.list: the state stands a level higher, and the configuration only in the
/// full projection.
pub(crate) fn listed(shown: &Job, full: bool) -> Value {
    let mut entry = job(shown);
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

/// int64 values are strings, as in all of Google's JSON.
fn statistics(job: &Job, ended: Option<&Ended>) -> Value {
    let mut statistics = json!({"creationTime": job.created.to_string()});
    if let Some(started) = job.started() {
        statistics["startTime"] = Value::from(started.to_string());
    }
    let Some(Ended { at, outcome }) = ended else { return statistics };
    statistics["endTime"] = Value::from(at.to_string());
    if let Ok(success) = outcome {
        statistics["totalBytesProcessed"] = Value::from(success.bytes_processed.to_string());
        statistics["query"] = query_statistics(success, job.configuration.dry_run);
    }
    statistics
}

fn query_statistics(success: &Success, dry_run: bool) -> Value {
    let mut query = json!({
        "statementType": success.statement,
        "totalBytesProcessed": success.bytes_processed.to_string(),
        // Nothing is billed here.
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
