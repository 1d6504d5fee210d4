//! A table of metadata while it is filled, row by row.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, Int64Builder, RecordBatch, StringBuilder, TimestampMicrosecondBuilder};
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::datasource::MemTable;

/// One value. A moment is in milliseconds since 1970.
#[derive(Clone, Copy)]
pub(crate) enum MetadataValue<'a> {
    Text(&'a str),
    Number(i64),
    Moment(i64),
}

/// A table of metadata: its columns and their values, which may be a million.
pub(crate) struct MetadataTable {
    schema: SchemaRef,
    columns: Vec<ColumnBuilder>,
}

enum ColumnBuilder {
    Text(StringBuilder),
    Number(Int64Builder),
    Moment(TimestampMicrosecondBuilder),
}

impl MetadataTable {
    pub(crate) fn new(columns: Vec<(&'static str, DataType)>) -> MetadataTable {
        let column = |data_type: &DataType| match data_type {
            DataType::Utf8 => ColumnBuilder::Text(StringBuilder::new()),
            DataType::Timestamp(..) => ColumnBuilder::Moment(TimestampMicrosecondBuilder::new().with_data_type(data_type.clone())),
            _ => ColumnBuilder::Number(Int64Builder::new()),
        };
        let values = columns.iter().map(|(_, data_type)| column(data_type)).collect();
        let fields: Vec<Field> = columns.into_iter().map(|(name, data_type)| Field::new(name, data_type, true)).collect();
        MetadataTable { schema: Arc::new(Schema::new(fields)), columns: values }
    }

    pub(crate) fn push(&mut self, row: &[MetadataValue<'_>]) {
        for (column, cell) in self.columns.iter_mut().zip(row) {
            match (column, cell) {
                (ColumnBuilder::Text(column), MetadataValue::Text(text)) => column.append_value(text),
                (ColumnBuilder::Number(column), MetadataValue::Number(number)) => column.append_value(*number),
                (ColumnBuilder::Moment(column), MetadataValue::Moment(millis)) => column.append_value(millis.saturating_mul(1_000)),
                // Not what the column was declared as; columns must stay of one length.
                (ColumnBuilder::Text(column), _) => column.append_null(),
                (ColumnBuilder::Number(column), _) => column.append_null(),
                (ColumnBuilder::Moment(column), _) => column.append_null(),
            }
        }
    }

    pub(crate) fn finish(self) -> datafusion::common::Result<MemTable> {
        let array = |column: ColumnBuilder| -> ArrayRef {
            match column {
                ColumnBuilder::Text(mut column) => Arc::new(column.finish()),
                ColumnBuilder::Number(mut column) => Arc::new(column.finish()),
                ColumnBuilder::Moment(mut column) => Arc::new(column.finish()),
            }
        };
        let columns = self.columns.into_iter().map(array).collect();
        let batch = RecordBatch::try_new(Arc::clone(&self.schema), columns)?;
        MemTable::try_new(self.schema, vec![vec![batch]])
    }
}
