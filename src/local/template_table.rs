//! Creates the template table before the service starts, and adds columns of SCHEMA_FILE that it does not have yet.
//!
//! The service creates the table, too, but repeats a failed attempt forever, because BigQuery may be unavailable. Here a
//! failure is final: the local BigQuery does not support the schema, or the settings do not fit it. Columns are only added. Other differences are
//! reported, and the table keeps what it has.

use std::time::Duration;

use serde_json::{Value, json};

use super::tables_api::{TablesApi, columns_of};
use crate::decode::Schema;
use crate::decode::schema::Mode;
use crate::google::bigquery::Table;
use crate::google::{ApiError, Tokens};
use crate::sink::bigquery::{BigQuery, Location};
use crate::sink::template::{Mismatch, TemplateSettings, fitting_schema};
use crate::telemetry::with_causes;

/// The machine may be busy at the start.
const CREATE_TIMEOUT: Duration = Duration::from_secs(30);

/// Why there is no template table.
#[derive(Debug, thiserror::Error)]
pub enum TemplateTableError {
    #[error("cannot create the template table {table}: {source}: change SCHEMA_FILE")]
    NotCreated { table: String, source: ApiError },
    #[error("cannot read the template table {table}: use another --data-dir")]
    NotRead { table: String, source: Box<dyn std::error::Error + Send + Sync> },
    #[error(transparent)]
    Mismatch(#[from] Mismatch),
}

/// Creates the table, or adds columns to it, and compares it with the settings. Returns a sentence for each difference between the table and SCHEMA_FILE.
pub async fn prepare(api: &TablesApi, location: &Location, settings: &TemplateSettings) -> Result<Vec<String>, TemplateTableError> {
    let TemplateSettings { table, schema, auto_create, .. } = settings;
    let table = &**table;
    let Some(resource) = read(api, table).await? else {
        if *auto_create {
            fitting_schema(Table::planned(schema.clone()), settings)?;
            let bigquery = BigQuery::new(location.clone(), Tokens::None, false, CREATE_TIMEOUT);
            let created = bigquery.create_table(table, schema).await;
            created.map_err(|source| TemplateTableError::NotCreated { table: table.to_owned(), source })?;
        }
        return Ok(Vec::new());
    };
    let live = columns_of(&resource, table).map_err(|source| unreadable(table, source))?;
    let notes = add_columns(api, table, &resource, &live, schema).await;
    let resource = if notes.is_empty() { Some(resource) } else { read(api, table).await? };
    if let Some(resource) = resource {
        let found = Table::of_resource(&resource).map_err(|source| unreadable(table, source))?;
        fitting_schema(found, settings)?;
    }
    Ok(notes)
}

async fn read(api: &TablesApi, table: &str) -> Result<Option<Value>, TemplateTableError> {
    api.find(table).await.map_err(|source| unreadable(table, source))
}

fn unreadable(table: &str, source: impl std::error::Error + Send + Sync + 'static) -> TemplateTableError {
    TemplateTableError::NotRead { table: table.to_owned(), source: source.into() }
}

async fn add_columns(api: &TablesApi, table: &str, resource: &Value, live: &Schema, file: &Schema) -> Vec<String> {
    let mut notes = Vec::new();
    let (mut added, mut names) = (Vec::new(), Vec::new());
    let fields = file.fields().as_array().map_or(&[][..], Vec::as_slice);
    for (column, field) in file.columns().iter().zip(fields) {
        let name = &column.name;
        match live.column(name) {
            None if column.mode == Mode::Required => notes.push(format!(
                "Column {name} of SCHEMA_FILE is not in table {table}, and a REQUIRED column cannot be added: make it NULLABLE, or use another --data-dir."
            )),
            None => {
                added.push(field.clone());
                names.push(name.as_str());
            }
            Some(found) if (found.kind, found.mode) != (column.kind, column.mode) => notes.push(format!(
                "Column {name} has another type or mode in table {table} than in SCHEMA_FILE. The table keeps its own: use another --data-dir for the new one."
            )),
            Some(_) => {}
        }
    }
    if !added.is_empty() {
        let names = names.join(", ");
        let old = resource["schema"]["fields"].as_array().cloned().unwrap_or_default();
        let fields: Vec<Value> = old.into_iter().chain(added).collect();
        notes.push(match api.patch(table, &json!({"schema": {"fields": fields}})).await {
            Ok(()) => format!("Added to table {table}: {names}. Tables generated before do not have the new columns."),
            Err(error) => format!("Cannot add {names} to table {table}: {}: use another --data-dir.", with_causes(&error)),
        });
    }
    notes
}
