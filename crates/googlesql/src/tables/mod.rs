//! What a table's name in FROM stands for: looked up when it is met, nothing is registered.
//!
//! A plain table or a view, all tables with a prefix (`wildcard`), or what the catalog says of
//! itself (`information_schema`).

mod columns;
mod information_schema;
mod metadata;
mod wildcard;

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use datafusion::datasource::provider_as_source;
use datafusion::logical_expr::TableSource;
use datafusion::sql::sqlparser::ast;
use rusqlite::Connection;

use super::resolve::Path;
use super::scan::{Part, RowsTable};
use super::{Query, QueryError, place, text};
use crate::catalog::{self, Table};
use crate::errors::ApiError;
use crate::names::TableRef;
use crate::schema::Schema;
use crate::store::Reader;

/// The pseudo-column of a wildcard table.
pub(crate) const TABLE_SUFFIX: &str = "_TABLE_SUFFIX";

/// The tables as one connection sees them.
pub(crate) struct Catalog<'a> {
    pub db: &'a Connection,
    pub reader: Reader,
    /// Counts the bytes of the tables that the query reads.
    pub bytes: Arc<AtomicU64>,
}

pub(crate) enum Found {
    Table {
        source: Arc<dyn TableSource>,
        /// Columns that `*` leaves out.
        hidden: &'static [&'static str],
    },
    View {
        name: TableRef,
        query: Box<ast::Query>,
    },
}

impl Catalog<'_> {
    pub(crate) fn find(&self, path: &Path, query: &Query) -> Result<Found, QueryError> {
        if let Some(found) = self.metadata(path, query)? {
            return Ok(found);
        }
        let name = path.table(query)?;
        if let Some(prefix) = name.table.strip_suffix('*') {
            return self.wildcard(path, &name, prefix);
        }
        if name.table.contains('$') {
            return Err(place::refuse_at("The local BigQuery has no partitions; table decorators are not supported", path.span));
        }
        let table = self.existing(&name)?;
        if let Some(text) = view_query(&table)? {
            let query = text::view(&text).map_err(|error| place::refuse_at(format!("Invalid view {name}: {error}"), path.span))?;
            return Ok(Found::View { name, query });
        }
        let schema = schema_of(&table)?;
        if schema.fields.is_empty() {
            let message = format!("Table {name} does not have a schema.");
            return Err(place::refuse_at(message, path.span));
        }
        let fields = columns::fields(&schema, path.span)?;
        let parts = vec![Part { id: table.id, rows: table.rows, bytes: table.bytes, suffix: None }];
        let rows = RowsTable::new(fields, parts, self.reader.clone(), Arc::clone(&self.bytes));
        Ok(Found::Table { source: provider_as_source(Arc::new(rows)), hidden: &[] })
    }

    /// The table that a DELETE is for.
    pub(crate) fn plain_table(&self, path: &Path, query: &Query) -> Result<Table, QueryError> {
        let name = path.table(query)?;
        let table = self.existing(&name)?;
        match view_query(&table)? {
            None => Ok(table),
            Some(_) => {
                Err(place::refuse_at(format!("{name} is not allowed for this operation because it is currently a VIEW."), path.span))
            }
        }
    }

    /// The table, or BigQuery's 404.
    pub(crate) fn existing(&self, name: &TableRef) -> Result<Table, QueryError> {
        let not_found = |what: String| QueryError::Api(ApiError::NotFound(format!("{what} was not found in location US")));
        if catalog::find_dataset(self.db, &name.dataset)?.is_none() {
            return Err(not_found(format!("Dataset {}", name.dataset)));
        }
        catalog::find_table(self.db, name)?.ok_or_else(|| not_found(format!("Table {name}")))
    }
}

/// The query of a view; none for a table.
pub(crate) fn view_query(table: &Table) -> Result<Option<String>, ApiError> {
    let members = table.members()?;
    Ok(members.get("view").and_then(|view| view.get("query")).and_then(|query| query.as_str()).map(str::to_owned))
}

pub(crate) fn schema_of(table: &Table) -> Result<Schema, ApiError> {
    Schema::parse(&table.schema()?.unwrap_or_default())
}
