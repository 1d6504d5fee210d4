//! `dataset.INFORMATION_SCHEMA.TABLES` and its kin, `dataset.__TABLES__`.
//!
//! The rows are made when the name is met, of one look at the catalog. Columns are those of
//! BigQuery that mean something here.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, Int64Builder, RecordBatch, StringBuilder, TimestampMicrosecondBuilder};
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::datasource::{MemTable, provider_as_source};

use super::information_schema::{self, View};
use super::{Catalog, Found};
use crate::googlesql::resolve::Path;
use crate::googlesql::{Query, QueryError, place};
use crate::names::DatasetRef;

/// What the metadata are about.
pub(crate) enum Scope {
    Project(String),
    Dataset(DatasetRef),
}

/// One value. A moment is in milliseconds since 1970.
#[derive(Clone, Copy)]
pub(crate) enum Cell<'a> {
    Text(&'a str),
    Number(i64),
    Moment(i64),
}

/// A table of metadata: its columns and their values, which may be a million.
pub(crate) struct Metadata {
    schema: SchemaRef,
    columns: Vec<Values>,
}

enum Values {
    Text(StringBuilder),
    Number(Int64Builder),
    Moment(TimestampMicrosecondBuilder),
}

impl Metadata {
    pub(crate) fn new(columns: Vec<(&'static str, DataType)>) -> Metadata {
        let values = |data_type: &DataType| match data_type {
            DataType::Utf8 => Values::Text(StringBuilder::new()),
            DataType::Timestamp(..) => Values::Moment(TimestampMicrosecondBuilder::new().with_data_type(data_type.clone())),
            _ => Values::Number(Int64Builder::new()),
        };
        let values = columns.iter().map(|(_, data_type)| values(data_type)).collect();
        let fields: Vec<Field> = columns.into_iter().map(|(name, data_type)| Field::new(name, data_type, true)).collect();
        Metadata { schema: Arc::new(Schema::new(fields)), columns: values }
    }

    pub(crate) fn push(&mut self, row: &[Cell<'_>]) {
        for (column, cell) in self.columns.iter_mut().zip(row) {
            match (column, cell) {
                (Values::Text(column), Cell::Text(text)) => column.append_value(text),
                (Values::Number(column), Cell::Number(number)) => column.append_value(*number),
                (Values::Moment(column), Cell::Moment(millis)) => column.append_value(millis.saturating_mul(1_000)),
                // Not what the column was declared as; columns must stay of one length.
                (Values::Text(column), _) => column.append_null(),
                (Values::Number(column), _) => column.append_null(),
                (Values::Moment(column), _) => column.append_null(),
            }
        }
    }

    fn table(self) -> datafusion::common::Result<MemTable> {
        let finish = |column| -> ArrayRef {
            match column {
                Values::Text(mut column) => Arc::new(column.finish()),
                Values::Number(mut column) => Arc::new(column.finish()),
                Values::Moment(mut column) => Arc::new(column.finish()),
            }
        };
        let columns = self.columns.into_iter().map(finish).collect();
        let batch = RecordBatch::try_new(Arc::clone(&self.schema), columns)?;
        MemTable::try_new(self.schema, vec![vec![batch]])
    }
}

impl Catalog<'_> {
    /// The table of metadata that the path names, if it does.
    pub(crate) fn metadata(&self, path: &Path, query: &Query) -> Result<Option<Found>, QueryError> {
        let dataset =
            |project: &str, dataset: &str| Scope::Dataset(DatasetRef { project: project.to_owned(), dataset: dataset.to_owned() });
        let is_region = |name: &str| name.to_ascii_lowercase().starts_with("region-");
        let parts: Vec<&str> = path.parts.iter().map(String::as_str).collect();
        let (name, before) = match parts.as_slice() {
            [before @ .., schema, name] if schema.eq_ignore_ascii_case("INFORMATION_SCHEMA") => (name.to_uppercase(), before),
            [before @ .., name] if *name == "__TABLES__" || *name == "__TABLES_SUMMARY__" => ((*name).to_owned(), before),
            _ => return Ok(None),
        };
        let scope = match (before, &query.default_dataset) {
            ([], Some(default)) if name != "SCHEMATA" => Scope::Dataset(default.clone()),
            ([], _) => Scope::Project(query.project.clone()),
            ([region], _) if is_region(region) => Scope::Project(query.project.clone()),
            ([project, region], _) if is_region(region) => Scope::Project((*project).to_owned()),
            ([one], _) if name == "SCHEMATA" => Scope::Project((*one).to_owned()),
            ([one], _) => dataset(&query.project, one),
            ([project, one], _) => dataset(project, one),
            _ => return Err(place::refuse_at(format!("Invalid table name: `{}`", path.parts.join(".")), path.span)),
        };
        let view = View::named(&name)
            .ok_or_else(|| place::refuse_at(format!("The local BigQuery does not support INFORMATION_SCHEMA.{name}"), path.span))?;
        let metadata = information_schema::read(self.db, view, &scope)?;
        Ok(Some(Found::Table { source: provider_as_source(Arc::new(metadata.table().map_err(place::plain)?)), hidden: &[] }))
    }
}
