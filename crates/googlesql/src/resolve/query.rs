//! Resolves a query expression: WITH, set operations, ORDER BY and LIMIT. `select` resolves each SELECT.
//!
//! Reference: <https://cloud.google.com/bigquery/docs/reference/standard-sql/query-syntax#sql_syntax>.

use std::sync::Arc;

use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, SortExpr, Union};
use datafusion::sql::sqlparser::ast::{self, LimitClause, OrderByKind, SetExpr, SetOperator, SetQuantifier};

use super::Resolver;
use super::nesting::{Nesting, sort_plan};
use super::order::sort_expr;
use crate::QueryError;
use crate::error_location::{error_at, error_at_span, unsupported, unsupported_at};
use crate::resolve::scope::{OutputColumn, Relation, is_same_name};
use crate::types;

impl Resolver<'_> {
    /// Resolves the outermost query.
    pub(crate) fn resolve_top_query(&self, query: &ast::Query) -> Result<Relation, QueryError> {
        let relation = self.resolve_query(query, Nesting::default())?;
        let relation = self.replace_null_types(relation)?;
        let relation = self.expand_value_rows(relation)?;
        let plan = sort_plan(relation.plan, &relation.order)?;
        let plan = self.project(plan, relation.columns.iter().map(|column| (column.value().expr, column.id.clone())))?;
        Ok(Relation { plan, order: Vec::new(), ..relation })
    }

    /// Expands rows that are STRUCT values to columns.
    fn expand_value_rows(&self, relation: Relation) -> Result<Relation, QueryError> {
        let (true, [column]) = (relation.is_value, relation.columns.as_slice()) else {
            return Ok(relation);
        };
        let plan = sort_plan(relation.plan, &relation.order)?;
        let range = super::from::build_value_range(None, column.value())?;
        let mut exprs = Vec::new();
        let mut columns = Vec::new();
        for member in range.columns {
            let id = self.new_id(&member.name);
            exprs.push((member.value.expr, id.clone()));
            columns.push(OutputColumn { name: Some(member.name).filter(|name| !name.is_empty()), id, field: member.value.field });
        }
        Ok(Relation { plan: self.project(plan, exprs)?, columns, order: Vec::new(), is_value: false })
    }

    pub(crate) fn resolve_query(&self, query: &ast::Query, nesting: Nesting<'_>) -> Result<Relation, QueryError> {
        reject_foreign_clauses(query)?;
        self.limits.check_planning()?;
        let visible = self.with.borrow().len();
        let relation = self.resolve_with(query, nesting).and_then(|()| self.resolve_body(query, nesting));
        self.with.borrow_mut().truncate(visible);
        relation
    }

    fn resolve_with(&self, query: &ast::Query, nesting: Nesting<'_>) -> Result<(), QueryError> {
        let Some(with) = &query.with else { return Ok(()) };
        for (index, cte) in with.cte_tables.iter().enumerate() {
            let name = &cte.alias.name;
            if with.cte_tables[..index].iter().any(|other| is_same_name(&other.alias.name.value, &name.value)) {
                return Err(error_at_span(format!("Duplicate alias {} for WITH subquery", name.value), name.span));
            }
            if !cte.alias.columns.is_empty() {
                return Err(unsupported_at("column names of a WITH subquery", name.span));
            }
            let nesting = Nesting { outer: nesting.outer, rows: None };
            let relation = match with.recursive {
                true => self.resolve_recursive_cte(&name.value, &cte.query, nesting)?,
                false => self.resolve_query(&cte.query, nesting)?,
            };
            let relation = self.replace_null_types(relation)?;
            self.with.borrow_mut().push((name.value.clone(), relation));
        }
        Ok(())
    }

    fn resolve_body(&self, query: &ast::Query, nesting: Nesting<'_>) -> Result<Relation, QueryError> {
        let order: &[ast::OrderByExpr] = match query.order_by.as_ref().map(|order| &order.kind) {
            None => &[],
            Some(OrderByKind::Expressions(keys)) => keys,
            Some(OrderByKind::All(_)) => return Err(unsupported("ORDER BY ALL", query)),
        };
        let relation = match query.body.as_ref() {
            SetExpr::Select(select) => self.resolve_select(select, order, nesting)?,
            body => {
                let relation = self.resolve_set_expr(body, nesting)?;
                let order = resolve_result_order(&relation, order)?;
                if order.is_empty() { relation } else { Relation { order, ..relation } }
            }
        };
        let Some(clause) = &query.limit_clause else { return Ok(relation) };
        let (limit, offset) = match clause {
            LimitClause::LimitOffset { limit, offset, limit_by } if limit_by.is_empty() => {
                (limit.as_ref(), offset.as_ref().map(|offset| &offset.value))
            }
            _ => return Err(error_at("Syntax error: Unexpected \",\" in LIMIT", query)),
        };
        let limit = limit.map(|limit| self.evaluate_count(limit, "LIMIT")).transpose()?;
        let offset = offset.map(|offset| self.evaluate_count(offset, "OFFSET")).transpose()?.unwrap_or(0);
        if let Some(rows) = nesting.rows {
            return self.limit_per_row(rows, relation, limit, offset);
        }
        let plan = sort_plan(relation.plan, &relation.order)?;
        let plan = LogicalPlanBuilder::new(plan).limit(offset, limit).and_then(LogicalPlanBuilder::build)?;
        // After an OFFSET, the rows are already sorted. DataFusion merges a second equal sort into the first one and
        // then ignores the OFFSET.
        let order = if offset > 0 { Vec::new() } else { relation.order };
        Ok(Relation { plan, order, ..relation })
    }

    pub(crate) fn resolve_set_expr(&self, body: &SetExpr, nesting: Nesting<'_>) -> Result<Relation, QueryError> {
        match body {
            SetExpr::Select(select) => self.resolve_select(select, &[], nesting),
            SetExpr::Query(query) => self.resolve_query(query, nesting),
            SetExpr::SetOperation { .. } if nesting.rows.is_some() => Err(unsupported("UNION in correlated subqueries", body)),
            SetExpr::SetOperation { .. } => self.resolve_set_operations(body, nesting),
            other => Err(error_at("Syntax error: Expected SELECT", other)),
        }
    }

    /// Resolves `a UNION ALL b UNION ALL c …` without one recursion per query. Consecutive equal unions become one node.
    fn resolve_set_operations(&self, body: &SetExpr, nesting: Nesting<'_>) -> Result<Relation, QueryError> {
        let mut steps = Vec::new();
        let mut first = body;
        while let SetExpr::SetOperation { op, set_quantifier, left, right } = first {
            steps.push((*op, *set_quantifier, right.as_ref()));
            first = left;
        }
        let mut steps = steps.into_iter().rev().peekable();
        let mut relation = self.resolve_set_expr(first, nesting)?;
        while let Some((op, quantifier, right)) = steps.next() {
            let mut relations = vec![relation, self.resolve_set_expr(right, nesting)?];
            let is_same = |next: &(SetOperator, SetQuantifier, &SetExpr)| op == SetOperator::Union && (next.0, next.1) == (op, quantifier);
            while let Some((_, _, next)) = steps.next_if(is_same) {
                relations.push(self.resolve_set_expr(next, nesting)?);
            }
            relation = self.build_set_operation(op, quantifier, relations, body)?;
            self.check_size(&relation.plan)?;
        }
        Ok(relation)
    }

    pub(crate) fn build_set_operation(
        &self,
        op: SetOperator,
        quantifier: SetQuantifier,
        relations: Vec<Relation>,
        syntax: &SetExpr,
    ) -> Result<Relation, QueryError> {
        let name = match (op, quantifier) {
            (SetOperator::Union, SetQuantifier::All) => "UNION ALL",
            (SetOperator::Union, SetQuantifier::Distinct) => "UNION DISTINCT",
            (SetOperator::Intersect, SetQuantifier::Distinct) => "INTERSECT DISTINCT",
            (SetOperator::Except, SetQuantifier::Distinct) => "EXCEPT DISTINCT",
            (SetOperator::Union | SetOperator::Intersect | SetOperator::Except, SetQuantifier::None) => {
                let message = format!("Syntax error: Expected keyword ALL or keyword DISTINCT after {op}");
                return Err(error_at(message, syntax));
            }
            _ => return Err(unsupported(&format!("{op} {quantifier}"), syntax)),
        };
        let count = relations[0].columns.len();
        if let Some((index, other)) = relations.iter().enumerate().find(|(_, relation)| relation.columns.len() != count) {
            let message = format!(
                "Queries in {name} have mismatched column count; query 1 has {}, query {} has {}",
                column_count_text(count),
                index + 1,
                column_count_text(other.columns.len())
            );
            return Err(error_at(message, syntax));
        }
        let mut sides: Vec<Vec<(Expr, String)>> = vec![Vec::new(); relations.len()];
        let mut columns = Vec::new();
        for index in 0..count {
            let values: Vec<_> = relations.iter().map(|relation| relation.columns[index].value()).collect();
            let names: Vec<String> = values.iter().map(|value| types::of(&value.field)).collect();
            let Some((values, field)) = self.unify(values, syntax)? else {
                let message = format!("Column {} in {name} has incompatible types: {}", index + 1, names.join(", "));
                return Err(error_at(message, syntax));
            };
            let first = &relations[0].columns[index];
            let id = self.new_id(first.name.as_deref().unwrap_or("column"));
            for (side, value) in sides.iter_mut().zip(values) {
                side.push((value.expr, id.clone()));
            }
            columns.push(OutputColumn { name: first.name.clone(), id, field });
        }
        let is_value = relations[0].is_value;
        let mut plans = Vec::new();
        for (relation, side) in relations.into_iter().zip(sides) {
            plans.push(self.project(relation.plan, side)?);
        }
        let plan = combine_plans(op, quantifier, plans)?;
        Ok(Relation { plan, columns, order: Vec::new(), is_value })
    }

    /// Changes columns of untyped NULLs to INT64.
    pub(crate) fn replace_null_types(&self, mut relation: Relation) -> Result<Relation, QueryError> {
        let is_null = |column: &OutputColumn| column.field.data_type() == &datafusion::arrow::datatypes::DataType::Null;
        if !relation.columns.iter().any(is_null) {
            return Ok(relation);
        }
        let plan = sort_plan(relation.plan, &relation.order)?;
        let mut exprs = Vec::new();
        for column in &mut relation.columns {
            let value = self.replace_null_type(column.value());
            let id = self.new_id(column.name.as_deref().unwrap_or("column"));
            *column = OutputColumn { name: column.name.take(), id: id.clone(), field: value.field };
            exprs.push((value.expr, id));
        }
        Ok(Relation { plan: self.project(plan, exprs)?, order: Vec::new(), ..relation })
    }
}

