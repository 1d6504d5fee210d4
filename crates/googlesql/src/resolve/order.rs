//! ORDER BY: NULLs are the smallest values, so they come first ascending and last descending.

use datafusion::arrow::datatypes::DataType;
use datafusion::logical_expr::SortExpr;
use datafusion::sql::sqlparser::ast;

use super::Resolver;
use crate::QueryError;
use crate::error_location::error_at;
use crate::physical::order_key::order_key;
use crate::resolve::scope::{Env, Typed};
use crate::types;

impl Resolver<'_> {
    /// The keys of an ORDER BY within a function's arguments or a window.
    pub(crate) fn sort_keys(&self, env: &Env<'_>, keys: &[ast::OrderByExpr]) -> Result<Vec<SortExpr>, QueryError> {
        keys.iter()
            .map(|key| {
                let value = self.expr(env, &key.expr)?;
                check_orderable(&value, &key.expr)?;
                Ok(sort(value, &key.options))
            })
            .collect()
    }
}

pub(crate) fn sort(value: Typed, options: &ast::OrderByOptions) -> SortExpr {
    let ascending = options.asc.unwrap_or(true);
    SortExpr::new(order_key(value.expr, value.field.data_type()), ascending, options.nulls_first.unwrap_or(ascending))
}

pub(crate) fn check_orderable(value: &Typed, syntax: &ast::Expr) -> Result<(), QueryError> {
    let is_ordered = !types::is_json(&value.field) && !matches!(value.field.data_type(), DataType::List(_) | DataType::Struct(_));
    if is_ordered {
        return Ok(());
    }
    Err(error_at(format!("ORDER BY does not support expressions of type {}", types::of(&value.field)), syntax))
}
