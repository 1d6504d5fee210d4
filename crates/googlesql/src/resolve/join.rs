//! Joins: INNER, LEFT, RIGHT, FULL, CROSS; ON and USING.

use datafusion::common::JoinType;
use datafusion::logical_expr::{Expr, LogicalPlanBuilder, Operator};
use datafusion::sql::sqlparser::ast::{self, Join, JoinConstraint, JoinOperator};

use super::Resolver;
use super::nesting::Nesting;
use super::operator::balanced;
use crate::QueryError;
use crate::error_location::{error_at, unsupported};
use crate::resolve::scope::{Clause, Column, Scope, Typed, same_name};

impl Resolver<'_> {
    pub(crate) fn joins(&self, mut scope: Scope, joins: &[Join], nesting: Nesting<'_>) -> Result<Scope, QueryError> {
        for join in joins {
            scope = self.join(scope, join, nesting)?;
        }
        Ok(scope)
    }

    fn join(&self, left: Scope, join: &Join, nesting: Nesting<'_>) -> Result<Scope, QueryError> {
        let (kind, constraint) = kind(join)?;
        let is_lateral = matches!(kind, JoinType::Inner) || (kind == JoinType::Left && always(constraint));
        if is_lateral && let Some(array) = self.array_factor(&left, &join.relation, nesting)? {
            let mut scope = self.unnest(left, array, kind == JoinType::Left)?;
            if let JoinConstraint::On(on) = constraint {
                let env = self.env_of(&scope, nesting, Clause::Join);
                let condition = self.condition(&env, on, "JOIN ON clause")?;
                scope.plan = LogicalPlanBuilder::new(scope.plan.clone()).filter(condition).and_then(LogicalPlanBuilder::build)?;
            }
            return Ok(scope);
        }
        if let (JoinType::Left, JoinConstraint::On(on)) = (kind, constraint)
            && let Some(array) = self.chosen_elements(&left, &join.relation, on, nesting)?
        {
            return self.unnest(left, array, true);
        }
        if nesting.rows.is_some() {
            return Err(unsupported("this join in a correlated subquery", &join.relation));
        }
        let right = self.relation(&join.relation, nesting)?;
        self.joined(left, right, kind, constraint, nesting, join)
    }

    fn joined(
        &self,
        left: Scope,
        right: Scope,
        kind: JoinType,
        constraint: &JoinConstraint,
        nesting: Nesting<'_>,
        syntax: &Join,
    ) -> Result<Scope, QueryError> {
        let both = LogicalPlanBuilder::new(left.plan.clone()).cross_join(right.plan.clone()).and_then(LogicalPlanBuilder::build)?;
        let mut scope = Scope { plan: both, ranges: Vec::new(), using: Vec::new() };
        let condition = match constraint {
            JoinConstraint::None => {
                scope.ranges = left.ranges.iter().chain(&right.ranges).cloned().collect();
                scope.using = left.using.iter().chain(&right.using).cloned().collect();
                None
            }
            JoinConstraint::On(on) => {
                scope.ranges = left.ranges.iter().chain(&right.ranges).cloned().collect();
                scope.using = left.using.iter().chain(&right.using).cloned().collect();
                let env = self.env_of(&scope, nesting, Clause::Join);
                Some(self.condition(&env, on, "JOIN ON clause")?)
            }
            JoinConstraint::Using(names) => Some(self.using(&mut scope, &left, &right, kind, names, syntax)?),
            JoinConstraint::Natural => return Err(error_at("Syntax error: GoogleSQL has no NATURAL JOIN", &syntax.relation)),
        };
        if condition.is_none() && kind != JoinType::Inner {
            return Err(error_at("Syntax error: Expected ON or USING after an outer join", &syntax.relation));
        }
        if let Some(condition) = condition {
            scope.plan = LogicalPlanBuilder::new(left.plan).join_on(right.plan, kind, [condition]).and_then(LogicalPlanBuilder::build)?;
        }
        Ok(scope)
    }

    /// `USING (a, b)`: equal on both sides, and one column in what comes out.
    fn using(
        &self,
        scope: &mut Scope,
        left: &Scope,
        right: &Scope,
        kind: JoinType,
        names: &[ast::ObjectName],
        syntax: &Join,
    ) -> Result<Expr, QueryError> {
        let mut conditions = Vec::new();
        let (mut ranges, mut others) = (left.ranges.clone(), right.ranges.clone());
        let mut using: Vec<Column> = Vec::new();
        for name in names {
            let written = name.0.last().and_then(|part| part.as_ident()).map(|ident| ident.value.clone()).unwrap_or_default();
            let missing = |side: &str| error_at(format!("Column {written} in USING clause not found on {side} side of join"), name);
            let first = one(left, &written, name)?.ok_or_else(|| missing("left"))?;
            let second = one(right, &written, name)?.ok_or_else(|| missing("right"))?;
            let on = ast::Expr::Identifier(ast::Ident::with_span(ast::Spanned::span(name), written.clone()));
            conditions.push(self.compare(first.clone(), Operator::Eq, second.clone(), &on)?.expr);
            let value = match kind {
                JoinType::Right => second,
                JoinType::Full => {
                    let (values, field) = self.one_type("USING", vec![first, second], &on)?;
                    let values = values.into_iter().map(|value| value.expr).collect();
                    Typed { expr: datafusion::functions::core::expr_fn::coalesce(values), field }
                }
                _ => first,
            };
            using.push(Column::new(written.clone(), value));
            for column in ranges.iter_mut().chain(&mut others).flat_map(|range| &mut range.columns) {
                column.merged |= same_name(&column.name, &written);
            }
        }
        let kept = left.using.iter().chain(&right.using).filter(|old| !using.iter().any(|new| same_name(&new.name, &old.name)));
        let kept: Vec<Column> = kept.cloned().collect();
        scope.using = using.into_iter().chain(kept).collect();
        scope.ranges = ranges.into_iter().chain(others).collect();
        match conditions.is_empty() {
            true => Err(error_at("Syntax error: Expected a column name in USING", &syntax.relation)),
            false => Ok(balanced(conditions, Operator::And)),
        }
    }
}