/// `1 column`, `2 columns`.
fn column_count_text(columns: usize) -> String {
    format!("{columns} column{}", if columns == 1 { "" } else { "s" })
}

fn combine_plans(op: SetOperator, quantifier: SetQuantifier, plans: Vec<LogicalPlan>) -> datafusion::common::Result<LogicalPlan> {
    if op == SetOperator::Union {
        let union = union_all_plans(plans)?;
        return match quantifier {
            SetQuantifier::Distinct => LogicalPlanBuilder::new(union).distinct()?.build(),
            _ => Ok(union),
        };
    }
    let mut plans = plans.into_iter();
    let (Some(left), Some(right)) = (plans.next(), plans.next()) else {
        return datafusion::common::plan_err!("a set operation needs two inputs");
    };
    match op {
        SetOperator::Intersect => LogicalPlanBuilder::intersect(left, right, false),
        _ => LogicalPlanBuilder::except(left, right, false),
    }
}

/// Combines plans with UNION ALL.
pub(crate) fn union_all_plans(mut plans: Vec<LogicalPlan>) -> datafusion::common::Result<LogicalPlan> {
    match plans.len() {
        0 => LogicalPlanBuilder::empty(false).build(),
        1 => Ok(plans.swap_remove(0)),
        _ => Ok(LogicalPlan::Union(Union::try_new_with_loose_types(plans.into_iter().map(Arc::new).collect())?)),
    }
}

