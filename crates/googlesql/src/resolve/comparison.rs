//! `=`, `<`, BETWEEN, IN: between values of one type only.

use datafusion::arrow::datatypes::{DataType, FieldRef};
use datafusion::functions::core::expr_ext::FieldAccessor;
use datafusion::logical_expr::expr::{BinaryExpr, InList};
use datafusion::logical_expr::{Expr, Operator};
use datafusion::sql::sqlparser::ast;

use super::Resolver;
use super::expression::boolean;
use super::operator::balanced;
use crate::QueryError;
use crate::error_location::error_at;
use crate::physical::float_comparison::float_comparison;
use crate::physical::order_key::{needs_key, order_key};
use crate::resolve::scope::{Env, Typed};
use crate::types;

impl Resolver<'_> {
    pub(crate) fn compare(&self, left: Typed, op: Operator, right: Typed, syntax: &ast::Expr) -> Result<Typed, QueryError> {
        let written = match op {
            Operator::NotEq => "!=".to_owned(),
            Operator::IsDistinctFrom => "IS DISTINCT FROM".to_owned(),
            Operator::IsNotDistinctFrom => "IS NOT DISTINCT FROM".to_owned(),
            other => other.to_string(),
        };
        let (left, right) = self.comparable(vec![left, right], &written, syntax).map(pair)?;
        Ok(boolean(compared(left, op, right)))
    }

    /// The values as one type, of which there is an order.
    fn comparable(&self, values: Vec<Typed>, operator: &str, syntax: &ast::Expr) -> Result<Vec<Typed>, QueryError> {
        let names: Vec<String> = values.iter().map(|value| types::of(&value.field)).collect();
        let mismatch = || {
            let message = format!("No matching signature for operator {operator} for argument types: {}", names.join(", "));
            error_at(message, syntax)
        };
        let (values, common) = self.unify(values, syntax)?.ok_or_else(mismatch)?;
        if types::is_json(&common) || matches!(common.data_type(), DataType::List(_)) {
            let message = format!("Equality is not defined for arguments of type {}", types::of(&common));
            return Err(error_at(message, syntax));
        }
        Ok(values)
    }

    pub(crate) fn distinctness(
        &self,
        env: &Env<'_>,
        left: &ast::Expr,
        right: &ast::Expr,
        distinct: bool,
        syntax: &ast::Expr,
    ) -> Result<Typed, QueryError> {
        let op = if distinct { Operator::IsDistinctFrom } else { Operator::IsNotDistinctFrom };
        let (left, right) = (self.expr(env, left)?, self.expr(env, right)?);
        self.compare(left, op, right, syntax)
    }

    pub(crate) fn between(
        &self,
        env: &Env<'_>,
        of: &ast::Expr,
        negated: bool,
        low: &ast::Expr,
        high: &ast::Expr,
        syntax: &ast::Expr,
    ) -> Result<Typed, QueryError> {
        let values = vec![self.expr(env, of)?, self.expr(env, low)?, self.expr(env, high)?];
        let mut values = self.comparable(values, "BETWEEN", syntax)?.into_iter();
        let (Some(value), Some(low), Some(high)) = (values.next(), values.next(), values.next()) else {
            return Err(error_at("Syntax error: BETWEEN takes three operands", syntax));
        };
        if !is_plain(value.field.data_type()) {
            let bounds = compared(value.clone(), Operator::GtEq, low).and(compared(value, Operator::LtEq, high));
            return Ok(boolean(if negated { !bounds } else { bounds }));
        }
        let (value, low, high) = (Box::new(value.expr), Box::new(low.expr), Box::new(high.expr));
        Ok(boolean(Expr::Between(datafusion::logical_expr::expr::Between::new(value, negated, low, high))))
    }

    pub(crate) fn in_list(
        &self,
        env: &Env<'_>,
        of: &ast::Expr,
        list: &[ast::Expr],
        negated: bool,
        syntax: &ast::Expr,
    ) -> Result<Typed, QueryError> {
        let mut values = vec![self.expr(env, of)?];
        for element in list {
            values.push(self.expr(env, element)?);
        }
        let mut values = self.comparable(values, "IN", syntax)?.into_iter();
        let Some(value) = values.next() else { return Err(error_at("Syntax error: IN takes operands", syntax)) };
        if !is_plain(value.field.data_type()) {
            let any = balanced(values.map(|element| compared(value.clone(), Operator::Eq, element)).collect(), Operator::Or);
            return Ok(boolean(if negated { !any } else { any }));
        }
        Ok(boolean(Expr::InList(InList::new(Box::new(value.expr), values.map(|value| value.expr).collect(), negated))))
    }
}

/// Whether Arrow compares such values as GoogleSQL does.
fn is_plain(data_type: &DataType) -> bool {
    !needs_key(data_type) && !matches!(data_type, DataType::Struct(_))
}

/// Values of one type, compared as GoogleSQL does: a STRUCT member by member, where a NULL leaves
/// it unknown, and a NaN equal to nothing.
fn compared(left: Typed, op: Operator, right: Typed) -> Expr {
    match (left.field.data_type(), op) {
        (DataType::Struct(members), Operator::Eq) => {
            let of = |value: &Typed, member: &FieldRef| Typed {
                expr: value.expr.clone().field(member.name().as_str()),
                field: types::plain(member.data_type().clone()),
            };
            let equal = members.iter().map(|member| compared(of(&left, member), Operator::Eq, of(&right, member))).collect();
            balanced(equal, Operator::And)
        }
        (DataType::Struct(_), Operator::NotEq) => !compared(left, Operator::Eq, right),
        (DataType::Float64, op) if let Some(compared) = float_comparison(left.expr.clone(), op, right.expr.clone()) => compared,
        (data_type, op) => {
            let (left, right) = (order_key(left.expr.clone(), data_type), order_key(right.expr, data_type));
            Expr::BinaryExpr(BinaryExpr::new(Box::new(left), op, Box::new(right)))
        }
    }
}

fn pair(mut values: Vec<Typed>) -> (Typed, Typed) {
    let second = values.swap_remove(1);
    (values.swap_remove(0), second)
}
