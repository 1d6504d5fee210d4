//! The columns and rows of the views of INFORMATION_SCHEMA.
//!
//! Reference: <https://cloud.google.com/bigquery/docs/information-schema-intro>.

use std::sync::Arc;

use super::dataset_not_found;
use super::metadata_table::MetadataTable;
use super::metadata_table::MetadataValue::{self, Millis, Number, Text};
use crate::QueryError;
use crate::catalog::{Catalog, ColumnInfo, DatasetInfo, DatasetName, Details, TableInfo};
use crate::types;
use datafusion::arrow::datatypes::DataType;

/// The project or dataset of a metadata query.
pub(crate) enum MetadataScope {
    Project(String),
    Dataset(DatasetName),
}

/// A view of INFORMATION_SCHEMA.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum MetadataView {
    Tables,
    Columns,
    TableStorage,
    Schemata,
    Views,
    /// `dataset.__TABLES__`, the legacy metadata table.
    LegacyTables,
}

impl MetadataView {
    pub(crate) fn named(name: &str) -> Option<MetadataView> {
        Some(match name {
            "TABLES" => MetadataView::Tables,
            "COLUMNS" => MetadataView::Columns,
            "TABLE_STORAGE" => MetadataView::TableStorage,
            "SCHEMATA" => MetadataView::Schemata,
            "VIEWS" => MetadataView::Views,
            "__TABLES__" => MetadataView::LegacyTables,
            _ => return None,
        })
    }

    fn columns(self) -> Vec<(&'static str, DataType)> {
        let (text, number, moment) = (DataType::Utf8, DataType::Int64, types::timestamp());
        let names: &[(&str, &DataType)] = match self {
            MetadataView::Tables => &[
                ("table_catalog", &text),
                ("table_schema", &text),
                ("table_name", &text),
                ("table_type", &text),
                ("is_insertable_into", &text),
                ("is_typed", &text),
                ("creation_time", &moment),
            ],
            MetadataView::Columns => &[
                ("table_catalog", &text),
                ("table_schema", &text),
                ("table_name", &text),
                ("column_name", &text),
                ("ordinal_position", &number),
                ("is_nullable", &text),
                ("data_type", &text),
                ("is_partitioning_column", &text),
            ],
            MetadataView::TableStorage => &[
                ("project_id", &text),
                ("table_schema", &text),
                ("table_name", &text),
                ("creation_time", &moment),
                ("total_rows", &number),
                ("total_logical_bytes", &number),
                ("active_logical_bytes", &number),
                ("long_term_logical_bytes", &number),
                ("table_type", &text),
            ],
            MetadataView::Schemata => &[
                ("catalog_name", &text),
                ("schema_name", &text),
                ("creation_time", &moment),
                ("last_modified_time", &moment),
                ("location", &text),
            ],
            MetadataView::Views => &[
                ("table_catalog", &text),
                ("table_schema", &text),
                ("table_name", &text),
                ("view_definition", &text),
                ("use_standard_sql", &text),
            ],
            MetadataView::LegacyTables => &[
                ("project_id", &text),
                ("dataset_id", &text),
                ("table_id", &text),
                ("creation_time", &number),
                ("last_modified_time", &number),
                ("row_count", &number),
                ("size_bytes", &number),
                ("type", &number),
            ],
        };
        names.iter().map(|(name, data_type)| (*name, (*data_type).clone())).collect()
    }
}

pub(crate) fn read_view(catalog: &dyn Catalog, view: MetadataView, scope: &MetadataScope) -> Result<MetadataTable, QueryError> {
    let datasets = match scope {
        MetadataScope::Project(project) => catalog.datasets(project)?,
        MetadataScope::Dataset(name) => vec![catalog.dataset(name)?.ok_or_else(|| dataset_not_found(name))?],
    };
    let mut metadata = MetadataTable::new(view.columns());
    let mut columns = SharedColumns::default();
    for dataset in &datasets {
        match view {
            MetadataView::Schemata => {
                let name = &dataset.name;
                let (created, modified) = (Millis(dataset.created), Millis(dataset.modified));
                metadata.push(&[Text(&name.project), Text(&name.dataset), created, modified, Text(&dataset.location)]);
            }
            MetadataView::Columns => catalog.visit_tables(&dataset.name, Details::WithColumns, &mut |table| {
                push_table(view, dataset, &table, columns.for_table(&table), &mut metadata);
            })?,
            _ => catalog.visit_tables(&dataset.name, Details::WithoutColumns, &mut |table| {
                push_table(view, dataset, &table, &[], &mut metadata);
            })?,
        }
    }
    Ok(metadata)
}

/// The values of a column in COLUMNS.
struct ColumnRow {
    name: String,
    is_nullable: &'static str,
    data_type: String,
}

/// Caches the columns of the last table. Many consecutive tables have the same schema, and type names are computed once.
#[derive(Default)]
struct SharedColumns {
    last: Option<Arc<[ColumnInfo]>>,
    rows: Vec<ColumnRow>,
}

impl SharedColumns {
    fn for_table(&mut self, table: &TableInfo<'_>) -> &[ColumnRow] {
        if !self.last.as_ref().is_some_and(|last| Arc::ptr_eq(last, &table.columns)) {
            let row = |column: &ColumnInfo| ColumnRow {
                name: column.field.name().clone(),
                is_nullable: if column.is_nullable { "YES" } else { "NO" },
                data_type: types::of(&column.field),
            };
            self.rows = table.columns.iter().map(row).collect();
            self.last = Some(Arc::clone(&table.columns));
        }
        &self.rows
    }
}

fn push_table(view: MetadataView, dataset: &DatasetInfo, table: &TableInfo<'_>, columns: &[ColumnRow], metadata: &mut MetadataTable) {
    let kind = if table.view.is_some() { "VIEW" } else { "BASE TABLE" };
    let first = [Text(&dataset.name.project), Text(&dataset.name.dataset), Text(table.table)];
    let mut add = |rest: &[MetadataValue<'_>]| metadata.push(&[&first, rest].concat());
    match view {
        MetadataView::Tables => {
            let insertable = if table.view.is_some() { "NO" } else { "YES" };
            add(&[Text(kind), Text(insertable), Text("NO"), Millis(table.created)]);
        }
        MetadataView::Columns => {
            for (index, column) in columns.iter().enumerate() {
                add(&[Text(&column.name), Number(index as i64 + 1), Text(column.is_nullable), Text(&column.data_type), Text("NO")]);
            }
        }
        MetadataView::TableStorage => {
            add(&[Millis(table.created), Number(table.rows), Number(table.bytes), Number(table.bytes), Number(0), Text(kind)]);
        }
        MetadataView::Views => {
            if let Some(definition) = table.view {
                add(&[Text(definition), Text("YES")]);
            }
        }
        MetadataView::LegacyTables => {
            let kind = if table.view.is_some() { 2 } else { 1 };
            add(&[Number(table.created), Number(table.modified), Number(table.rows), Number(table.bytes), Number(kind)]);
        }
        MetadataView::Schemata => {}
    }
}
