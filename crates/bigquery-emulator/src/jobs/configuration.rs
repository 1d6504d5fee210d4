//! `JobConfiguration`: what a query job was told, understood where it matters here and otherwise
//! kept to be shown.
//!
//! Reference: <https://cloud.google.com/bigquery/docs/reference/rest/v2/Job#jobconfiguration>.

use std::time::Duration;

use googlesql::Query;
use serde::Deserialize;
use serde_json::{Value, json};

use super::refused;
use crate::error::ApiError;
use crate::google_json::count;
use crate::names::DatasetRef;
use crate::resource::Members;

/// BigQuery's own limit, which also bounds what is kept of each job.
const MAX_QUERY_BYTES: usize = 1024 * 1024;

/// A query job's configuration, fit to run.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Configuration {
    /// As it was sent.
    sent: Members,
    project: String,
    sql: String,
    default_dataset: Option<DatasetRef>,
    parameters: Vec<Value>,
    pub dry_run: bool,
    /// From the job's creation on.
    pub timeout: Option<Duration>,
}

/// The members that are understood. All may be null.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Sent {
    query: Option<SentQuery>,
    dry_run: Option<bool>,
    #[serde(default, deserialize_with = "count")]
    job_timeout_ms: Option<u64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SentQuery {
    query: Option<String>,
    default_dataset: Option<SentDataset>,
    parameter_mode: Option<String>,
    query_parameters: Option<Vec<Value>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SentDataset {
    project_id: Option<String>,
    dataset_id: Option<String>,
}

impl Configuration {
    /// Takes `{"query": {…}, "labels": …}` apart; refuses what is no query or asks for what this
    /// server does not have.
    pub(crate) fn parse(project: &str, sent: Members) -> Result<Configuration, ApiError> {
        refused::check_kind(&sent)?;
        if let Some(Value::Object(query)) = sent.get("query") {
            refused::check_settings(query)?;
        }
        let unreadable = |error: serde_json::Error| ApiError::BadPayload(format!("Invalid value in the configuration: {error}"));
        let Sent { query, dry_run, job_timeout_ms } = Sent::deserialize(Value::Object(sent.clone())).map_err(unreadable)?;
        let query = query.ok_or_else(|| ApiError::Invalid("Required parameter is missing: query".to_owned()))?;
        let sql = query.query.filter(|sql| !sql.trim().is_empty());
        let sql = sql.ok_or_else(|| ApiError::Invalid("Required parameter is missing: query".to_owned()))?;
        if sql.len() > MAX_QUERY_BYTES {
            let message = "The query is too large. The maximum standard SQL query length is 1024.00K characters, including comments and \
                           white space characters.";
            return Err(ApiError::Invalid(message.to_owned()));
        }
        Ok(Configuration {
            sql,
            default_dataset: query.default_dataset.and_then(|dataset| dataset.named(project)),
            parameters: parameters(query.parameter_mode.as_deref(), query.query_parameters.unwrap_or_default())?,
            dry_run: dry_run.unwrap_or(false),
            // 0 is how some clients write "none".
            timeout: job_timeout_ms.filter(|&milliseconds| milliseconds > 0).map(Duration::from_millis),
            project: project.to_owned(),
            sent,
        })
    }

    /// The query, to be run.
    pub(crate) fn query(&self) -> Query {
        Query {
            project: self.project.clone(),
            default_dataset: self.default_dataset.clone().map(Into::into),
            sql: self.sql.clone(),
            parameters: self.parameters.clone(),
            dry_run: self.dry_run,
        }
    }

    /// As jobs.get shows it: what was sent, and what BigQuery adds.
    pub(crate) fn shown(&self, destination: Value) -> Value {
        let mut shown = Value::Object(self.sent.clone());
        shown["jobType"] = json!("QUERY");
        let query = &mut shown["query"];
        query["useLegacySql"] = json!(false);
        query["destinationTable"] = destination;
        for (name, value) in
            [("createDisposition", "CREATE_IF_NEEDED"), ("priority", "INTERACTIVE"), ("writeDisposition", "WRITE_TRUNCATE")]
        {
            if query[name].is_null() {
                query[name] = Value::from(value);
            }
        }
        shown
    }
}

impl SentDataset {
    fn named(self, project: &str) -> Option<DatasetRef> {
        let dataset = self.dataset_id.filter(|id| !id.is_empty())?;
        let project = self.project_id.filter(|id| !id.is_empty()).unwrap_or_else(|| project.to_owned());
        Some(DatasetRef { project, dataset })
    }
}

/// Named and positional parameters do not mix, and the mode must be the one that they are in.
fn parameters(mode: Option<&str>, parameters: Vec<Value>) -> Result<Vec<Value>, ApiError> {
    let named = |parameter: &Value| parameter.get("name").and_then(Value::as_str).is_some_and(|name| !name.is_empty());
    let count = parameters.iter().filter(|parameter| named(parameter)).count();
    let fits = match mode.unwrap_or_default().to_ascii_uppercase().as_str() {
        "NAMED" => count == parameters.len(),
        "POSITIONAL" => count == 0,
        "" => count == 0 || count == parameters.len(),
        _ => return Err(ApiError::Invalid("Invalid value for parameterMode: it is NAMED or POSITIONAL".to_owned())),
    };
    if fits {
        return Ok(parameters);
    }
    Err(ApiError::Invalid("Query parameters must be all named or all positional, as parameterMode says".to_owned()))
}
