//! CREATE VIEW: what it writes into the catalog.
//!
//! A view is stored as the table resource that BigQuery shows: `{"view": {"query": …}}`, and its
//! columns as the schema.

use rusqlite::Connection;
use serde_json::{Value, json};

use super::QueryError;
use super::tables::view_query;
use crate::catalog;
use crate::errors::ApiError;
use crate::names::TableRef;
use crate::resource::Members;

/// What to do when there is something of the name already.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Existing {
    Refuse,
    Replace,
    Keep,
}

/// A view on its way into the catalog.
pub(crate) struct NewView {
    pub name: TableRef,
    pub query: String,
    pub schema: Value,
    pub existing: Existing,
}

pub(crate) fn create(db: &Connection, view: &NewView, now: i64) -> Result<(), QueryError> {
    let name = &view.name;
    name.check_id()?;
    if let Some(found) = catalog::find_table(db, name)? {
        match view.existing {
            Existing::Keep => return Ok(()),
            Existing::Refuse => return Err(ApiError::Duplicate(format!("Table {name}")).into()),
            Existing::Replace if view_query(&found)?.is_none() => {
                return Err(QueryError::Invalid(format!("{name} is not allowed for this operation because it is currently a TABLE.")));
            }
            Existing::Replace => catalog::delete_table(db, &found)?,
        }
    }
    let members: Members = match json!({"view": {"query": view.query, "useLegacySql": false}}) {
        Value::Object(members) => members,
        _ => Members::new(),
    };
    Ok(catalog::create_table(db, name, &members, Some(&view.schema), now)?)
}
