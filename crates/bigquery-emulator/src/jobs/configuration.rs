//! `JobConfiguration`: the configuration of a query job.
//!
//! It parses the members that have an effect in the emulator. It keeps the other members and returns them in responses.
//! Reference: <https://cloud.google.com/bigquery/docs/reference/rest/v2/Job#jobconfiguration>.

use std::time::Duration;

use googlesql::Query;
use serde::Deserialize;
use serde_json::{Value, json};

use super::unsupported;
use crate::error::ApiError;
use crate::google_json::deserialize_count;
use crate::names::DatasetRef;
use crate::resource::Members;

/// BigQuery's limit of a query's text.
const MAX_QUERY_BYTES: usize = 1024 * 1024;

/// A checked configuration of a query job.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct JobConfiguration {
    /// The members of the request.
    sent: Members,
    project: String,
    sql: String,
    default_dataset: Option<DatasetRef>,
    parameters: Vec<Value>,
    pub dry_run: bool,
    /// Time limit, which begins at the job's creation.
    pub timeout: Option<Duration>,
}

/// The members that have an effect. All may be null.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct JsonConfiguration {
    query: Option<JsonQuery>,
    dry_run: Option<bool>,
    #[serde(default, deserialize_with = "deserialize_count")]
    job_timeout_ms: Option<u64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct JsonQuery {
    query: Option<String>,
    default_dataset: Option<JsonDataset>,
    parameter_mode: Option<String>,
    query_parameters: Option<Vec<Value>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct JsonDataset {
    project_id: Option<String>,
    dataset_id: Option<String>,
}

impl JobConfiguration {
    /// Parses `{"query": {…}, "labels": …}`. Rejects other job types and unsupported settings.
    pub(crate) fn parse(project: &str, sent: Members) -> Result<JobConfiguration, ApiError> {
        unsupported::check_job_types(&sent)?;
        if let Some(Value::Object(query)) = sent.get("query") {
            unsupported::check_settings(query)?;
        }
        let payload_error = |error: serde_json::Error| ApiError::BadPayload(format!("Invalid value in the configuration: {error}"));
        let JsonConfiguration { query, dry_run, job_timeout_ms } =
            JsonConfiguration::deserialize(Value::Object(sent.clone())).map_err(payload_error)?;
        let query = query.ok_or_else(|| ApiError::Invalid("Required parameter is missing: query".to_owned()))?;
        let sql = query.query.filter(|sql| !sql.trim().is_empty());
        let sql = sql.ok_or_else(|| ApiError::Invalid("Required parameter is missing: query".to_owned()))?;
        if sql.len() > MAX_QUERY_BYTES {
            let message = "The query is too large. The maximum standard SQL query length is 1024.00K characters, including comments and \
                           white space characters.";
            return Err(ApiError::Invalid(message.to_owned()));
        }
        Ok(JobConfiguration {
            sql,
            default_dataset: query.default_dataset.and_then(|dataset| dataset.into_ref(project)),
            parameters: check_parameters(query.parameter_mode.as_deref(), query.query_parameters.unwrap_or_default())?,
            dry_run: dry_run.unwrap_or(false),
            // Some clients send 0 for "no timeout".
            timeout: job_timeout_ms.filter(|&milliseconds| milliseconds > 0).map(Duration::from_millis),
            project: project.to_owned(),
            sent,
        })
    }

    /// The query for the engine.
    pub(crate) fn query(&self) -> Query {
        Query {
            project: self.project.clone(),
            default_dataset: self.default_dataset.clone().map(Into::into),
            sql: self.sql.clone(),
            parameters: self.parameters.clone(),
            dry_run: self.dry_run,
        }
    }

    /// The `JobConfiguration` resource: the members of the request, and those that BigQuery adds.
    pub(crate) fn to_resource(&self, destination: Value) -> Value {
        let mut resource = Value::Object(self.sent.clone());
        resource["jobType"] = json!("QUERY");
        let query = &mut resource["query"];
        query["useLegacySql"] = json!(false);
        query["destinationTable"] = destination;
        for (name, value) in
            [("createDisposition", "CREATE_IF_NEEDED"), ("priority", "INTERACTIVE"), ("writeDisposition", "WRITE_TRUNCATE")]
        {
            if query[name].is_null() {
                query[name] = Value::from(value);
            }
        }
        resource
    }
}

impl JsonDataset {
    fn into_ref(self, project: &str) -> Option<DatasetRef> {
        let dataset = self.dataset_id.filter(|id| !id.is_empty())?;
        let project = self.project_id.filter(|id| !id.is_empty()).unwrap_or_else(|| project.to_owned());
        Some(DatasetRef { project, dataset })
    }
}

/// Checks that all parameters are named or all are positional, and that `parameterMode` agrees.
fn check_parameters(mode: Option<&str>, parameters: Vec<Value>) -> Result<Vec<Value>, ApiError> {
    let named = |parameter: &Value| parameter.get("name").and_then(Value::as_str).is_some_and(|name| !name.is_empty());
    let count = parameters.iter().filter(|parameter| named(parameter)).count();
    let is_consistent = match mode.unwrap_or_default().to_ascii_uppercase().as_str() {
        "NAMED" => count == parameters.len(),
        "POSITIONAL" => count == 0,
        "" => count == 0 || count == parameters.len(),
        _ => return Err(ApiError::Invalid("Invalid value for parameterMode: must be NAMED or POSITIONAL".to_owned())),
    };
    if is_consistent {
        return Ok(parameters);
    }
    Err(ApiError::Invalid("Query parameters must be all named or all positional, and parameterMode must match".to_owned()))
}
