//! Rejects job types and settings that the emulator does not support.
//!
//! It rejects a setting if the result would be wrong without it. Settings that only affect the operation of BigQuery
//! (priority, caching, billing limits) are kept and returned, and have no effect.

use serde_json::{Map, Value};

use crate::error::ApiError;
use crate::error::JobError;
use crate::resource::Members;

/// Unsupported job types: the member of the configuration, and the feature with an alternative.
const JOB_TYPES: [(&str, &str); 3] = [
    ("load", "load jobs; insert rows with tabledata.insertAll (insert_rows_json, `bq insert`)"),
    ("copy", "copy jobs; read the table with a query"),
    ("extract", "extract jobs; read the rows with a query or tabledata.list"),
];

/// Unsupported settings of a query.
const SETTINGS: [(&str, &str); 8] = [
    ("clustering", "clustered results"),
    ("continuous", "continuous queries"),
    ("createSession", "sessions"),
    ("rangePartitioning", "partitioned results"),
    ("schemaUpdateOptions", "schema updates of destination tables"),
    ("tableDefinitions", "external tables"),
    ("timePartitioning", "partitioned results"),
    ("userDefinedFunctionResources", "user-defined functions"),
];

/// Unsupported connection properties.
const CONNECTION_PROPERTIES: [(&str, &str); 3] = [
    ("dataset_project_id", "dataset_project_id; write the project before the dataset"),
    ("session_id", "sessions"),
    ("time_zone", "a default time zone other than UTC; name the time zone in the function"),
];

/// Rejects a configuration of another job type.
pub(crate) fn check_job_types(configuration: &Members) -> Result<(), ApiError> {
    JOB_TYPES.iter().filter(|(name, _)| is_set(configuration.get(*name))).try_for_each(|(name, _)| check_job_type(name))
}

/// Rejects a job type.
pub(crate) fn check_job_type(name: &str) -> Result<(), ApiError> {
    JOB_TYPES.iter().filter(|(kind, _)| *kind == name).try_for_each(|(_, feature)| Err(not_supported(feature)))
}

/// Rejects the unsupported settings of a query.
pub(crate) fn check_settings(query: &Members) -> Result<(), ApiError> {
    if let Some((_, feature)) = SETTINGS.iter().find(|(name, _)| is_set(query.get(*name))) {
        return Err(not_supported(feature));
    }
    let properties = query.get("connectionProperties").and_then(Value::as_array).into_iter().flatten();
    for key in properties.filter_map(|property| property.get("key")?.as_str()) {
        if let Some((_, feature)) = CONNECTION_PROPERTIES.iter().find(|(name, _)| *name == key) {
            return Err(not_supported(feature));
        }
    }
    check_dialect(query)?;
    check_destination(query)
}

/// Rejects legacy SQL. If `useLegacySql` is absent, the query is GoogleSQL. `bq` omits it by default.
fn check_dialect(query: &Members) -> Result<(), ApiError> {
    let text = query.get("query").and_then(Value::as_str).unwrap_or_default();
    let prefix = text.trim_start().lines().next().unwrap_or_default().trim_end();
    if query.get("useLegacySql") == Some(&Value::Bool(true)) || prefix.eq_ignore_ascii_case("#legacysql") {
        let message =
            "The BigQuery emulator does not support legacy SQL. Write GoogleSQL and set useLegacySql to false (bq: --nouse_legacy_sql).";
        return Err(ApiError::Job(JobError::invalid_query(message.to_owned())));
    }
    Ok(())
}

/// Rejects destination tables, except anonymous tables: some clients send the anonymous table of an earlier response.
fn check_destination(query: &Members) -> Result<(), ApiError> {
    let Some(Value::Object(table)) = query.get("destinationTable") else { return Ok(()) };
    let dataset = table.get("datasetId").and_then(Value::as_str).unwrap_or_default();
    if dataset.starts_with('_') {
        return Ok(());
    }
    Err(not_supported("destination tables; read the result of the query, or create a view"))
}

/// Whether a member is set. Clients send null, false and empty collections for "not set".
fn is_set(value: Option<&Value>) -> bool {
    match value {
        None | Some(Value::Null | Value::Bool(false)) => false,
        Some(Value::Array(elements)) => !elements.is_empty(),
        Some(Value::Object(members)) => !Map::is_empty(members),
        Some(Value::Bool(true) | Value::Number(_) | Value::String(_)) => true,
    }
}

fn not_supported(feature: &str) -> ApiError {
    ApiError::NotImplemented(format!("The BigQuery emulator does not support {feature}."))
}
