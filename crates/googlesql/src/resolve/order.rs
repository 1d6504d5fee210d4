//! Resolves the keys of ORDER BY. NULLs sort first in ascending order and last in descending order.
//!
//! Reference: <https://cloud.google.com/bigquery/docs/reference/standard-sql/query-syntax#order_by_clause>.

use datafusion::arrow::datatypes::DataType;
use datafusion::logical_expr::SortExpr;
use datafusion::sql::sqlparser::ast;

use super::Resolver;
use crate::QueryError;
use crate::error_location::error_at;
use crate::physical::order_key::order_key;
use crate::resolve::scope::{Env, TypedExpr};
use crate::types;

impl Resolver<'_> {
    /// Resolves the ORDER BY of a function's arguments or of a window.
    pub(crate) fn resolve_sort_keys(&self, env: &Env<'_>, keys: &[ast::OrderByExpr]) -> Result<Vec<SortExpr>, QueryError> {
        keys.iter()
            .map(|key| {
                let value = self.resolve_expr(env, &key.expr)?;
                check_orderable(&value, &key.expr)?;
                Ok(sort_expr(value, &key.options))
            })
            .collect()
    }
}

pub(crate) fn sort_expr(value: TypedExpr, options: &ast::OrderByOptions) -> SortExpr {
    let ascending = options.asc.unwrap_or(true);
    SortExpr::new(order_key(value.expr, value.field.data_type()), ascending, options.nulls_first.unwrap_or(ascending))
}

pub(crate) fn check_orderable(value: &TypedExpr, syntax: &ast::Expr) -> Result<(), QueryError> {
    let is_ordered = !types::is_json(&value.field) && !matches!(value.field.data_type(), DataType::List(_) | DataType::Struct(_));
    if is_ordered {
        return Ok(());
    }
    Err(error_at(format!("ORDER BY does not support expressions of type {}", types::of(&value.field)), syntax))
}
