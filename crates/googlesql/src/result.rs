//! The rows of a result, and what their columns are called.

use std::collections::HashSet;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::FieldRef;
use serde_json::{Value, json};

use crate::error::QueryError;
use crate::resolve::scope::Relation;
use crate::{cell, types};

/// A column of a result.
pub(crate) struct ResultColumn {
    pub name: String,
    pub field: FieldRef,
}

/// The columns by their final names: those without one are `f0_`, `f1_`, …
pub(crate) fn named(relation: &Relation) -> Result<Vec<ResultColumn>, QueryError> {
    let mut unnamed = 0;
    let mut seen = HashSet::new();
    let mut columns = Vec::new();
    for column in &relation.columns {
        let name = column.name.clone().unwrap_or_else(|| {
            unnamed += 1;
            format!("f{}_", unnamed - 1)
        });
        if !seen.insert(name.to_lowercase()) {
            return Err(QueryError::Invalid(format!("Duplicate column names in the result are not supported. Found duplicate(s): {name}")));
        }
        columns.push(ResultColumn { name, field: column.field.clone() });
    }
    Ok(columns)
}

pub(crate) fn schema(columns: &[ResultColumn]) -> Value {
    let fields: Vec<Value> = columns.iter().map(|column| types::column_json(&column.name, &column.field)).collect();
    json!({"fields": fields})
}

/// The rows of a result, encoded page by page.
#[derive(Default)]
pub struct Rows {
    columns: Vec<ResultColumn>,
    batches: Vec<RecordBatch>,
    count: usize,
}

impl Rows {
    pub(crate) fn new(columns: Vec<ResultColumn>, batches: Vec<RecordBatch>) -> Result<Rows, QueryError> {
        for batch in &batches {
            for (column, values) in columns.iter().zip(batch.columns()) {
                cell::check_elements(&column.name, values)?;
            }
        }
        let count = batches.iter().map(RecordBatch::num_rows).sum();
        Ok(Rows { columns, batches, count })
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Bytes of memory that they take.
    pub fn bytes(&self) -> usize {
        self.batches.iter().map(RecordBatch::get_array_memory_size).sum()
    }

    /// Rows `from..from + limit`, fewer once they exceed `budget` bytes (but never none while
    /// there are any), each as `{"f": [{"v": …}]}`.
    pub fn page(&self, from: usize, limit: usize, budget: usize, int64_timestamp: bool) -> Vec<Value> {
        let mut page = Vec::new();
        let mut bytes = 0;
        let mut skip = from;
        for batch in &self.batches {
            if skip >= batch.num_rows() {
                skip -= batch.num_rows();
                continue;
            }
            for row in skip..batch.num_rows() {
                if page.len() >= limit || (bytes >= budget && !page.is_empty()) {
                    return page;
                }
                let cells = self.columns.iter().zip(batch.columns()).map(|(column, values)| {
                    let value = cell::encode(values, row, &column.field, int64_timestamp);
                    bytes += cell::size(&value);
                    json!({"v": value})
                });
                let cells: Vec<Value> = cells.collect();
                page.push(json!({"f": cells}));
            }
            skip = 0;
        }
        page
    }
}
