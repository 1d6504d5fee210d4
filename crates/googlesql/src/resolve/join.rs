//! Resolves joins: INNER, LEFT, RIGHT, FULL and CROSS, with ON and USING.
//!
//! Reference: <https://cloud.google.com/bigquery/docs/reference/standard-sql/query-syntax#join_types>.

use datafusion::common::JoinType;
use datafusion::logical_expr::{Expr, LogicalPlanBuilder, Operator};
use datafusion::sql::sqlparser::ast::{self, Join, JoinConstraint, JoinOperator};

use super::Resolver;
use super::conditional::build_coalesce;
use super::nesting::Nesting;
use super::operator::build_balanced_tree;
use crate::QueryError;
use crate::error_location::{error_at, unsupported};
use crate::resolve::scope::{Clause, Scope, ScopeColumn, TypedExpr, is_same_name};

impl Resolver<'_> {
    pub(crate) fn resolve_joins(&self, mut scope: Scope, joins: &[Join], nesting: Nesting<'_>) -> Result<Scope, QueryError> {
        for join in joins {
            scope = self.resolve_join(scope, join, nesting)?;
            self.check_size(&scope.plan)?;
        }
        Ok(scope)
    }

    fn resolve_join(&self, left: Scope, join: &Join, nesting: Nesting<'_>) -> Result<Scope, QueryError> {
        let (kind, constraint) = join_type(join)?;
        let is_lateral = matches!(kind, JoinType::Inner) || (kind == JoinType::Left && is_always_true(constraint));
        if is_lateral && let Some(array) = self.resolve_array_item(&left, &join.relation, nesting)? {
            let mut scope = self.build_unnest(left, array, kind == JoinType::Left)?;
            if let JoinConstraint::On(on) = constraint {
                let env = self.build_env(&scope, nesting, Clause::Join);
                let condition = self.resolve_condition(&env, on, "JOIN ON clause")?;
                scope.plan = LogicalPlanBuilder::new(scope.plan.clone()).filter(condition).and_then(LogicalPlanBuilder::build)?;
            }
            return Ok(scope);
        }
        if let (JoinType::Left, JoinConstraint::On(on)) = (kind, constraint)
            && let Some(array) = self.filter_elements(&left, &join.relation, on, nesting)?
        {
            return self.build_unnest(left, array, true);
        }
        if nesting.rows.is_some() {
            return Err(unsupported("this join in a correlated subquery", &join.relation));
        }
        let right = self.resolve_from_item(&join.relation, nesting)?;
        self.build_join(left, right, kind, constraint, nesting, join)
    }

    fn build_join(
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
                let env = self.build_env(&scope, nesting, Clause::Join);
                Some(self.resolve_condition(&env, on, "JOIN ON clause")?)
            }
            JoinConstraint::Using(names) => Some(self.resolve_using(&mut scope, &left, &right, kind, names, syntax)?),
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

    /// `USING (a, b)`: the columns must be equal on both sides, and each pair becomes one column.
    fn resolve_using(
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
        let mut using: Vec<ScopeColumn> = Vec::new();
        for name in names {
            let Some(written) = name.0.last().and_then(|part| part.as_ident()).map(|ident| ident.value.clone()) else {
                return Err(error_at("Syntax error: Expected a column name in USING", name));
            };
            let missing = |side: &str| error_at(format!("Column {written} in USING clause not found on {side} side of join"), name);
            let first = find_using_column(left, &written, name)?.ok_or_else(|| missing("left"))?;
            let second = find_using_column(right, &written, name)?.ok_or_else(|| missing("right"))?;
            let on = ast::Expr::Identifier(ast::Ident::with_span(ast::Spanned::span(name), written.clone()));
            self.count_nodes(&first.expr, &on)?;
            conditions.push(self.compare(first.clone(), Operator::Eq, second.clone(), &on)?.expr);
            let value = match kind {
                JoinType::Right => second,
                JoinType::Full => {
                    let (values, field) = self.coerce_to_supertype("USING", vec![first, second], &on)?;
                    TypedExpr { expr: build_coalesce(values.into_iter().map(|value| value.expr)), field }
                }
                _ => first,
            };
            using.push(ScopeColumn::new(written.clone(), value));
            for column in ranges.iter_mut().chain(&mut others).flat_map(|range| &mut range.columns) {
                column.is_merged |= is_same_name(&column.name, &written);
            }
        }
        let kept = left.using.iter().chain(&right.using).filter(|old| !using.iter().any(|new| is_same_name(&new.name, &old.name)));
        let kept: Vec<ScopeColumn> = kept.cloned().collect();
        scope.using = using.into_iter().chain(kept).collect();
        scope.ranges = ranges.into_iter().chain(others).collect();
        match conditions.is_empty() {
            true => Err(error_at("Syntax error: Expected a column name in USING", &syntax.relation)),
            false => Ok(build_balanced_tree(conditions, Operator::And)),
        }
    }
}

/// Finds the column of a USING clause on one side of the join.
fn find_using_column(scope: &Scope, name: &str, syntax: &ast::ObjectName) -> Result<Option<TypedExpr>, QueryError> {
    if let Some(column) = scope.using.iter().find(|column| is_same_name(&column.name, name)) {
        return Ok(Some(column.value.clone()));
    }
    let mut found =
        scope.ranges.iter().flat_map(|range| &range.columns).filter(|column| !column.is_merged && is_same_name(&column.name, name));
    let first = found.next().map(|column| column.value.clone());
    match found.next() {
        Some(_) => Err(error_at(format!("Column {name} in USING clause is ambiguous"), syntax)),
        None => Ok(first),
    }
}

fn join_type(join: &Join) -> Result<(JoinType, &JoinConstraint), QueryError> {
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
fn is_always_true(constraint: &JoinConstraint) -> bool {
    match constraint {
        JoinConstraint::None => true,
        JoinConstraint::On(ast::Expr::Value(value)) => value.value == ast::Value::Boolean(true),
        _ => false,
    }
}
