//! The stored tables as the query engine's catalog.
//!
//! A query looks everything up in one snapshot of the file; the rows are scanned afterwards, batch by batch (`scan`).

use std::sync::Arc;

use googlesql::datafusion::arrow::datatypes::{DataType, Field};
use googlesql::{
    Catalog, CatalogEntry, ColumnInfo, DatasetInfo, DatasetName, Details, QueryError, TABLE_SUFFIX, TableInfo, TableName, WildcardMatch,
};
use serde_json::Value;

use super::catalog::{self, Dataset, Shard, Table};
use super::columns;
use super::scan::{RowsTable, StoredRows};
use super::schema::{Mode, Schema};
use super::store::{Reader, Snapshot};
use crate::error::ApiError;

/// Tables that are read together.
const TABLES_AT_ONCE: usize = 1_000;

/// The catalog of one query.
pub(crate) struct QueryCatalog {
    snapshot: Snapshot,
    reader: Reader,
}

impl QueryCatalog {
    /// The state of the snapshot; `reader` scans the rows.
    pub(crate) fn new(snapshot: Snapshot, reader: Reader) -> QueryCatalog {
        QueryCatalog { snapshot, reader }
    }

    fn find(&self, name: &TableName) -> Result<Option<Table>, ApiError> {
        match catalog::find_dataset(&self.snapshot, &name.dataset.clone().into())? {
            Some(_) => catalog::find_table(&self.snapshot, &name.clone().into()),
            None => Ok(None),
        }
    }

    fn shards(&self, dataset: &Dataset, prefix: &str) -> Result<WildcardMatch, ApiError> {
        let shards = catalog::shards(&self.snapshot, dataset, prefix)?;
        if let Some(view) = shards.iter().find(|shard| shard.is_view) {
            return Ok(WildcardMatch::View(TableName { dataset: dataset.name.clone().into(), table: view.name.clone() }));
        }
        let Some(newest) = shards.iter().max_by_key(|shard| (shard.created, shard.id)) else { return Ok(WildcardMatch::NoTable) };
        let newest_schema = catalog::schema_text(&self.snapshot, newest.id)?;
        let mut fields = fields_of(newest_schema.as_deref())?;
        let mut other_schemas = Vec::new();
        for other in catalog::shard_schemas(&self.snapshot, dataset, prefix)? {
            if other != newest_schema {
                other_schemas.push(fields_of(other.as_deref())?);
            }
        }
        fields.push(Field::new(TABLE_SUFFIX, DataType::Utf8, true));
        let stored = |shard: Shard| StoredRows {
            id: shard.id,
            rows: shard.rows,
            bytes: shard.bytes,
            suffix: Some(shard.name[prefix.len()..].into()),
        };
        let stored = shards.into_iter().map(stored).collect();
        Ok(WildcardMatch::Tables { provider: Arc::new(RowsTable::new(fields, stored, self.reader.clone())), other_schemas })
    }

    fn visit(&self, dataset: &DatasetName, details: Details, visit: &mut dyn FnMut(TableInfo<'_>)) -> Result<(), ApiError> {
        let dataset = catalog::dataset(&self.snapshot, &dataset.clone().into())?;
        // Thousands of tables in a row have the same schema, which is read once.
        let mut last: Option<(Table, Arc<[ColumnInfo]>)> = None;
        loop {
            let after = last.as_ref().map_or("", |(table, _)| &table.name.table);
            let tables = catalog::tables(&self.snapshot, &dataset, after, TABLES_AT_ONCE)?;
            let is_end = tables.len() < TABLES_AT_ONCE;
            for table in tables {
                let columns = match (&last, details) {
                    (_, Details::WithoutColumns) => Arc::from([]),
                    (Some((before, columns)), Details::WithColumns) if before.has_same_schema(&table) => Arc::clone(columns),
                    (_, Details::WithColumns) => column_infos(&Schema::of(&table)?),
                };
                visit(TableInfo {
                    table: &table.name.table,
                    view: table.view_query()?.as_deref(),
                    created: table.created,
                    modified: table.modified,
                    rows: table.rows,
                    bytes: table.bytes,
                    columns: Arc::clone(&columns),
                });
                last = Some((table, columns));
            }
            if is_end {
                return Ok(());
            }
        }
    }
}

impl Catalog for QueryCatalog {
    fn table(&self, name: &TableName) -> Result<Option<CatalogEntry>, QueryError> {
        let Some(table) = self.find(name)? else { return Ok(None) };
        if let Some(query) = table.view_query()? {
            return Ok(Some(CatalogEntry::View { query }));
        }
        let fields = columns::fields(&Schema::of(&table)?);
        let stored = vec![StoredRows { id: table.id, rows: table.rows, bytes: table.bytes, suffix: None }];
        let provider = Arc::new(RowsTable::new(fields, stored, self.reader.clone()));
        Ok(Some(CatalogEntry::Table { provider, bytes: table.bytes.unsigned_abs() }))
    }

    fn wildcard(&self, dataset: &DatasetName, prefix: &str) -> Result<WildcardMatch, QueryError> {
        match catalog::find_dataset(&self.snapshot, &dataset.clone().into())? {
            Some(dataset) => Ok(self.shards(&dataset, prefix)?),
            None => Ok(WildcardMatch::NoDataset),
        }
    }

    fn dataset(&self, name: &DatasetName) -> Result<Option<DatasetInfo>, QueryError> {
        let found = catalog::find_dataset(&self.snapshot, &name.clone().into())?;
        Ok(found.map(|dataset| dataset_info(&dataset)).transpose()?)
    }

    fn datasets(&self, project: &str) -> Result<Vec<DatasetInfo>, QueryError> {
        let found = catalog::datasets(&self.snapshot, project, "", usize::MAX >> 1)?;
        Ok(found.iter().map(dataset_info).collect::<Result<_, _>>()?)
    }

    fn visit_tables(&self, dataset: &DatasetName, details: Details, visit: &mut dyn FnMut(TableInfo<'_>)) -> Result<(), QueryError> {
        Ok(self.visit(dataset, details, visit)?)
    }
}

fn fields_of(schema: Option<&str>) -> Result<Vec<Field>, ApiError> {
    let schema = schema.map(serde_json::from_str).transpose()?;
    Ok(columns::fields(&Schema::parse(&schema.unwrap_or(Value::Null))?))
}

fn column_infos(schema: &Schema) -> Arc<[ColumnInfo]> {
    let info = |column| ColumnInfo { field: columns::field(column), is_nullable: column.mode == Mode::Nullable };
    schema.fields.iter().map(info).collect()
}

fn dataset_info(dataset: &Dataset) -> Result<DatasetInfo, ApiError> {
    let members = dataset.members()?;
    let location = members.get("location").and_then(Value::as_str).unwrap_or("US").to_owned();
    Ok(DatasetInfo { name: dataset.name.clone().into(), location, created: dataset.created, modified: dataset.modified })
}
