//! Resolves logical, arithmetic, concatenation and bitwise operators.
//!
//! Reference: <https://cloud.google.com/bigquery/docs/reference/standard-sql/operators>.

use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, FieldRef};
use datafusion::common::{DataFusionError, ScalarValue};
use datafusion::logical_expr::expr::{BinaryExpr, ScalarFunction};
use datafusion::logical_expr::{Expr, Operator, ReturnFieldArgs, ScalarUDF};
use datafusion::sql::sqlparser::ast::{self, BinaryOperator, UnaryOperator};

use super::Resolver;
use super::expression::typed_bool;
use crate::QueryError;
use crate::error_location::{error_at, unsupported};
use crate::functions::{Function, operator_chain};
use crate::resolve::scope::{Env, TypedExpr};
use crate::types;

impl Resolver<'_> {
    pub(crate) fn resolve_binary(
        &self,
        env: &Env<'_>,
        left: &ast::Expr,
        op: &BinaryOperator,
        right: &ast::Expr,
        syntax: &ast::Expr,
    ) -> Result<TypedExpr, QueryError> {
        let comparison = match op {
            BinaryOperator::And => return self.resolve_logical_chain(env, left, right, "AND"),
            BinaryOperator::Or => return self.resolve_logical_chain(env, left, right, "OR"),
            BinaryOperator::Eq => Operator::Eq,
            BinaryOperator::NotEq => Operator::NotEq,
            BinaryOperator::Lt => Operator::Lt,
            BinaryOperator::LtEq => Operator::LtEq,
            BinaryOperator::Gt => Operator::Gt,
            BinaryOperator::GtEq => Operator::GtEq,
            other if arithmetic_function(other).is_some() => return self.resolve_operator_chain(env, syntax),
            other => return Err(unsupported(&format!("the operator {other}"), syntax)),
        };
        reject_null_operands(left, op, right)?;
        let (left, right) = (self.resolve_expr(env, left)?, self.resolve_expr(env, right)?);
        self.compare(left, comparison, right, syntax)
    }

    /// Resolves `a AND b AND c` without one recursion per operand.
    fn resolve_logical_chain(&self, env: &Env<'_>, left: &ast::Expr, right: &ast::Expr, word: &str) -> Result<TypedExpr, QueryError> {
        let mut operands = vec![right];
        let mut rest = left;
        while let ast::Expr::BinaryOp { left, op, right } = rest
            && matches!((op, word), (BinaryOperator::And, "AND") | (BinaryOperator::Or, "OR"))
        {
            operands.push(right);
            rest = left;
        }
        operands.push(rest);
        let operands: Vec<Expr> =
            operands.into_iter().rev().map(|operand| self.resolve_condition(env, operand, word)).collect::<Result<_, _>>()?;
        Ok(typed_bool(build_balanced_tree(operands, if word == "AND" { Operator::And } else { Operator::Or })))
    }

    /// Resolves `a + b - c * d || …` without one recursion per operator.
    fn resolve_operator_chain(&self, env: &Env<'_>, syntax: &ast::Expr) -> Result<TypedExpr, QueryError> {
        let mut steps = Vec::new();
        let mut first = syntax;
        while let ast::Expr::BinaryOp { left, op, right } = first
            && let Some((name, function)) = arithmetic_function(op)
        {
            reject_null_operands(left, op, right)?;
            steps.push((name, function, right.as_ref()));
            first = left;
        }
        let mut chain = OperatorChain::new(self.resolve_expr(env, first)?);
        for (name, function, right) in steps.into_iter().rev() {
            let right = self.resolve_expr(env, right)?;
            let Some(Function::Scalar { udf, .. }) = self.find_function(function) else {
                return Err(unsupported(&format!("the operator {name}"), syntax));
            };
            let names = format!("{}, {}", types::of(&chain.field), types::of(&right.field));
            chain.push(udf, right).map_err(|error| match QueryError::from(error) {
                QueryError::Invalid(message) if message.contains("coerce") => {
                    error_at(format!("No matching signature for operator {name} for argument types: {names}"), syntax)
                }
                QueryError::Invalid(message) => error_at(message, syntax),
                other => other,
            })?;
        }
        Ok(chain.into_expr())
    }

    pub(crate) fn resolve_unary(
        &self,
        env: &Env<'_>,
        op: UnaryOperator,
        of: &ast::Expr,
        syntax: &ast::Expr,
    ) -> Result<TypedExpr, QueryError> {
        match op {
            UnaryOperator::Not => Ok(typed_bool(Expr::Not(Box::new(self.resolve_condition(env, of, "NOT")?)))),
            UnaryOperator::Plus => self.resolve_expr(env, of),
            UnaryOperator::Minus => {
                if let Some(literal) = self.parse_negative_literal(of) {
                    return Ok(literal);
                }
                let value = self.resolve_expr(env, of)?;
                self.call_internal(env, "$negate", vec![value.expr], syntax)
            }
            UnaryOperator::BitwiseNot => {
                let value = self.resolve_expr(env, of)?;
                self.call_internal(env, "$bit_not", vec![value.expr], syntax)
            }
            other => Err(unsupported(&format!("the operator {other}"), syntax)),
        }
    }

    /// Parses `-1`. The sign belongs to the literal, because the smallest INT64 without its sign is out of range.
    fn parse_negative_literal(&self, of: &ast::Expr) -> Option<TypedExpr> {
        let ast::Expr::Value(value) = of else { return None };
        let ast::Value::Number(text, _) = &value.value else { return None };
        if let Ok(number) = format!("-{text}").parse::<i64>() {
            return Some(super::literal::int64(number));
        }
        let number: f64 = format!("-{text}").parse().ok()?;
        text.contains(['.', 'e', 'E'])
            .then(|| TypedExpr { expr: datafusion::logical_expr::lit(number), field: types::plain(DataType::Float64) })
    }
}

