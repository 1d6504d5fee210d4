//! Operators: logic, arithmetic, `||`, bits.

use datafusion::logical_expr::expr::BinaryExpr;
use datafusion::logical_expr::{Expr, Operator};
use datafusion::sql::sqlparser::ast::{self, BinaryOperator, UnaryOperator};

use super::Resolver;
use super::expression::boolean;
use crate::QueryError;
use crate::error_location::{error_at, unsupported};
use crate::resolve::scope::{Env, Typed};
use crate::types;
use datafusion::arrow::datatypes::DataType;

impl Resolver<'_> {
    pub(crate) fn binary(
        &self,
        env: &Env<'_>,
        left: &ast::Expr,
        op: &BinaryOperator,
        right: &ast::Expr,
        syntax: &ast::Expr,
    ) -> Result<Typed, QueryError> {
        refuse_null(left, op, right)?;
        let comparison = match op {
            BinaryOperator::And => return self.chain(env, left, right, "AND"),
            BinaryOperator::Or => return self.chain(env, left, right, "OR"),
            BinaryOperator::Eq => Operator::Eq,
            BinaryOperator::NotEq => Operator::NotEq,
            BinaryOperator::Lt => Operator::Lt,
            BinaryOperator::LtEq => Operator::LtEq,
            BinaryOperator::Gt => Operator::Gt,
            BinaryOperator::GtEq => Operator::GtEq,
            other => {
                let (name, function) = arithmetic(other).ok_or_else(|| unsupported(&format!("the operator {other}"), syntax))?;
                let (left, right) = (self.expr(env, left)?, self.expr(env, right)?);
                return self.arithmetic(env, name, function, left, right, syntax);
            }
        };
        let (left, right) = (self.expr(env, left)?, self.expr(env, right)?);
        self.compare(left, comparison, right, syntax)
    }

    /// `a AND b AND c`, without going deeper for each of them.
    fn chain(&self, env: &Env<'_>, left: &ast::Expr, right: &ast::Expr, word: &str) -> Result<Typed, QueryError> {
        let mut operands = vec![right];
        let mut rest = left;
        while let ast::Expr::BinaryOp { left, op, right } = rest
            && matches!((op, word), (BinaryOperator::And, "AND") | (BinaryOperator::Or, "OR"))
        {
            operands.push(right);
            rest = left;
        }
        operands.push(rest);
        let operands: Vec<Expr> = operands.into_iter().rev().map(|operand| self.condition(env, operand, word)).collect::<Result<_, _>>()?;
        Ok(boolean(balanced(operands, if word == "AND" { Operator::And } else { Operator::Or })))
    }

    fn arithmetic(
        &self,
        env: &Env<'_>,
        name: &str,
        function: &str,
        left: Typed,
        right: Typed,
        syntax: &ast::Expr,
    ) -> Result<Typed, QueryError> {
        let names = format!("{}, {}", types::of(&left.field), types::of(&right.field));
        self.internal(env, function, vec![left.expr, right.expr], syntax).map_err(|error| match error {
            QueryError::Invalid(message) if message.starts_with("Error during") || message.contains("coerce") => {
                error_at(format!("No matching signature for operator {name} for argument types: {names}"), syntax)
            }
            other => other,
        })
    }

    pub(crate) fn unary(&self, env: &Env<'_>, op: UnaryOperator, of: &ast::Expr, syntax: &ast::Expr) -> Result<Typed, QueryError> {
        match op {
            UnaryOperator::Not => Ok(boolean(Expr::Not(Box::new(self.condition(env, of, "NOT")?)))),
            UnaryOperator::Plus => self.expr(env, of),
            UnaryOperator::Minus => {
                if let Some(literal) = self.negative_literal(of) {
                    return Ok(literal);
                }
                let value = self.expr(env, of)?;
                self.internal(env, "$negate", vec![value.expr], syntax)
            }
            UnaryOperator::BitwiseNot => {
                let value = self.expr(env, of)?;
                self.internal(env, "$bit_not", vec![value.expr], syntax)
            }
            other => Err(unsupported(&format!("the operator {other}"), syntax)),
        }
    }

    /// `-1`; the smallest INT64 is no INT64 before its sign.
    fn negative_literal(&self, of: &ast::Expr) -> Option<Typed> {
        let ast::Expr::Value(value) = of else { return None };
        let ast::Value::Number(text, _) = &value.value else { return None };
        if let Ok(number) = format!("-{text}").parse::<i64>() {
            return Some(super::literal::int64(number));
        }
        let number: f64 = format!("-{text}").parse().ok()?;
        text.contains(['.', 'e', 'E'])
            .then(|| Typed { expr: datafusion::logical_expr::lit(number), field: types::plain(DataType::Float64) })
    }
}

/// The word NULL as an operand, where the answer could only be NULL.
fn refuse_null(left: &ast::Expr, op: &BinaryOperator, right: &ast::Expr) -> Result<(), QueryError> {
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

/// The operator's name and the function that does its work.
fn arithmetic(op: &BinaryOperator) -> Option<(&'static str, &'static str)> {
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

/// The operands as a tree that is no deeper than it must be.
pub(crate) fn balanced(mut operands: Vec<Expr>, op: Operator) -> Expr {
    match operands.len() {
        0 => datafusion::logical_expr::lit(op == Operator::And),
        1 => operands.remove(0),
        length => {
            let right = operands.split_off(length / 2);
            Expr::BinaryExpr(BinaryExpr::new(Box::new(balanced(operands, op)), op, Box::new(balanced(right, op))))
        }
    }
}
