//! Resolves LIKE, and LIKE ANY, SOME and ALL with several patterns.
//!
//! Reference: <https://cloud.google.com/bigquery/docs/reference/standard-sql/operators#like_operator_quantified>.

use datafusion::logical_expr::expr::Like;
use datafusion::logical_expr::{Expr, Operator};
use datafusion::sql::sqlparser::ast::{self, BinaryOperator};

use super::Resolver;
use super::expression::typed_bool;
use super::operator::build_balanced_tree;
use super::supertype::{is_null, is_text_literal};
use crate::QueryError;
use crate::error_location::{error_at, unsupported};
use crate::resolve::scope::{Env, TypedExpr};
use crate::types;

impl Resolver<'_> {
    pub(crate) fn resolve_like(
        &self,
        env: &Env<'_>,
        of: &ast::Expr,
        pattern: &ast::Expr,
        negated: bool,
        syntax: &ast::Expr,
    ) -> Result<TypedExpr, QueryError> {
        let (value, pattern) = (self.resolve_expr(env, of)?, self.resolve_expr(env, pattern)?);
        self.build_like(value, pattern, negated, syntax).map(typed_bool)
    }

    /// `x LIKE ANY ('a%', 'b%')` matches at least one pattern, `x LIKE ALL (…)` every pattern. NOT negates each LIKE.
    pub(crate) fn resolve_quantified_like(
        &self,
        env: &Env<'_>,
        (of, op, patterns): (&ast::Expr, &BinaryOperator, &ast::Expr),
        combined: Operator,
        syntax: &ast::Expr,
    ) -> Result<TypedExpr, QueryError> {
        let negated = match op {
            BinaryOperator::PGLikeMatch => false,
            BinaryOperator::PGNotLikeMatch => true,
            other => return Err(unsupported(&format!("{other} ANY and ALL"), syntax)),
        };
        let patterns = match patterns {
            ast::Expr::Tuple(patterns) => patterns.as_slice(),
            ast::Expr::Nested(pattern) => std::slice::from_ref(pattern.as_ref()),
            other => return Err(unsupported("LIKE ANY, SOME and ALL of arrays and subqueries", other)),
        };
        let value = self.resolve_expr(env, of)?;
        self.count_copies(&value.expr, patterns.len(), syntax)?;
        let matches = patterns
            .iter()
            .map(|pattern| self.build_like(value.clone(), self.resolve_expr(env, pattern)?, negated, syntax))
            .collect::<Result<_, _>>()?;
        Ok(typed_bool(build_balanced_tree(matches, combined)))
    }

    fn build_like(&self, value: TypedExpr, pattern: TypedExpr, negated: bool, syntax: &ast::Expr) -> Result<Expr, QueryError> {
        let is_text = |value: &TypedExpr| is_null(value) || is_text_literal(value) || types::of(&value.field) == "STRING";
        if !is_text(&value) || !is_text(&pattern) {
            let message = format!(
                "No matching signature for operator LIKE for argument types: {}, {}",
                types::of(&value.field),
                types::of(&pattern.field)
            );
            return Err(error_at(message, syntax));
        }
        Ok(Expr::Like(Like::new(negated, Box::new(value.expr), Box::new(pattern.expr), None, false)))
    }
}
