//! CASE, IF, COALESCE, IFNULL, NULLIF: all of them are CASE, which runs the branch that it takes
//! and no other.

use datafusion::logical_expr::{Expr, Operator};
use datafusion::sql::sqlparser::ast;

use super::Resolver;
use crate::QueryError;
use crate::error_location::error_at;
use crate::resolve::scope::{Env, Typed};
use crate::types;

impl Resolver<'_> {
    pub(crate) fn case(
        &self,
        env: &Env<'_>,
        operand: Option<&ast::Expr>,
        branches: &[ast::CaseWhen],
        otherwise: Option<&ast::Expr>,
        syntax: &ast::Expr,
    ) -> Result<Typed, QueryError> {
        let operand = operand.map(|operand| self.expr(env, operand)).transpose()?;
        let mut conditions = Vec::new();
        let mut results = Vec::new();
        for branch in branches {
            conditions.push(match &operand {
                None => self.condition(env, &branch.condition, "CASE WHEN condition")?,
                Some(operand) => {
                    let value = self.expr(env, &branch.condition)?;
                    self.compare(operand.clone(), Operator::Eq, value, &branch.condition)?.expr
                }
            });
            results.push(self.expr(env, &branch.result)?);
        }
        results.push(match otherwise {
            Some(otherwise) => self.expr(env, otherwise)?,
            None => self.null(&types::plain(datafusion::arrow::datatypes::DataType::Null))?,
        });
        self.choose("CASE", conditions, results, syntax)
    }

    /// The result whose condition is the first to hold, or the last result.
    pub(crate) fn choose(&self, name: &str, conditions: Vec<Expr>, results: Vec<Typed>, syntax: &ast::Expr) -> Result<Typed, QueryError> {
        let (mut results, field) = self.one_type(name, results, syntax)?;
        let otherwise = results.pop().map(|otherwise| Box::new(otherwise.expr));
        let branches = conditions.into_iter().zip(results).map(|(when, then)| (Box::new(when), Box::new(then.expr))).collect();
        Ok(Typed { expr: Expr::Case(datafusion::logical_expr::expr::Case::new(None, branches, otherwise)), field })
    }

    pub(crate) fn one_type(
        &self,
        name: &str,
        values: Vec<Typed>,
        syntax: &ast::Expr,
    ) -> Result<(Vec<Typed>, datafusion::arrow::datatypes::FieldRef), QueryError> {
        let names: Vec<String> = values.iter().map(|value| types::of(&value.field)).collect();
        self.unify(values, syntax)?.ok_or_else(|| {
            let message = format!("No matching signature for {name} for argument types: {}", names.join(", "));
            error_at(message, syntax)
        })
    }

    /// IF, COALESCE, IFNULL and NULLIF; `None` for other names.
    pub(crate) fn conditional_call(
        &self,
        env: &Env<'_>,
        name: &str,
        args: &[&ast::Expr],
        syntax: &ast::Expr,
    ) -> Option<Result<Typed, QueryError>> {
        match (name, args) {
            ("if", [condition, then, otherwise]) => Some(self.if_call(env, condition, then, otherwise, syntax)),
            ("ifnull", [_, _]) | ("coalesce", [_, ..]) => Some(self.coalesce(env, &name.to_uppercase(), args, syntax)),
            ("nullif", [value, other]) => Some(self.nullif(env, value, other, syntax)),
            _ => None,
        }
    }

    fn if_call(
        &self,
        env: &Env<'_>,
        condition: &ast::Expr,
        then: &ast::Expr,
        otherwise: &ast::Expr,
        syntax: &ast::Expr,
    ) -> Result<Typed, QueryError> {
        let condition = self.condition(env, condition, "IF condition")?;
        let results = vec![self.expr(env, then)?, self.expr(env, otherwise)?];
        self.choose("function IF", vec![condition], results, syntax)
    }

    fn coalesce(&self, env: &Env<'_>, name: &str, args: &[&ast::Expr], syntax: &ast::Expr) -> Result<Typed, QueryError> {
        let values = args.iter().map(|arg| self.expr(env, arg)).collect::<Result<Vec<_>, _>>()?;
        let (values, field) = self.one_type(&format!("function {name}"), values, syntax)?;
        let args = values.into_iter().map(|value| value.expr).collect();
        Ok(Typed { expr: datafusion::functions::core::expr_fn::coalesce(args), field })
    }

    fn nullif(&self, env: &Env<'_>, value: &ast::Expr, other: &ast::Expr, syntax: &ast::Expr) -> Result<Typed, QueryError> {
        let (value, other) = (self.expr(env, value)?, self.expr(env, other)?);
        let equal = self.compare(value.clone(), Operator::Eq, other, syntax)?;
        let null = self.null(&types::plain(datafusion::arrow::datatypes::DataType::Null))?;
        self.choose("function NULLIF", vec![equal.expr], vec![null, value], syntax)
    }
}