/// The one column of this name.
fn one(scope: &Scope, name: &str, syntax: &ast::ObjectName) -> Result<Option<Typed>, QueryError> {
    if let Some(column) = scope.using.iter().find(|column| same_name(&column.name, name)) {
        return Ok(Some(column.value.clone()));
    }
    let mut found = scope.ranges.iter().flat_map(|range| &range.columns).filter(|column| !column.merged && same_name(&column.name, name));
    let first = found.next().map(|column| column.value.clone());
    match found.next() {
        Some(_) => Err(error_at(format!("Column {name} in USING clause is ambiguous"), syntax)),
        None => Ok(first),
    }
}

fn kind(join: &Join) -> Result<(JoinType, &JoinConstraint), QueryError> {
    Ok(match &join.join_operator {
        JoinOperator::Join(constraint) | JoinOperator::Inner(constraint) | JoinOperator::CrossJoin(constraint) => {
            (JoinType::Inner, constraint)
        }
        JoinOperator::Left(constraint) | JoinOperator::LeftOuter(constraint) => (JoinType::Left, constraint),
        JoinOperator::Right(constraint) | JoinOperator::RightOuter(constraint) => (JoinType::Right, constraint),
        JoinOperator::FullOuter(constraint) => (JoinType::Full, constraint),
        _ => return Err(unsupported("this kind of join", &join.relation)),
    })
}

/// No condition, or `ON TRUE`.
fn always(constraint: &JoinConstraint) -> bool {
    match constraint {
        JoinConstraint::None => true,
        JoinConstraint::On(ast::Expr::Value(value)) => value.value == ast::Value::Boolean(true),
        _ => false,
    }
}