/// Resolves ORDER BY after a set operation, which can only refer to its columns.
fn resolve_result_order(relation: &Relation, keys: &[ast::OrderByExpr]) -> Result<Vec<SortExpr>, QueryError> {
    keys.iter()
        .map(|key| {
            let found = match &key.expr {
                ast::Expr::Identifier(name) => {
                    relation.columns.iter().find(|column| column.name.as_deref().is_some_and(|column| is_same_name(column, &name.value)))
                }
                ast::Expr::Value(ast::ValueWithSpan { value: ast::Value::Number(number, _), .. }) => {
                    number.parse::<usize>().ok().and_then(|number| relation.columns.get(number.checked_sub(1)?))
                }
                other => return Err(unsupported("expressions in ORDER BY after a set operation", other)),
            };
            let column = found.ok_or_else(|| error_at(format!("Unrecognized name: {}", key.expr), &key.expr))?;
            Ok(sort_expr(column.value(), &key.options))
        })
        .collect()
}

fn reject_foreign_clauses(query: &ast::Query) -> Result<(), QueryError> {
    if !query.pipe_operators.is_empty() {
        return Err(unsupported("pipe syntax (|>)", query));
    }
    let is_foreign = query.fetch.is_some()
        || !query.locks.is_empty()
        || query.for_clause.is_some()
        || query.settings.is_some()
        || query.format_clause.is_some();
    match is_foreign {
        true => Err(error_at("Syntax error: Unexpected clause after the query", query)),
        false => Ok(()),
    }
}
