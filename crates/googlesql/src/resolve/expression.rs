//! Resolves one expression: calls the function of the file that resolves this kind of syntax.
//!
//! Reference: <https://cloud.google.com/bigquery/docs/reference/standard-sql/operators>.

use datafusion::arrow::datatypes::DataType;
use datafusion::logical_expr::{Expr, Operator, lit};
use datafusion::sql::sqlparser::ast::{self, Spanned};

use super::Resolver;
use crate::QueryError;
use crate::error_location::{error_at, unsupported};
use crate::resolve::scope::{Env, TypedExpr};
use crate::types;

/// Maximum nesting depth of expressions. `1 = 1 = TRUE` has depth 3.
const MAX_DEPTH: usize = 250;

impl Resolver<'_> {
    pub(crate) fn resolve_expr(&self, env: &Env<'_>, syntax: &ast::Expr) -> Result<TypedExpr, QueryError> {
        self.limits.check_planning()?;
        if self.level.get() == MAX_DEPTH {
            return Err(QueryError::too_deep(syntax.span().start));
        }
        self.level.set(self.level.get() + 1);
        let typed = self.resolve_expr_kind(env, syntax);
        self.level.set(self.level.get() - 1);
        let typed = typed?;
        self.count_nodes(&typed.expr, syntax)?;
        Ok(typed)
    }

    fn resolve_expr_kind(&self, env: &Env<'_>, syntax: &ast::Expr) -> Result<TypedExpr, QueryError> {
        use ast::Expr as Syntax;
        match syntax {
            Syntax::Identifier(name) if name.quote_style.is_none() && is_callable_without_parentheses(&name.value) => {
                match self.resolve_path(env, std::slice::from_ref(name)) {
                    Ok(found) => Ok(found),
                    Err(_) => self.resolve_named_call(env, &name.value, Vec::new(), syntax),
                }
            }
            Syntax::Identifier(name) => self.resolve_path(env, std::slice::from_ref(name)),
            Syntax::CompoundIdentifier(path) => self.resolve_path(env, path),
            Syntax::CompoundFieldAccess { root, access_chain } => self.resolve_access(env, root, access_chain, syntax),
            Syntax::Nested(inner) => self.resolve_expr(env, inner),
            Syntax::Value(value) => self.resolve_value(value),
            Syntax::TypedString(text) => self.resolve_typed_literal(text, syntax),
            Syntax::Interval(interval) => self.resolve_interval(env, interval, syntax),

            Syntax::BinaryOp { left, op, right } => self.resolve_binary(env, left, op, right, syntax),
            Syntax::UnaryOp { op, expr } => self.resolve_unary(env, *op, expr, syntax),
            Syntax::IsNull(of) => Ok(typed_bool(self.resolve_expr(env, of)?.expr.is_null())),
            Syntax::IsNotNull(of) => Ok(typed_bool(self.resolve_expr(env, of)?.expr.is_not_null())),
            Syntax::IsTrue(of) => Ok(typed_bool(self.resolve_condition(env, of, "IS TRUE")?.is_true())),
            Syntax::IsNotTrue(of) => Ok(typed_bool(self.resolve_condition(env, of, "IS TRUE")?.is_not_true())),
            Syntax::IsFalse(of) => Ok(typed_bool(self.resolve_condition(env, of, "IS FALSE")?.is_false())),
            Syntax::IsNotFalse(of) => Ok(typed_bool(self.resolve_condition(env, of, "IS FALSE")?.is_not_false())),
            Syntax::IsUnknown(of) => Ok(typed_bool(self.resolve_condition(env, of, "IS UNKNOWN")?.is_unknown())),
            Syntax::IsNotUnknown(of) => Ok(typed_bool(self.resolve_condition(env, of, "IS UNKNOWN")?.is_not_unknown())),
            Syntax::IsDistinctFrom(left, right) => self.resolve_is_distinct(env, left, right, true, syntax),
            Syntax::IsNotDistinctFrom(left, right) => self.resolve_is_distinct(env, left, right, false, syntax),
            Syntax::Between { expr, negated, low, high } => self.resolve_between(env, expr, *negated, low, high, syntax),
            Syntax::InList { expr, list, negated } => self.resolve_in_list(env, expr, list, *negated, syntax),
            Syntax::InUnnest { expr, array_expr, negated } => self.resolve_in_unnest(env, expr, array_expr, *negated, syntax),
            Syntax::Like { negated, any: false, expr, pattern, escape_char: None } => {
                self.resolve_like(env, expr, pattern, *negated, syntax)
            }
            Syntax::Like { .. } => Err(error_at("Syntax error: GoogleSQL has no ESCAPE", syntax)),
            Syntax::AnyOp { left, compare_op, right, .. } => {
                self.resolve_quantified_like(env, (left, compare_op, right), Operator::Or, syntax)
            }
            Syntax::AllOp { left, compare_op, right } => {
                self.resolve_quantified_like(env, (left, compare_op, right), Operator::And, syntax)
            }

            Syntax::Case { operand, conditions, else_result, .. } => {
                self.resolve_case(env, operand.as_deref(), conditions, else_result.as_deref(), syntax)
            }
            Syntax::Cast { kind, expr, data_type, format, .. } => self.resolve_cast(env, kind, expr, data_type, format.as_ref(), syntax),
            Syntax::Extract { field, expr, .. } => self.resolve_extract(env, field, expr, syntax),
            Syntax::Function(call) => self.resolve_call(env, call, syntax),
            Syntax::Ceil { expr, field } => self.resolve_rounding(env, "ceil", expr, field, syntax),
            Syntax::Floor { expr, field } => self.resolve_rounding(env, "floor", expr, field, syntax),
            Syntax::Trim { trim_where: None, trim_what: None, expr, trim_characters } => {
                let args = std::iter::once(expr.as_ref()).chain(trim_characters.iter().flatten()).collect();
                self.resolve_named_call(env, "trim", args, syntax)
            }
            Syntax::Substring { special: false, .. } => Err(error_at("Syntax error: GoogleSQL has no SUBSTRING with FROM", syntax)),
            Syntax::Substring { expr, substring_from, substring_for, .. } => {
                let args = std::iter::once(expr.as_ref()).chain(substring_from.as_deref()).chain(substring_for.as_deref()).collect();
                self.resolve_named_call(env, "substr", args, syntax)
            }

            Syntax::Struct { values, fields } => self.resolve_struct_literal(env, values, fields, syntax),
            Syntax::Tuple(values) => self.resolve_struct_literal(env, values, &[], syntax),
            Syntax::Array(array) => self.resolve_array_literal(env, &array.elem, None, syntax),

            Syntax::Subquery(query) => self.resolve_scalar_subquery(env, query, syntax),
            Syntax::Exists { subquery, negated } => self.resolve_exists(env, subquery, *negated, syntax),
            Syntax::InSubquery { expr, subquery, negated } => self.resolve_in_subquery(env, expr, subquery, *negated, syntax),

            Syntax::AtTimeZone { .. } => Err(unsupported("AT TIME ZONE outside of EXTRACT and CAST", syntax)),
            Syntax::Rollup(_) | Syntax::Cube(_) | Syntax::GroupingSets(_) => {
                Err(error_at("Syntax error: ROLLUP, CUBE and GROUPING SETS are allowed in GROUP BY only", syntax))
            }
            _ => Err(unsupported(&format!("this expression: {syntax}"), syntax)),
        }
    }

    /// Resolves an expression of type BOOL.
    pub(crate) fn resolve_condition(&self, env: &Env<'_>, syntax: &ast::Expr, what: &str) -> Result<Expr, QueryError> {
        let value = self.resolve_expr(env, syntax)?;
        match value.field.data_type() {
            DataType::Boolean => Ok(value.expr),
            DataType::Null => Ok(lit(datafusion::common::ScalarValue::Boolean(None))),
            _ => {
                let message = match what {
                    "AND" | "OR" | "NOT" | "IS TRUE" | "IS FALSE" | "IS UNKNOWN" => {
                        format!("No matching signature for operator {what} for argument types: {}", types::of(&value.field))
                    }
                    clause => format!("{clause} should return type BOOL, but returns {}", types::of(&value.field)),
                };
                Err(error_at(message, syntax))
            }
        }
    }
}

pub(crate) fn typed_bool(expr: Expr) -> TypedExpr {
    TypedExpr { expr, field: types::plain(DataType::Boolean) }
}

/// Whether the function may be called without parentheses.
fn is_callable_without_parentheses(name: &str) -> bool {
    ["current_date", "current_datetime", "current_time", "current_timestamp"].iter().any(|bare| name.eq_ignore_ascii_case(bare))
}
