//! What BigQuery's jobs can do and these cannot, each with its own answer.
//!
//! A setting is refused when ignoring it would change the result or lose data; one that only tunes
//! the real service (priority, caching, billing limits) is kept, shown and not acted upon.

use serde_json::{Map, Value};

use crate::error::ApiError;
use crate::error::JobError;
use crate::resource::Members;

/// Kinds of jobs, and what to do instead.
const KINDS: [(&str, &str); 3] = [
    ("load", "no load jobs; insert rows with tabledata.insertAll (insert_rows_json, `bq insert`)"),
    ("copy", "no copy jobs; a query can read the table where it is"),
    ("extract", "no extract jobs; read the rows with a query or tabledata.list"),
];

/// Settings of a query.
const SETTINGS: [(&str, &str); 8] = [
    ("clustering", "no clustered results"),
    ("continuous", "no continuous queries"),
    ("createSession", "no sessions"),
    ("rangePartitioning", "no partitioned results"),
    ("schemaUpdateOptions", "no destination tables whose schema could change"),
    ("tableDefinitions", "no external tables"),
    ("timePartitioning", "no partitioned results"),
    ("userDefinedFunctionResources", "no functions other than the built-in ones"),
];

/// Connection properties that would change what a query means.
const CONNECTION: [(&str, &str); 3] = [
    ("dataset_project_id", "no dataset_project_id; write the project before the dataset"),
    ("session_id", "no sessions"),
    ("time_zone", "no default time zone but UTC; name the zone in the function"),
];

/// Refuses a configuration that is not one of a query.
pub(crate) fn check_kind(configuration: &Members) -> Result<(), ApiError> {
    KINDS.iter().filter(|(name, _)| is_set(configuration.get(*name))).try_for_each(|(name, _)| kind(name))
}

/// Refuses a kind of job that this server lacks.
pub(crate) fn kind(name: &str) -> Result<(), ApiError> {
    KINDS.iter().filter(|(kind, _)| *kind == name).try_for_each(|(_, why)| Err(not_here(why)))
}

/// Refuses what a query is told beside its text and parameters.
pub(crate) fn check_settings(query: &Members) -> Result<(), ApiError> {
    if let Some((_, why)) = SETTINGS.iter().find(|(name, _)| is_set(query.get(*name))) {
        return Err(not_here(why));
    }
    let properties = query.get("connectionProperties").and_then(Value::as_array).into_iter().flatten();
    for key in properties.filter_map(|property| property.get("key")?.as_str()) {
        if let Some((_, why)) = CONNECTION.iter().find(|(name, _)| *name == key) {
            return Err(not_here(why));
        }
    }
    check_dialect(query)?;
    check_destination(query)
}

/// Absent means GoogleSQL: `bq` sends nothing unless told, and here is no other dialect.
fn check_dialect(query: &Members) -> Result<(), ApiError> {
    let text = query.get("query").and_then(Value::as_str).unwrap_or_default();
    let prefix = text.trim_start().lines().next().unwrap_or_default().trim_end();
    if query.get("useLegacySql") == Some(&Value::Bool(true)) || prefix.eq_ignore_ascii_case("#legacysql") {
        let message = "The local BigQuery has no legacy SQL. Write GoogleSQL and set useLegacySql to false (bq: --nouse_legacy_sql).";
        return Err(ApiError::Job(JobError::invalid_query(message.to_owned())));
    }
    Ok(())
}

/// Some clients send back the anonymous table that BigQuery named in an earlier answer.
fn check_destination(query: &Members) -> Result<(), ApiError> {
    let Some(Value::Object(table)) = query.get("destinationTable") else { return Ok(()) };
    let dataset = table.get("datasetId").and_then(Value::as_str).unwrap_or_default();
    if dataset.starts_with('_') {
        return Ok(());
    }
    Err(not_here("no destination tables; read the result of the query, or make a view"))
}

/// Whether a member says anything: clients send null, false and empty collections for "not set".
fn is_set(value: Option<&Value>) -> bool {
    match value {
        None | Some(Value::Null | Value::Bool(false)) => false,
        Some(Value::Array(elements)) => !elements.is_empty(),
        Some(Value::Object(members)) => !Map::is_empty(members),
        Some(Value::Bool(true) | Value::Number(_) | Value::String(_)) => true,
    }
}

fn not_here(why: &str) -> ApiError {
    ApiError::NotImplemented(format!("The local BigQuery has {why}."))
}
