//! Subqueries in expressions: `(SELECT …)`, EXISTS, IN, ARRAY.
//!
//! A subquery that uses columns of the query around it is left to the engine, which makes a join of
//! it, unless all it selects from are arrays: those are run by `row_subquery`.

use std::cell::RefCell;
use std::sync::Arc;

use datafusion::common::{ScalarValue, Spans};
use datafusion::functions_aggregate::array_agg::array_agg_udaf;
use datafusion::logical_expr::expr::{AggregateFunction, Exists, InSubquery};
use datafusion::logical_expr::{Expr, LogicalPlanBuilder, Subquery, lit};
use datafusion::sql::sqlparser::ast;

use super::Resolver;
use super::expression::boolean;
use super::nesting::{Nesting, sorted};
use super::row_subquery::{Shape, is_of_arrays};
use super::supertype::supertype;
use crate::QueryError;
use crate::error_location::error_at;
use crate::resolve::scope::{Captured, Clause, Env, Outer, Relation, Typed};
use crate::types;

impl Resolver<'_> {
    /// The subquery and what it uses of the query around it.
    fn nested(&self, env: &Env<'_>, query: &ast::Query) -> Result<(Relation, Vec<Captured>), QueryError> {
        let captured = RefCell::default();
        let outer = Outer { env, captured: &captured, inlined: false };
        let relation = self.query(query, Nesting { outer: Some(outer), rows: None })?;
        Ok((relation, captured.into_inner()))
    }

    pub(crate) fn scalar_subquery(&self, env: &Env<'_>, query: &ast::Query, syntax: &ast::Expr) -> Result<Typed, QueryError> {
        let (relation, captured) = self.nested(env, query)?;
        let relation = single_column(relation, "Scalar subquery", syntax)?;
        if !captured.is_empty() && is_of_arrays(query) {
            return self.row_subquery(env, query, &captured, Shape::Scalar, syntax);
        }
        let relation = self.typed_columns(relation)?;
        let field = relation.columns[0].field.clone();
        Ok(Typed { expr: Expr::ScalarSubquery(self.planned(relation, &captured)?), field })
    }

    pub(crate) fn array_subquery(&self, env: &Env<'_>, query: &ast::Query, syntax: &ast::Expr) -> Result<Typed, QueryError> {
        let (relation, captured) = self.nested(env, query)?;
        let relation = single_column(relation, "ARRAY subquery", syntax)?;
        if !captured.is_empty() && is_of_arrays(query) {
            return self.row_subquery(env, query, &captured, Shape::Array, syntax);
        }
        let value = self.without_null_type(relation.columns[0].value());
        let field = types::array_of(&value.field);
        let all = AggregateFunction::new_udf(array_agg_udaf(), vec![value.expr], false, None, relation.order.clone(), None);
        let id = self.id("array");
        let plan = LogicalPlanBuilder::new(relation.plan)
            .aggregate(Vec::<Expr>::new(), vec![Expr::AggregateFunction(all).alias(&id)])
            .and_then(LogicalPlanBuilder::build)?;
        let outer_ref_columns = captured.iter().map(outer_column).collect();
        let subquery = Subquery { subquery: Arc::new(plan), outer_ref_columns, spans: Spans::new() };
        let empty = ScalarValue::new_list_nullable(&[], value.field.data_type());
        let args = vec![Expr::ScalarSubquery(subquery), lit(ScalarValue::List(empty))];
        Ok(Typed { expr: datafusion::functions::core::expr_fn::coalesce(args), field })
    }

    pub(crate) fn exists(&self, env: &Env<'_>, query: &ast::Query, negated: bool, syntax: &ast::Expr) -> Result<Typed, QueryError> {
        let (relation, captured) = self.nested(env, query)?;
        if !captured.is_empty() && is_of_arrays(query) {
            let found = self.row_subquery(env, query, &captured, Shape::Exists, syntax)?.expr;
            return Ok(boolean(if negated { Expr::Not(Box::new(found)) } else { found }));
        }
        let relation = Relation { order: Vec::new(), ..relation };
        if env.clause == Clause::Where {
            return Ok(boolean(Expr::Exists(Exists { subquery: self.planned(relation, &captured)?, negated })));
        }
        // Elsewhere the engine has no EXISTS; it can count.
        let count = AggregateFunction::new_udf(
            datafusion::functions_aggregate::count::count_udaf(),
            vec![lit(1_i64)],
            false,
            None,
            Vec::new(),
            None,
        );
        let id = self.id("exists");
        let plan = LogicalPlanBuilder::new(relation.plan)
            .aggregate(Vec::<Expr>::new(), vec![Expr::AggregateFunction(count).alias(&id)])
            .and_then(LogicalPlanBuilder::build)?;
        let outer_ref_columns = captured.iter().map(outer_column).collect();
        let count = Expr::ScalarSubquery(Subquery { subquery: Arc::new(plan), outer_ref_columns, spans: Spans::new() });
        Ok(boolean(if negated { count.eq(lit(0_i64)) } else { count.gt(lit(0_i64)) }))
    }

    pub(crate) fn in_subquery(
        &self,
        env: &Env<'_>,
        of: &ast::Expr,
        query: &ast::Query,
        negated: bool,
        syntax: &ast::Expr,
    ) -> Result<Typed, QueryError> {
        let value = self.expr(env, of)?;
        let (relation, captured) = self.nested(env, query)?;
        let relation = self.typed_columns(single_column(relation, "Subquery of type IN", syntax)?)?;
        let found = relation.columns[0].value();
        let Some(common) = supertype(&[value.clone(), found.clone()]) else {
            let message =
                format!("Cannot execute IN subquery with uncomparable types {} and {}", types::of(&value.field), types::of(&found.field));
            return Err(error_at(message, syntax));
        };
        if env.clause != Clause::Where || (!captured.is_empty() && is_of_arrays(query)) {
            let array = self.array_subquery(env, query, syntax)?;
            return self.in_array(env, value, array, negated, syntax);
        }
        let value = self.coerce(value, &common, syntax)?;
        let found = self.coerce(found, &common, syntax)?;
        let plan = sorted(relation.plan, &[])?;
        let plan = self.project(plan, [(found.expr, self.id("in"))])?;
        let outer_ref_columns = captured.iter().map(outer_column).collect();
        let subquery = Subquery { subquery: Arc::new(plan), outer_ref_columns, spans: Spans::new() };
        Ok(boolean(Expr::InSubquery(InSubquery::new(Box::new(value.expr), subquery, negated))))
    }

    /// The columns alone, without what they are ordered by.
    fn planned(&self, relation: Relation, captured: &[Captured]) -> Result<Subquery, QueryError> {
        let plan = sorted(relation.plan, &relation.order)?;
        let plan = self.project(plan, relation.columns.iter().map(|column| (column.value().expr, column.id.clone())))?;
        Ok(Subquery { subquery: Arc::new(plan), outer_ref_columns: captured.iter().map(outer_column).collect(), spans: Spans::new() })
    }
}

fn outer_column(captured: &Captured) -> Expr {
    Expr::OuterReferenceColumn(captured.field.clone(), datafusion::common::Column::new_unqualified(&captured.id))
}

fn single_column(relation: Relation, what: &str, syntax: &ast::Expr) -> Result<Relation, QueryError> {
    match relation.columns.len() {
        1 => Ok(relation),
        _ => {
            let message = format!("{what} cannot have more than one column unless using SELECT AS STRUCT to build STRUCT values");
            Err(error_at(message, syntax))
        }
    }
}
