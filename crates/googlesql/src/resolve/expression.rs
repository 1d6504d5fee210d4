//! One expression: which of the other files knows what it means.

use datafusion::arrow::datatypes::DataType;
use datafusion::logical_expr::{Expr, Operator, lit};
use datafusion::sql::sqlparser::ast;

use super::Resolver;
use crate::QueryError;
use crate::error_location::{error_at, unsupported};
use crate::resolve::scope::{Env, Typed};
use crate::types;

/// Operators within operators: `1 + 1 + 1` are two.
const MAX_DEPTH: usize = 500;

impl Resolver<'_> {
    pub(crate) fn expr(&self, env: &Env<'_>, syntax: &ast::Expr) -> Result<Typed, QueryError> {
        self.level.set(self.level.get() + 1);
        let typed = match self.level.get() > MAX_DEPTH {
            true => Err(error_at("Resources exceeded during query execution: query is too deeply nested", syntax)),
            false => self.shallow(env, syntax),
        };
        self.level.set(self.level.get() - 1);
        typed
    }

    fn shallow(&self, env: &Env<'_>, syntax: &ast::Expr) -> Result<Typed, QueryError> {
        use ast::Expr as Syntax;
        match syntax {
            Syntax::Identifier(name) if name.quote_style.is_none() && is_bare_function(&name.value) => {
                match self.path(env, std::slice::from_ref(name)) {
                    Ok(found) => Ok(found),
                    Err(_) => self.named_call(env, &name.value, Vec::new(), syntax),
                }
            }
            Syntax::Identifier(name) => self.path(env, std::slice::from_ref(name)),
            Syntax::CompoundIdentifier(path) => self.path(env, path),
            Syntax::CompoundFieldAccess { root, access_chain } => self.access(env, root, access_chain, syntax),
            Syntax::Nested(inner) => self.expr(env, inner),
            Syntax::Value(value) => self.value(value),
            Syntax::TypedString(text) => self.typed_string(text, syntax),
            Syntax::Interval(interval) => self.interval(env, interval, syntax),

            Syntax::BinaryOp { left, op, right } => self.binary(env, left, op, right, syntax),
            Syntax::UnaryOp { op, expr } => self.unary(env, *op, expr, syntax),
            Syntax::IsNull(of) => Ok(boolean(self.expr(env, of)?.expr.is_null())),
            Syntax::IsNotNull(of) => Ok(boolean(self.expr(env, of)?.expr.is_not_null())),
            Syntax::IsTrue(of) => Ok(boolean(self.condition(env, of, "IS TRUE")?.is_true())),
            Syntax::IsNotTrue(of) => Ok(boolean(self.condition(env, of, "IS TRUE")?.is_not_true())),
            Syntax::IsFalse(of) => Ok(boolean(self.condition(env, of, "IS FALSE")?.is_false())),
            Syntax::IsNotFalse(of) => Ok(boolean(self.condition(env, of, "IS FALSE")?.is_not_false())),
            Syntax::IsUnknown(of) => Ok(boolean(self.condition(env, of, "IS UNKNOWN")?.is_unknown())),
            Syntax::IsNotUnknown(of) => Ok(boolean(self.condition(env, of, "IS UNKNOWN")?.is_not_unknown())),
            Syntax::IsDistinctFrom(left, right) => self.distinctness(env, left, right, true, syntax),
            Syntax::IsNotDistinctFrom(left, right) => self.distinctness(env, left, right, false, syntax),
            Syntax::Between { expr, negated, low, high } => self.between(env, expr, *negated, low, high, syntax),
            Syntax::InList { expr, list, negated } => self.in_list(env, expr, list, *negated, syntax),
            Syntax::InUnnest { expr, array_expr, negated } => self.in_unnest(env, expr, array_expr, *negated, syntax),
            Syntax::Like { negated, any: false, expr, pattern, escape_char: None } => self.like(env, expr, pattern, *negated, syntax),
            Syntax::Like { .. } => Err(error_at("Syntax error: GoogleSQL has no ESCAPE", syntax)),
            Syntax::AnyOp { left, compare_op, right, .. } => self.quantified_like(env, (left, compare_op, right), Operator::Or, syntax),
            Syntax::AllOp { left, compare_op, right } => self.quantified_like(env, (left, compare_op, right), Operator::And, syntax),

            Syntax::Case { operand, conditions, else_result, .. } => {
                self.case(env, operand.as_deref(), conditions, else_result.as_deref(), syntax)
            }
            Syntax::Cast { kind, expr, data_type, format, .. } => self.cast(env, kind, expr, data_type, format.as_ref(), syntax),
            Syntax::Extract { field, expr, .. } => self.extract(env, field, expr, syntax),
            Syntax::Function(call) => self.call(env, call, syntax),
            Syntax::Ceil { expr, field } => self.rounded(env, "ceil", expr, field, syntax),
            Syntax::Floor { expr, field } => self.rounded(env, "floor", expr, field, syntax),
            Syntax::Trim { trim_where: None, trim_what: None, expr, trim_characters } => {
                let args = std::iter::once(expr.as_ref()).chain(trim_characters.iter().flatten()).collect();
                self.named_call(env, "trim", args, syntax)
            }
            Syntax::Substring { expr, substring_from, substring_for, .. } => {
                let args = std::iter::once(expr.as_ref()).chain(substring_from.as_deref()).chain(substring_for.as_deref()).collect();
                self.named_call(env, "substr", args, syntax)
            }

            Syntax::Struct { values, fields } => self.struct_literal(env, values, fields, syntax),
            Syntax::Tuple(values) => self.struct_literal(env, values, &[], syntax),
            Syntax::Array(array) => self.array_literal(env, &array.elem, None, syntax),

            Syntax::Subquery(query) => self.scalar_subquery(env, query, syntax),
            Syntax::Exists { subquery, negated } => self.exists(env, subquery, *negated, syntax),
            Syntax::InSubquery { expr, subquery, negated } => self.in_subquery(env, expr, subquery, *negated, syntax),

            Syntax::AtTimeZone { .. } => Err(unsupported("AT TIME ZONE outside of EXTRACT and CAST", syntax)),
            Syntax::Rollup(_) | Syntax::Cube(_) | Syntax::GroupingSets(_) => {
                Err(error_at("Syntax error: ROLLUP, CUBE and GROUPING SETS stand in GROUP BY only", syntax))
            }
            _ => Err(unsupported(&format!("this expression: {syntax}"), syntax)),
        }
    }

    /// An expression that must be a BOOL.
    pub(crate) fn condition(&self, env: &Env<'_>, syntax: &ast::Expr, what: &str) -> Result<Expr, QueryError> {
        let value = self.expr(env, syntax)?;
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

pub(crate) fn boolean(expr: Expr) -> Typed {
    Typed { expr, field: types::plain(DataType::Boolean) }
}

/// Functions that may be called without parentheses.
fn is_bare_function(name: &str) -> bool {
    ["current_date", "current_datetime", "current_time", "current_timestamp"].iter().any(|bare| name.eq_ignore_ascii_case(bare))
}
