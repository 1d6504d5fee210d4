//! Builds a metadata table row by row.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, Int64Builder, RecordBatch, StringBuilder, TimestampMicrosecondBuilder};
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::datasource::MemTable;

/// One value. `Millis` is a timestamp in milliseconds since 1970.
#[derive(Clone, Copy)]
pub(crate) enum MetadataValue<'a> {
    Text(&'a str),
    Number(i64),
    Millis(i64),
}

/// The columns and values of a metadata table, which may have a million rows.
pub(crate) struct MetadataTable {
    schema: SchemaRef,
    columns: Vec<MetadataColumnBuilder>,
}

enum MetadataColumnBuilder {
    Text(StringBuilder),
    Number(Int64Builder),
    Millis(TimestampMicrosecondBuilder),
}

impl MetadataTable {
    pub(crate) fn new(columns: Vec<(&'static str, DataType)>) -> MetadataTable {
        let column = |data_type: &DataType| match data_type {
            DataType::Utf8 => MetadataColumnBuilder::Text(StringBuilder::new()),
            DataType::Timestamp(..) => MetadataColumnBuilder::Millis(TimestampMicrosecondBuilder::new().with_data_type(data_type.clone())),
            _ => MetadataColumnBuilder::Number(Int64Builder::new()),
        };
        let values = columns.iter().map(|(_, data_type)| column(data_type)).collect();
        let fields: Vec<Field> = columns.into_iter().map(|(name, data_type)| Field::new(name, data_type, true)).collect();
        MetadataTable { schema: Arc::new(Schema::new(fields)), columns: values }
    }

    pub(crate) fn push(&mut self, row: &[MetadataValue<'_>]) {
        for (column, cell) in self.columns.iter_mut().zip(row) {
            match (column, cell) {
                (MetadataColumnBuilder::Text(column), MetadataValue::Text(text)) => column.append_value(text),
                (MetadataColumnBuilder::Number(column), MetadataValue::Number(number)) => column.append_value(*number),
                (MetadataColumnBuilder::Millis(column), MetadataValue::Millis(millis)) => column.append_value(millis.saturating_mul(1_000)),
                _ => unreachable!("information_schema pushes values of the declared types"),
            }
        }
    }

    pub(crate) fn finish(self) -> datafusion::common::Result<MemTable> {
        let array = |column: MetadataColumnBuilder| -> ArrayRef {
            match column {
                MetadataColumnBuilder::Text(mut column) => Arc::new(column.finish()),
                MetadataColumnBuilder::Number(mut column) => Arc::new(column.finish()),
                MetadataColumnBuilder::Millis(mut column) => Arc::new(column.finish()),
            }
        };
        let columns = self.columns.into_iter().map(array).collect();
        let batch = RecordBatch::try_new(Arc::clone(&self.schema), columns)?;
        MemTable::try_new(self.schema, vec![vec![batch]])
    }
}
