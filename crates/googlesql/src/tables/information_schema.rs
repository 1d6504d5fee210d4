//! What the views of INFORMATION_SCHEMA show.
//!
//! Reference: <https://cloud.google.com/bigquery/docs/information-schema-intro>.

use datafusion::arrow::datatypes::DataType;
use rusqlite::Connection;

use super::metadata::Cell::{self, Moment, Number, Text};
use super::metadata::{Metadata, Scope};
use super::{schema_of, view_query};
use crate::catalog::{self, Dataset, Table};
use crate::errors::ApiError;
use crate::googlesql::types;
use crate::schema::{Field, Mode};

/// Tables that are looked at together.
const TOGETHER: usize = 1_000;

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

pub(crate) fn read(db: &Connection, view: View, scope: &Scope) -> Result<Metadata, ApiError> {
    let datasets = match scope {
        Scope::Project(project) => catalog::datasets(db, project, "", usize::MAX >> 1)?,
        Scope::Dataset(name) => vec![catalog::dataset(db, name)?],
    };
    let mut metadata = Metadata::new(view.columns());
    for dataset in &datasets {
        if view == View::Schemata {
            let members = dataset.members()?;
            let location = members.get("location").and_then(|location| location.as_str()).unwrap_or("US");
            let name = &dataset.name;
            let row = [Text(&name.project), Text(&name.dataset), Moment(dataset.created), Moment(dataset.modified), Text(location)];
            metadata.push(&row);
            continue;
        }
        let mut last: Option<Described> = None;
        loop {
            let after = last.as_ref().map_or("", |last| &last.table.name.table);
            let tables = catalog::tables(db, dataset, after, TOGETHER)?;
            let is_end = tables.len() < TOGETHER;
            for table in tables {
                last = Some(describe(view, dataset, table, last.take(), &mut metadata)?);
            }
            if is_end {
                break;
            }
        }
    }
    Ok(metadata)
}

/// A table that was described, and its columns, if they were asked for.
struct Described {
    table: Table,
    columns: Vec<ColumnRow>,
}

/// What COLUMNS says of a column.
struct ColumnRow {
    name: String,
    is_nullable: &'static str,
    written: String,
}

fn columns_of(table: &Table) -> Result<Vec<ColumnRow>, ApiError> {
    let row = |field: &Field| ColumnRow {
        name: field.name.clone(),
        is_nullable: if field.mode == Mode::Nullable { "YES" } else { "NO" },
        written: types::of(&types::of_column(field)),
    };
    Ok(schema_of(table)?.fields.iter().map(row).collect())
}

/// `last` is the table before: thousands in a row have the same schema, which is read once.
fn describe(view: View, dataset: &Dataset, table: Table, last: Option<Described>, metadata: &mut Metadata) -> Result<Described, ApiError> {
    let definition = view_query(&table)?;
    let kind = if definition.is_some() { "VIEW" } else { "BASE TABLE" };
    let first = [Text(&dataset.name.project), Text(&dataset.name.dataset), Text(&table.name.table)];
    let mut add = |rest: &[Cell<'_>]| metadata.push(&[&first, rest].concat());
    let mut columns = Vec::new();
    match view {
        View::Tables => {
            let insertable = if definition.is_some() { "NO" } else { "YES" };
            add(&[Text(kind), Text(insertable), Text("NO"), Moment(table.created)]);
        }
        View::Columns => {
            columns = match last {
                Some(last) if last.table.has_same_schema(&table) => last.columns,
                _ => columns_of(&table)?,
            };
            for (index, column) in columns.iter().enumerate() {
                add(&[Text(&column.name), Number(index as i64 + 1), Text(column.is_nullable), Text(&column.written), Text("NO")]);
            }
        }
        View::TableStorage => {
            add(&[Moment(table.created), Number(table.rows), Number(table.bytes), Number(table.bytes), Number(0), Text(kind)]);
        }
        View::Views => {
            if let Some(definition) = definition {
                add(&[Text(&definition), Text("YES")]);
            }
        }
        View::LegacyTables => {
            let kind = if definition.is_some() { 2 } else { 1 };
            add(&[Number(table.created), Number(table.modified), Number(table.rows), Number(table.bytes), Number(kind)]);
        }
        View::Schemata => {}
    }
    Ok(Described { table, columns })
}
