//! The columns of a table as Arrow fields.

use datafusion::arrow::datatypes::Field;
use datafusion::sql::sqlparser::tokenizer::Span;

use crate::googlesql::{QueryError, types};
use crate::schema::Schema;

pub(crate) fn fields(schema: &Schema, _span: Span) -> Result<Vec<Field>, QueryError> {
    Ok(schema.fields.iter().map(types::of_column).collect())
}
