//! What the views of INFORMATION_SCHEMA show.
//!
//! Reference: <https://cloud.google.com/bigquery/docs/information-schema-intro>.

use std::sync::Arc;

use super::metadata_table::MetadataTable;
use super::metadata_table::MetadataValue::{self, Moment, Number, Text};
use super::no_dataset;
use crate::QueryError;
use crate::catalog::{Catalog, ColumnInfo, DatasetInfo, DatasetName, Details, TableInfo};
use crate::types;
use datafusion::arrow::datatypes::DataType;

/// What the metadata are about.
pub(crate) enum MetadataScope {
    Project(String),
    Dataset(DatasetName),
}

/// One of the views.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum View {
    Tables,
    Columns,
    TableStorage,
    Schemata,
    Views,
    /// `dataset.__TABLES__`, which is older than INFORMATION_SCHEMA.
    LegacyTables,
}

impl View {
    pub(crate) fn named(name: &str) -> Option<View> {
        Some(match name {
            "TABLES" => View::Tables,
            "COLUMNS" => View::Columns,
            "TABLE_STORAGE" => View::TableStorage,
            "SCHEMATA" => View::Schemata,
            "VIEWS" => View::Views,
            "__TABLES__" => View::LegacyTables,
            _ => return None,
        })
    }

    fn columns(self) -> Vec<(&'static str, DataType)> {
        let (text, number, moment) = (DataType::Utf8, DataType::Int64, types::timestamp());
        let names: &[(&str, &DataType)] = match self {
            View::Tables => &[
                ("table_catalog", &text),
                ("table_schema", &text),
                ("table_name", &text),
                ("table_type", &text),
                ("is_insertable_into", &text),
                ("is_typed", &text),
                ("creation_time", &moment),
            ],
            View::Columns => &[
                ("table_catalog", &text),
                ("table_schema", &text),
                ("table_name", &text),
                ("column_name", &text),
                ("ordinal_position", &number),
                ("is_nullable", &text),
                ("data_type", &text),
                ("is_partitioning_column", &text),
            ],
            View::TableStorage => &[
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
            View::Schemata => &[
                ("catalog_name", &text),
                ("schema_name", &text),
                ("creation_time", &moment),
                ("last_modified_time", &moment),
                ("location", &text),
            ],
            View::Views => &[
                ("table_catalog", &text),
                ("table_schema", &text),
                ("table_name", &text),
                ("view_definition", &text),
                ("use_standard_sql", &text),
            ],
            View::LegacyTables => &[
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

pub(crate) fn read(catalog: &dyn Catalog, view: View, scope: &MetadataScope) -> Result<MetadataTable, QueryError> {
    let datasets = match scope {
        MetadataScope::Project(project) => catalog.datasets(project)?,
        MetadataScope::Dataset(name) => vec![catalog.dataset(name)?.ok_or_else(|| no_dataset(name))?],
    };
    let mut metadata = MetadataTable::new(view.columns());
    let mut columns = SharedColumns::default();
    for dataset in &datasets {
        match view {
            View::Schemata => {
                let name = &dataset.name;
                let (created, modified) = (Moment(dataset.created), Moment(dataset.modified));
                metadata.push(&[Text(&name.project), Text(&name.dataset), created, modified, Text(&dataset.location)]);
            }
            View::Columns => catalog.visit_tables(&dataset.name, Details::WithColumns, &mut |table| {
                describe(view, dataset, &table, columns.of(&table), &mut metadata);
            })?,
            _ => catalog.visit_tables(&dataset.name, Details::WithoutColumns, &mut |table| {
                describe(view, dataset, &table, &[], &mut metadata);
            })?,
        }
    }
    Ok(metadata)
}

/// What COLUMNS shows of a column.
struct ColumnRow {
    name: String,
    is_nullable: &'static str,
    data_type: String,
}

/// The columns of the last table: thousands in a row have the same schema, whose types are written once.
#[derive(Default)]
struct SharedColumns {
    last: Option<Arc<[ColumnInfo]>>,
    rows: Vec<ColumnRow>,
}

impl SharedColumns {
    fn of(&mut self, table: &TableInfo<'_>) -> &[ColumnRow] {
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

fn describe(view: View, dataset: &DatasetInfo, table: &TableInfo<'_>, columns: &[ColumnRow], metadata: &mut MetadataTable) {
    let kind = if table.view.is_some() { "VIEW" } else { "BASE TABLE" };
    let first = [Text(&dataset.name.project), Text(&dataset.name.dataset), Text(table.table)];
    let mut add = |rest: &[MetadataValue<'_>]| metadata.push(&[&first, rest].concat());
    match view {
        View::Tables => {
            let insertable = if table.view.is_some() { "NO" } else { "YES" };
            add(&[Text(kind), Text(insertable), Text("NO"), Moment(table.created)]);
        }
        View::Columns => {
            for (index, column) in columns.iter().enumerate() {
                add(&[Text(&column.name), Number(index as i64 + 1), Text(column.is_nullable), Text(&column.data_type), Text("NO")]);
            }
        }
        View::TableStorage => {
            add(&[Moment(table.created), Number(table.rows), Number(table.bytes), Number(table.bytes), Number(0), Text(kind)]);
        }
        View::Views => {
            if let Some(definition) = table.view {
                add(&[Text(definition), Text("YES")]);
            }
        }
        View::LegacyTables => {
            let kind = if table.view.is_some() { 2 } else { 1 };
            add(&[Number(table.created), Number(table.modified), Number(table.rows), Number(table.bytes), Number(kind)]);
        }
        View::Schemata => {}
    }
}
