//! Resolves comparisons: `=`, `<`, BETWEEN and IN. The operands must have a common supertype.
//!
//! Reference: <https://cloud.google.com/bigquery/docs/reference/standard-sql/operators#comparison_operators>.

use datafusion::arrow::datatypes::{DataType, FieldRef};
use datafusion::functions::core::expr_ext::FieldAccessor;
use datafusion::logical_expr::expr::{BinaryExpr, InList};
use datafusion::logical_expr::{Expr, Operator};
use datafusion::sql::sqlparser::ast;

use super::Resolver;
use super::expression::typed_bool;
use super::operator::build_balanced_tree;
use crate::QueryError;
use crate::error_location::error_at;
use crate::physical::float_comparison::float_comparison;
use crate::physical::order_key::{needs_key, order_key};
use crate::resolve::scope::{Env, TypedExpr};
use crate::types;

impl Resolver<'_> {
    pub(crate) fn compare(&self, left: TypedExpr, op: Operator, right: TypedExpr, syntax: &ast::Expr) -> Result<TypedExpr, QueryError> {
        let written = match op {
            Operator::NotEq => "!=".to_owned(),
            Operator::IsDistinctFrom => "IS DISTINCT FROM".to_owned(),
            Operator::IsNotDistinctFrom => "IS NOT DISTINCT FROM".to_owned(),
            other => other.to_string(),
        };
        let (left, right) = self.coerce_comparable(vec![left, right], &written, syntax).map(into_pair)?;
        Ok(typed_bool(build_comparison(left, op, right)))
    }

    /// Coerces the values to one type that has an order.
    fn coerce_comparable(&self, values: Vec<TypedExpr>, operator: &str, syntax: &ast::Expr) -> Result<Vec<TypedExpr>, QueryError> {
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
        if let DataType::Struct(members) = common.data_type() {
            for value in &values {
                self.count_copies(&value.expr, members.len(), syntax)?;
            }
        }
        Ok(values)
    }

    pub(crate) fn resolve_is_distinct(
        &self,
        env: &Env<'_>,
        left: &ast::Expr,
        right: &ast::Expr,
        distinct: bool,
        syntax: &ast::Expr,
    ) -> Result<TypedExpr, QueryError> {
        let op = if distinct { Operator::IsDistinctFrom } else { Operator::IsNotDistinctFrom };
        let (left, right) = (self.resolve_expr(env, left)?, self.resolve_expr(env, right)?);
        self.compare(left, op, right, syntax)
    }

    pub(crate) fn resolve_between(
        &self,
        env: &Env<'_>,
        of: &ast::Expr,
        negated: bool,
        low: &ast::Expr,
        high: &ast::Expr,
        syntax: &ast::Expr,
    ) -> Result<TypedExpr, QueryError> {
        let values = vec![self.resolve_expr(env, of)?, self.resolve_expr(env, low)?, self.resolve_expr(env, high)?];
        let mut values = self.coerce_comparable(values, "BETWEEN", syntax)?.into_iter();
        let (Some(value), Some(low), Some(high)) = (values.next(), values.next(), values.next()) else {
            return Err(error_at("Syntax error: BETWEEN takes three operands", syntax));
        };
        if !is_ordered_by_arrow(value.field.data_type()) {
            let bounds = build_comparison(value.clone(), Operator::GtEq, low).and(build_comparison(value, Operator::LtEq, high));
            return Ok(typed_bool(if negated { !bounds } else { bounds }));
        }
        let (value, low, high) = (Box::new(value.expr), Box::new(low.expr), Box::new(high.expr));
        Ok(typed_bool(Expr::Between(datafusion::logical_expr::expr::Between::new(value, negated, low, high))))
    }

    pub(crate) fn resolve_in_list(
        &self,
        env: &Env<'_>,
        of: &ast::Expr,
        list: &[ast::Expr],
        negated: bool,
        syntax: &ast::Expr,
    ) -> Result<TypedExpr, QueryError> {
        let mut values = vec![self.resolve_expr(env, of)?];
        for element in list {
            values.push(self.resolve_expr(env, element)?);
        }
        let mut values = self.coerce_comparable(values, "IN", syntax)?.into_iter();
        let Some(value) = values.next() else { return Err(error_at("Syntax error: IN takes operands", syntax)) };
        if !is_ordered_by_arrow(value.field.data_type()) {
            self.count_copies(&value.expr, list.len(), syntax)?;
            let any =
                build_balanced_tree(values.map(|element| build_comparison(value.clone(), Operator::Eq, element)).collect(), Operator::Or);
            return Ok(typed_bool(if negated { !any } else { any }));
        }
        Ok(typed_bool(Expr::InList(InList::new(Box::new(value.expr), values.map(|value| value.expr).collect(), negated))))
    }
}

/// Whether Arrow compares values of the type like GoogleSQL.
fn is_ordered_by_arrow(data_type: &DataType) -> bool {
    !needs_key(data_type) && !matches!(data_type, DataType::Struct(_))
}

/// Compares values of one type. STRUCTs are compared member by member, and a NULL member makes the result NULL. NaN does
/// not equal any value.
fn build_comparison(left: TypedExpr, op: Operator, right: TypedExpr) -> Expr {
    match (left.field.data_type(), op) {
        (DataType::Struct(members), Operator::Eq) => {
            let of = |value: &TypedExpr, member: &FieldRef| TypedExpr {
                expr: value.expr.clone().field(member.name().as_str()),
                field: types::plain(member.data_type().clone()),
            };
            let equal = members.iter().map(|member| build_comparison(of(&left, member), Operator::Eq, of(&right, member))).collect();
            build_balanced_tree(equal, Operator::And)
        }
        (DataType::Struct(_), Operator::NotEq) => !build_comparison(left, Operator::Eq, right),
        (DataType::Float64, op) if let Some(compared) = float_comparison(left.expr.clone(), op, right.expr.clone()) => compared,
        (data_type, op) => {
            let (left, right) = (order_key(left.expr.clone(), data_type), order_key(right.expr, data_type));
            Expr::BinaryExpr(BinaryExpr::new(Box::new(left), op, Box::new(right)))
        }
    }
}

fn into_pair(mut values: Vec<TypedExpr>) -> (TypedExpr, TypedExpr) {
    let second = values.swap_remove(1);
    (values.swap_remove(0), second)
}