/// A chain of arithmetic operators, from left to right.
struct OperatorChain {
    operands: Vec<Expr>,
    operators: Vec<Arc<ScalarUDF>>,
    /// The type of the result.
    field: FieldRef,
}

impl OperatorChain {
    fn new(first: TypedExpr) -> OperatorChain {
        OperatorChain { operands: vec![first.expr], operators: Vec::new(), field: first.field }
    }

    fn push(&mut self, operator: Arc<ScalarUDF>, right: TypedExpr) -> Result<(), DataFusionError> {
        let left = self.operands.last().filter(|_| self.operators.is_empty()).and_then(literal_value);
        let field = operator.return_field_from_args(ReturnFieldArgs {
            arg_fields: &[Arc::clone(&self.field), right.field],
            scalar_arguments: &[left, literal_value(&right.expr)],
        })?;
        self.field = Arc::new(field.as_ref().clone().with_name("").with_nullable(true));
        self.operators.push(operator);
        self.operands.push(right.expr);
        Ok(())
    }

    fn into_expr(mut self) -> TypedExpr {
        let is_concatenation = self.operators.iter().all(|operator| operator.name() == "$concat");
        let function = match self.operators.pop() {
            // `$concat` has any number of arguments.
            Some(operator) if is_concatenation || self.operators.is_empty() => operator,
            last => {
                self.operators.extend(last);
                operator_chain(self.operators)
            }
        };
        TypedExpr { expr: Expr::ScalarFunction(ScalarFunction::new_udf(function, self.operands)), field: self.field }
    }
}

fn literal_value(expr: &Expr) -> Option<&ScalarValue> {
    match expr {
        Expr::Literal(value, _) => Some(value),
        _ => None,
    }
}

/// Rejects the literal NULL as an operand whose result is always NULL.
fn reject_null_operands(left: &ast::Expr, op: &BinaryOperator, right: &ast::Expr) -> Result<(), QueryError> {
    let name = match op {
        BinaryOperator::Eq => "=",
        BinaryOperator::NotEq => "!=",
        BinaryOperator::Lt => "<",
        BinaryOperator::LtEq => "<=",
        BinaryOperator::Gt => ">",
        BinaryOperator::GtEq => ">=",
        BinaryOperator::Plus => "+",
        BinaryOperator::Minus => "-",
        BinaryOperator::Multiply => "*",
        BinaryOperator::Divide => "/",
        BinaryOperator::StringConcat => "||",
        _ => return Ok(()),
    };
    match [left, right].into_iter().find(|operand| is_null_literal(operand)) {
        Some(null) => Err(error_at(format!("Operands of {name} cannot be literal NULL"), null)),
        None => Ok(()),
    }
}

fn is_null_literal(operand: &ast::Expr) -> bool {
    match operand {
        ast::Expr::Nested(inner) => is_null_literal(inner),
        ast::Expr::Value(value) => value.value == ast::Value::Null,
        _ => false,
    }
}

/// The operator's name and the internal function that implements it.
fn arithmetic_function(op: &BinaryOperator) -> Option<(&'static str, &'static str)> {
    Some(match op {
        BinaryOperator::Plus => ("+", "$add"),
        BinaryOperator::Minus => ("-", "$subtract"),
        BinaryOperator::Multiply => ("*", "$multiply"),
        BinaryOperator::Divide => ("/", "$divide"),
        BinaryOperator::StringConcat => ("||", "$concat"),
        BinaryOperator::BitwiseAnd => ("&", "$bit_and"),
        BinaryOperator::BitwiseOr => ("|", "$bit_or"),
        BinaryOperator::BitwiseXor => ("^", "$bit_xor"),
        BinaryOperator::PGBitwiseShiftLeft => ("<<", "$shift_left"),
        BinaryOperator::PGBitwiseShiftRight => (">>", "$shift_right"),
        _ => return None,
    })
}

/// Combines the operands into a tree of minimum depth.
pub(crate) fn build_balanced_tree(mut operands: Vec<Expr>, op: Operator) -> Expr {
    match operands.len() {
        0 => datafusion::logical_expr::lit(op == Operator::And),
        1 => operands.remove(0),
        length => {
            let right = operands.split_off(length / 2);
            Expr::BinaryExpr(BinaryExpr::new(Box::new(build_balanced_tree(operands, op)), op, Box::new(build_balanced_tree(right, op))))
        }
    }
}
