//! Resolves CASE, IF, COALESCE, IFNULL and NULLIF. All of them evaluate only the selected branch.
//!
//! Reference: <https://cloud.google.com/bigquery/docs/reference/standard-sql/conditional_expressions>.

use datafusion::logical_expr::expr::Case;
use datafusion::logical_expr::{Expr, Operator};
use datafusion::sql::sqlparser::ast;

use super::Resolver;
use crate::QueryError;
use crate::error_location::error_at;
use crate::resolve::scope::{Env, TypedExpr};
use crate::types;

impl Resolver<'_> {
    pub(crate) fn resolve_case(
        &self,
        env: &Env<'_>,
        operand: Option<&ast::Expr>,
        branches: &[ast::CaseWhen],
        otherwise: Option<&ast::Expr>,
        syntax: &ast::Expr,
    ) -> Result<TypedExpr, QueryError> {
        let operand = operand.map(|operand| self.resolve_expr(env, operand)).transpose()?;
        if let Some(operand) = &operand {
            self.count_copies(&operand.expr, branches.len(), syntax)?;
        }
        let mut conditions = Vec::new();
        let mut results = Vec::new();
        for branch in branches {
            conditions.push(match &operand {
                None => self.resolve_condition(env, &branch.condition, "CASE WHEN condition")?,
                Some(operand) => {
                    let value = self.resolve_expr(env, &branch.condition)?;
                    self.compare(operand.clone(), Operator::Eq, value, &branch.condition)?.expr
                }
            });
            results.push(self.resolve_expr(env, &branch.result)?);
        }
        results.push(match otherwise {
            Some(otherwise) => self.resolve_expr(env, otherwise)?,
            None => self.typed_null(&types::plain(datafusion::arrow::datatypes::DataType::Null))?,
        });
        self.build_case("CASE", conditions, results, syntax)
    }

    /// Builds a CASE: the result of the first true condition, or the last result.
    pub(crate) fn build_case(
        &self,
        name: &str,
        conditions: Vec<Expr>,
        results: Vec<TypedExpr>,
        syntax: &ast::Expr,
    ) -> Result<TypedExpr, QueryError> {
        let (mut results, field) = self.coerce_to_supertype(name, results, syntax)?;
        let otherwise = results.pop().map(|otherwise| Box::new(otherwise.expr));
        let branches = conditions.into_iter().zip(results).map(|(when, then)| (Box::new(when), Box::new(then.expr))).collect();
        Ok(TypedExpr { expr: Expr::Case(Case::new(None, branches, otherwise)), field })
    }

    pub(crate) fn coerce_to_supertype(
        &self,
        name: &str,
        values: Vec<TypedExpr>,
        syntax: &ast::Expr,
    ) -> Result<(Vec<TypedExpr>, datafusion::arrow::datatypes::FieldRef), QueryError> {
        let names: Vec<String> = values.iter().map(|value| types::of(&value.field)).collect();
        self.unify(values, syntax)?.ok_or_else(|| {
            let message = format!("No matching signature for {name} for argument types: {}", names.join(", "));
            error_at(message, syntax)
        })
    }

    /// IF, COALESCE, IFNULL and NULLIF; `None` for other names.
    pub(crate) fn resolve_conditional(
        &self,
        env: &Env<'_>,
        name: &str,
        args: &[&ast::Expr],
        syntax: &ast::Expr,
    ) -> Option<Result<TypedExpr, QueryError>> {
        match (name, args) {
            ("if", [condition, then, otherwise]) => Some(self.resolve_if(env, condition, then, otherwise, syntax)),
            ("ifnull", [_, _]) | ("coalesce", [_, ..]) => Some(self.resolve_coalesce(env, &name.to_uppercase(), args, syntax)),
            ("nullif", [value, other]) => Some(self.resolve_nullif(env, value, other, syntax)),
            _ => None,
        }
    }

    fn resolve_if(
        &self,
        env: &Env<'_>,
        condition: &ast::Expr,
        then: &ast::Expr,
        otherwise: &ast::Expr,
        syntax: &ast::Expr,
    ) -> Result<TypedExpr, QueryError> {
        let condition = self.resolve_condition(env, condition, "IF condition")?;
        let results = vec![self.resolve_expr(env, then)?, self.resolve_expr(env, otherwise)?];
        self.build_case("function IF", vec![condition], results, syntax)
    }

    fn resolve_coalesce(&self, env: &Env<'_>, name: &str, args: &[&ast::Expr], syntax: &ast::Expr) -> Result<TypedExpr, QueryError> {
        let values = args.iter().map(|arg| self.resolve_expr(env, arg)).collect::<Result<Vec<_>, _>>()?;
        let (values, field) = self.coerce_to_supertype(&format!("function {name}"), values, syntax)?;
        for value in values.iter().rev().skip(1) {
            self.check_copy(&value.expr, syntax)?;
        }
        Ok(TypedExpr { expr: build_coalesce(values.into_iter().map(|value| value.expr)), field })
    }

    fn resolve_nullif(&self, env: &Env<'_>, value: &ast::Expr, other: &ast::Expr, syntax: &ast::Expr) -> Result<TypedExpr, QueryError> {
        let (value, other) = (self.resolve_expr(env, value)?, self.resolve_expr(env, other)?);
        self.check_copy(&value.expr, syntax)?;
        let equal = self.compare(value.clone(), Operator::Eq, other, syntax)?;
        let null = self.typed_null(&types::plain(datafusion::arrow::datatypes::DataType::Null))?;
        self.build_case("function NULLIF", vec![equal.expr], vec![null, value], syntax)
    }
}

/// Builds `COALESCE(a, b, c)` as `CASE WHEN a IS NOT NULL THEN a WHEN b IS NOT NULL THEN b ELSE c END`, which contains each
/// value but the last twice. A COALESCE among the values is replaced by its values, so that the size does not double.
pub(crate) fn build_coalesce(values: impl Iterator<Item = Expr>) -> Expr {
    let mut values: Vec<Expr> = values.flat_map(split_coalesce).collect();
    let last = values.pop().unwrap_or_default();
    if values.is_empty() {
        return last;
    }
    let branches = values.into_iter().map(|value| (Box::new(value.clone().is_not_null()), Box::new(value))).collect();
    Expr::Case(Case::new(None, branches, Some(Box::new(last))))
}

/// The values of a COALESCE, or the expression itself.
fn split_coalesce(expr: Expr) -> Vec<Expr> {
    match expr {
        Expr::Case(Case { expr: None, when_then_expr, else_expr: Some(last) })
            if when_then_expr.iter().all(|(when, then)| matches!(when.as_ref(), Expr::IsNotNull(value) if value == then)) =>
        {
            when_then_expr.into_iter().map(|(_, then)| *then).chain([*last]).collect()
        }
        other => vec![other],
    }
}
