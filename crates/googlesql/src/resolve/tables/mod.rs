//! Looks up a table's name of FROM in the catalog.
//!
//! The name is a table, a view, a wildcard table (`wildcard`) or a metadata table (`metadata`).

mod information_schema;
mod metadata;
mod metadata_table;
mod wildcard;

use std::sync::Arc;

use datafusion::datasource::provider_as_source;
use datafusion::logical_expr::TableSource;
use datafusion::sql::sqlparser::ast;

use super::path::TablePath;
use crate::QueryError;
use crate::catalog::{Catalog, CatalogEntry, DatasetName, TableName};
use crate::error_location::error_at_span;
use crate::query::Query;
use crate::syntax::statement;

/// The table or view of a name in FROM.
pub(crate) enum FoundTable {
    Table {
        source: Arc<dyn TableSource>,
        /// Columns that `*` does not include.
        hidden_columns: &'static [&'static str],
    },
    View {
        name: TableName,
        query: Box<ast::Query>,
    },
}

/// Finds the table or view of a path.
pub(crate) fn find(catalog: &dyn Catalog, path: &TablePath, query: &Query) -> Result<FoundTable, QueryError> {
    if let Some(table) = metadata::find(catalog, path, query)? {
        return Ok(table);
    }
    let name = path.table_name(query)?;
    if let Some(prefix) = name.table.strip_suffix('*') {
        return wildcard::find(catalog, path, &name, prefix);
    }
    if name.table.contains('$') {
        return Err(error_at_span("The BigQuery emulator does not support partitions and table decorators", path.span));
    }
    match find_entry(catalog, &name)? {
        CatalogEntry::View { query } => {
            let query = statement::parse_view(&query).map_err(|error| error_at_span(format!("Invalid view {name}: {error}"), path.span))?;
            Ok(FoundTable::View { name, query })
        }
        CatalogEntry::Table { provider, .. } => {
            if provider.schema().fields().is_empty() {
                return Err(error_at_span(format!("Table {name} does not have a schema."), path.span));
            }
            Ok(FoundTable::Table { source: provider_as_source(provider), hidden_columns: &[] })
        }
    }
}

/// Stored bytes of the table of a DELETE. Fails for a view.
pub(crate) fn bytes_of_table(catalog: &dyn Catalog, path: &TablePath, name: &TableName) -> Result<u64, QueryError> {
    match find_entry(catalog, name)? {
        CatalogEntry::Table { bytes, .. } => Ok(bytes),
        CatalogEntry::View { .. } => {
            Err(error_at_span(format!("{name} is not allowed for this operation because it is currently a VIEW."), path.span))
        }
    }
}

/// Finds the table or view, or fails with BigQuery's "Not found".
fn find_entry(catalog: &dyn Catalog, name: &TableName) -> Result<CatalogEntry, QueryError> {
    match catalog.table(name)? {
        Some(entry) => Ok(entry),
        None => match catalog.dataset(&name.dataset)? {
            Some(_) => Err(QueryError::NotFound(format!("Table {name} was not found in location US"))),
            None => Err(dataset_not_found(&name.dataset)),
        },
    }
}

fn dataset_not_found(name: &DatasetName) -> QueryError {
    QueryError::NotFound(format!("Dataset {name} was not found in location US"))
}
