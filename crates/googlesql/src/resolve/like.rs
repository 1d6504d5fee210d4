//! LIKE, and LIKE ANY, SOME and ALL of several patterns.

use datafusion::logical_expr::expr::Like;
use datafusion::logical_expr::{Expr, Operator};
use datafusion::sql::sqlparser::ast::{self, BinaryOperator};

use super::Resolver;
use super::expression::boolean;
use super::operator::balanced;
use super::supertype::{is_null, is_text_literal};
use crate::QueryError;
use crate::error_location::{error_at, unsupported};
use crate::resolve::scope::{Env, Typed};
use crate::types;

impl Resolver<'_> {
    pub(crate) fn like(
        &self,
        env: &Env<'_>,
        of: &ast::Expr,
        pattern: &ast::Expr,
        negated: bool,
        syntax: &ast::Expr,
    ) -> Result<Typed, QueryError> {
        let (value, pattern) = (self.expr(env, of)?, self.expr(env, pattern)?);
        self.matched(value, pattern, negated, syntax).map(boolean)
    }

    /// `x LIKE ANY ('a%', 'b%')`: at least one; `x LIKE ALL (…)`: each. NOT is of the single LIKEs.
    pub(crate) fn quantified_like(
        &self,
        env: &Env<'_>,
        (of, op, patterns): (&ast::Expr, &BinaryOperator, &ast::Expr),
        combined: Operator,
        syntax: &ast::Expr,
    ) -> Result<Typed, QueryError> {
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
        let value = self.expr(env, of)?;
        let matches = patterns
            .iter()
            .map(|pattern| self.matched(value.clone(), self.expr(env, pattern)?, negated, syntax))
            .collect::<Result<_, _>>()?;
        Ok(boolean(balanced(matches, combined)))
    }

    fn matched(&self, value: Typed, pattern: Typed, negated: bool, syntax: &ast::Expr) -> Result<Expr, QueryError> {
        let is_text = |value: &Typed| is_null(value) || is_text_literal(value) || types::of(&value.field) == "STRING";
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
