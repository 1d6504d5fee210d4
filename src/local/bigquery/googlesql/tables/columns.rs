//! The columns of a table as Arrow fields.

use datafusion::arrow::datatypes::Field;
use datafusion::sql::sqlparser::tokenizer::Span;

use crate::local::bigquery::googlesql::{QueryError, types};
use crate::local::bigquery::schema::Schema;

pub(super) fn fields(schema: &Schema, _span: Span) -> Result<Vec<Field>, QueryError> {
    Ok(schema.fields.iter().map(types::of_column).collect())
}
