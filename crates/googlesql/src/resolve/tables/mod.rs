//! What a table's name in FROM stands for: looked up when it is met, nothing is registered.
//!
//! A table or a view, all tables with a prefix (`wildcard`), or what the catalog says of itself (`metadata`).

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

/// What a name in FROM stands for.
pub(crate) enum FoundTable {
    Table {
        source: Arc<dyn TableSource>,
        /// Columns that `*` leaves out.
        hidden: &'static [&'static str],
    },
    View {
        name: TableName,
        query: Box<ast::Query>,
    },
}

/// Looks up what the path stands for.
pub(crate) fn find(catalog: &dyn Catalog, path: &TablePath, query: &Query) -> Result<FoundTable, QueryError> {
    if let Some(table) = metadata::find(catalog, path, query)? {
        return Ok(table);
    }
    let name = path.table(query)?;
    if let Some(prefix) = name.table.strip_suffix('*') {
        return wildcard::find(catalog, path, &name, prefix);
    }
    if name.table.contains('$') {
        return Err(error_at_span("The local BigQuery has no partitions; table decorators are not supported", path.span));
    }
    match existing(catalog, &name)? {
        CatalogEntry::View { query } => {
            let query = statement::view(&query).map_err(|error| error_at_span(format!("Invalid view {name}: {error}"), path.span))?;
            Ok(FoundTable::View { name, query })
        }
        CatalogEntry::Table { provider, .. } => {
            if provider.schema().fields().is_empty() {
                return Err(error_at_span(format!("Table {name} does not have a schema."), path.span));
            }
            Ok(FoundTable::Table { source: provider_as_source(provider), hidden: &[] })
        }
    }
}

/// Bytes of the table that a DELETE is for, which has to be a table.
pub(crate) fn bytes_of_table(catalog: &dyn Catalog, path: &TablePath, name: &TableName) -> Result<u64, QueryError> {
    match existing(catalog, name)? {
        CatalogEntry::Table { bytes, .. } => Ok(bytes),
        CatalogEntry::View { .. } => {
            Err(error_at_span(format!("{name} is not allowed for this operation because it is currently a VIEW."), path.span))
        }
    }
}

/// The table or view, or BigQuery's 404.
fn existing(catalog: &dyn Catalog, name: &TableName) -> Result<CatalogEntry, QueryError> {
    match catalog.table(name)? {
        Some(entry) => Ok(entry),
        None => match catalog.dataset(&name.dataset)? {
            Some(_) => Err(QueryError::NotFound(format!("Table {name} was not found in location US"))),
            None => Err(no_dataset(&name.dataset)),
        },
    }
}

fn no_dataset(name: &DatasetName) -> QueryError {
    QueryError::NotFound(format!("Dataset {name} was not found in location US"))
}
