//! Applies CREATE VIEW: stores the view in the catalog.
//!
//! A view is stored as a table resource with the member `{"view": {"query": …}}` and a schema.
//! Reference: <https://cloud.google.com/bigquery/docs/reference/standard-sql/data-definition-language#create_view_statement>.

use googlesql::{NewView, OnExisting, QueryError};
use rusqlite::Connection;
use serde_json::json;

use super::catalog;
use crate::error::ApiError;
use crate::names::TableRef;
use crate::resource::Members;

pub(crate) fn create(db: &Connection, view: &NewView, now: i64) -> Result<(), QueryError> {
    let name = TableRef::from(view.name.clone());
    name.check_id()?;
    if let Some(found) = catalog::find_table(db, &name)? {
        match view.on_existing {
            OnExisting::Keep => return Ok(()),
            OnExisting::Fail => return Err(ApiError::Duplicate(format!("Table {name}")).into()),
            OnExisting::Replace if !found.is_view()? => {
                return Err(QueryError::Invalid(format!("{name} is not allowed for this operation because it is currently a TABLE.")));
            }
            OnExisting::Replace => catalog::delete_table(db, &found)?,
        }
    }
    let members = Members::from_iter([("view".to_owned(), json!({"query": view.query, "useLegacySql": false}))]);
    Ok(catalog::create_table(db, &name, &members, Some(&view.schema), now)?)
}
