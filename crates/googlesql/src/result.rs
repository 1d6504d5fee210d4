//! The rows of a result, encoded page by page, and the names of its columns.

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

/// Names the columns. A column without a name becomes `f0_`, `f1_` and so on.
pub(crate) fn name_columns(relation: &Relation) -> Result<Vec<ResultColumn>, QueryError> {
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

pub(crate) fn schema_json(columns: &[ResultColumn]) -> Value {
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

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether the result has no rows.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Bytes of memory that the rows occupy.
    pub fn bytes(&self) -> usize {
        self.batches.iter().map(RecordBatch::get_array_memory_size).sum()
    }

    /// Encodes the rows `from..from + limit`, each as `{"f": [{"v": …}]}`. The page ends early when it exceeds `budget`
    /// bytes, but it has at least one row if any row is left.
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
                    bytes += cell::estimate_size(&value);
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
