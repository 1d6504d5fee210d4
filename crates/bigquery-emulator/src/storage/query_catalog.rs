//! Implements the query engine's `Catalog` over the stored tables.
//!
//! A query resolves all names in one snapshot of the database. Later it scans the rows batch by batch (`scan`).

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

/// Number of tables that one SQL query reads.
const TABLE_BATCH_SIZE: usize = 1_000;

/// The catalog of one query.
pub(crate) struct QueryCatalog {
    snapshot: Snapshot,
    reader: Reader,
}

impl QueryCatalog {
    /// Creates the catalog of a snapshot. `reader` scans the rows.
    pub(crate) fn new(snapshot: Snapshot, reader: Reader) -> QueryCatalog {
        QueryCatalog { snapshot, reader }
    }

    fn find_table(&self, name: &TableName) -> Result<Option<Table>, ApiError> {
        match catalog::find_dataset(&self.snapshot, &name.dataset.clone().into())? {
            Some(_) => catalog::find_table(&self.snapshot, &name.clone().into()),
            None => Ok(None),
        }
    }

    fn find_shards(&self, dataset: &Dataset, prefix: &str) -> Result<WildcardMatch, ApiError> {
        let shards = catalog::shards(&self.snapshot, dataset, prefix)?;
        if let Some(view) = shards.iter().find(|shard| shard.is_view) {
            return Ok(WildcardMatch::View(TableName { dataset: dataset.name.clone().into(), table: view.name.clone() }));
        }
        let Some(newest) = shards.iter().max_by_key(|shard| (shard.created, shard.id)) else { return Ok(WildcardMatch::NoTable) };
        let newest_schema = catalog::schema_text(&self.snapshot, newest.id)?;
        let mut fields = parse_fields(newest_schema.as_deref())?;
        let mut other_schemas = Vec::new();
        for other in catalog::shard_schemas(&self.snapshot, dataset, prefix)? {
            if other != newest_schema {
                other_schemas.push(parse_fields(other.as_deref())?);
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
        // Many consecutive tables have the same schema, so it is parsed once.
        let mut last: Option<(Table, Arc<[ColumnInfo]>)> = None;
        loop {
            let after = last.as_ref().map_or("", |(table, _)| &table.name.table);
            let tables = catalog::tables(&self.snapshot, &dataset, after, TABLE_BATCH_SIZE)?;
            let is_end = tables.len() < TABLE_BATCH_SIZE;
            for table in tables {
                let columns = match (&last, details) {
                    (_, Details::WithoutColumns) => Arc::from([]),
                    (Some((before, columns)), Details::WithColumns) if before.has_same_schema(&table) => Arc::clone(columns),
                    (_, Details::WithColumns) => column_infos(&Schema::from_table(&table)?),
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
        let Some(table) = self.find_table(name)? else { return Ok(None) };
        if let Some(query) = table.view_query()? {
            return Ok(Some(CatalogEntry::View { query }));
        }
        let fields = columns::to_arrow_fields(&Schema::from_table(&table)?);
        let stored = vec![StoredRows { id: table.id, rows: table.rows, bytes: table.bytes, suffix: None }];
        let provider = Arc::new(RowsTable::new(fields, stored, self.reader.clone()));
        Ok(Some(CatalogEntry::Table { provider, bytes: table.bytes.unsigned_abs() }))
    }

    fn wildcard(&self, dataset: &DatasetName, prefix: &str) -> Result<WildcardMatch, QueryError> {
        match catalog::find_dataset(&self.snapshot, &dataset.clone().into())? {
            Some(dataset) => Ok(self.find_shards(&dataset, prefix)?),
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

fn parse_fields(schema: Option<&str>) -> Result<Vec<Field>, ApiError> {
    let schema = schema.map(serde_json::from_str).transpose()?;
    Ok(columns::to_arrow_fields(&Schema::parse(&schema.unwrap_or(Value::Null))?))
}

fn column_infos(schema: &Schema) -> Arc<[ColumnInfo]> {
    let info = |column| ColumnInfo { field: columns::to_arrow_field(column), is_nullable: column.mode == Mode::Nullable };
    schema.fields.iter().map(info).collect()
}

fn dataset_info(dataset: &Dataset) -> Result<DatasetInfo, ApiError> {
    let members = dataset.members()?;
    let location = members.get("location").and_then(Value::as_str).unwrap_or("US").to_owned();
    Ok(DatasetInfo { name: dataset.name.clone().into(), location, created: dataset.created, modified: dataset.modified })
}
