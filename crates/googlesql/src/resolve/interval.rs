//! Resolves INTERVAL with one datetime part, `INTERVAL 5 DAY`, and with a range, `INTERVAL '1-2' YEAR TO MONTH`.
//!
//! Reference: <https://cloud.google.com/bigquery/docs/reference/standard-sql/lexical#interval_literals>.

use datafusion::arrow::datatypes::DataType;
use datafusion::logical_expr::lit;
use datafusion::sql::sqlparser::ast;

use super::Resolver;
use crate::QueryError;
use crate::error_location::error_at;
use crate::resolve::scope::{Env, TypedExpr};
use crate::types;

impl Resolver<'_> {
    pub(crate) fn resolve_interval(&self, env: &Env<'_>, interval: &ast::Interval, syntax: &ast::Expr) -> Result<TypedExpr, QueryError> {
        if let (Some(first), Some(last)) = (&interval.leading_field, &interval.last_field) {
            let text = self.resolve_expr(env, &interval.value)?;
            let range = format!("{first} TO {last}").to_uppercase();
            return self.call_internal(env, "$interval_range", vec![text.expr, lit(range)], syntax);
        }
        let Some(part) = &interval.leading_field else {
            return Err(error_at("Syntax error: INTERVAL needs a date part", syntax));
        };
        let count = self.resolve_expr(env, &interval.value)?;
        let count = self.coerce(count, &types::plain(DataType::Int64), interval.value.as_ref())?;
        self.call_internal(env, "$interval", vec![count.expr, lit(part.to_string().to_uppercase())], syntax)
    }
}
