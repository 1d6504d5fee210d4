//! Evaluates constant expressions during resolution: LIMIT, literals and the values of a PIVOT.

use datafusion::arrow::array::{RecordBatch, RecordBatchOptions};
use datafusion::arrow::datatypes::{DataType, Schema};
use datafusion::common::{DFSchema, DataFusionError, ScalarValue};
use datafusion::logical_expr::{ColumnarValue, Expr, LogicalPlanBuilder};
use datafusion::sql::sqlparser::ast;

use super::Resolver;
use crate::QueryError;
use crate::error_location::error_at;
use crate::resolve::scope::{Clause, Env, Scope, TypedExpr};
use crate::types;

impl Resolver<'_> {
    /// Evaluates an expression without columns.
    pub(crate) fn evaluate(&self, expr: &Expr) -> Result<ScalarValue, QueryError> {
        if let Expr::Literal(value, _) = expr {
            return Ok(value.clone());
        }
        let physical = self.session.create_physical_expr(expr.clone(), &DFSchema::empty())?;
        let options = RecordBatchOptions::new().with_row_count(Some(1));
        let row = RecordBatch::try_new_with_options(Schema::empty().into(), Vec::new(), &options).map_err(DataFusionError::from)?;
        match physical.evaluate(&row)? {
            ColumnarValue::Scalar(value) => Ok(value),
            ColumnarValue::Array(values) => ScalarValue::try_from_array(&values, 0).map_err(QueryError::from),
        }
    }

    /// Resolves an expression that may contain parameters but no columns.
    pub(crate) fn resolve_constant(&self, syntax: &ast::Expr) -> Result<TypedExpr, QueryError> {
        let scope = empty_scope()?;
        self.resolve_expr(&Env { scope: &scope, clause: Clause::Constant, aliases: &[], windows: &[], outer: None }, syntax)
    }

    /// Evaluates a non-negative integer: LIMIT, OFFSET or the bound of a window frame.
    pub(crate) fn evaluate_count(&self, syntax: &ast::Expr, what: &str) -> Result<usize, QueryError> {
        let value = self.resolve_constant(syntax)?;
        let value = self.coerce(value, &types::plain(DataType::Int64), syntax)?;
        match self.evaluate(&value.expr)? {
            ScalarValue::Int64(Some(count)) if count >= 0 => Ok(usize::try_from(count).unwrap_or(usize::MAX)),
            _ => Err(error_at(format!("{what} expects a non-negative integer literal or parameter"), syntax)),
        }
    }
}

/// The scope of a query without FROM: one row without columns.
pub(crate) fn empty_scope() -> Result<Scope, QueryError> {
    let plan = LogicalPlanBuilder::empty(true).build()?;
    Ok(Scope { plan, ranges: Vec::new(), using: Vec::new() })
}
