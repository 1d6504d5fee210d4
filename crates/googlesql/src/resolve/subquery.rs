//! Resolves subqueries in expressions: `(SELECT …)`, EXISTS, IN and ARRAY.
//!
//! DataFusion converts a correlated subquery to a join. A correlated subquery over arrays cannot become a join, and
//! `row_subquery` builds a function for it.
//! Reference: <https://cloud.google.com/bigquery/docs/reference/standard-sql/subqueries>.

use std::cell::RefCell;
use std::sync::Arc;

use datafusion::arrow::datatypes::DataType;
use datafusion::common::Spans;
use datafusion::functions_aggregate::array_agg::array_agg_udaf;
use datafusion::logical_expr::expr::{AggregateFunction, Exists, InSubquery};
use datafusion::logical_expr::{Expr, LogicalPlanBuilder, Subquery, lit};
use datafusion::sql::sqlparser::ast::{self, Spanned};

use super::Resolver;
use super::expression::typed_bool;
use super::nesting::{Nesting, sort_plan};
use super::row_subquery::{Shape, reads_only_arrays};
use super::supertype::supertype;
use crate::QueryError;
use crate::error_location::error_at;
use crate::resolve::scope::{CapturedColumn, Clause, Env, OuterQuery, Relation, TypedExpr};
use crate::types;

/// Maximum nesting depth of subqueries in expressions. DataFusion's time to check a plan doubles with each level.
const MAX_SUBQUERY_DEPTH: usize = 12;

/// A resolved subquery.
struct NestedRelation {
    relation: Relation,
    /// The columns of the enclosing query that it uses.
    captured: Vec<CapturedColumn>,
    /// It is correlated and reads only arrays, so that it runs for all rows of a batch.
    per_row: bool,
}

impl Resolver<'_> {
    /// Resolves the subquery. Returns it with the columns of the enclosing query that it uses.
    fn resolve_nested(&self, env: &Env<'_>, query: &ast::Query) -> Result<(Relation, Vec<CapturedColumn>), QueryError> {
        if self.subquery_level.get() == MAX_SUBQUERY_DEPTH {
            return Err(QueryError::too_deep(query.span().start));
        }
        let captured = RefCell::default();
        let outer = OuterQuery { env, captured: &captured, is_inlined: false };
        self.subquery_level.set(self.subquery_level.get() + 1);
        let relation = self.resolve_query(query, Nesting { outer: Some(outer), rows: None });
        self.subquery_level.set(self.subquery_level.get() - 1);
        Ok((relation?, captured.into_inner()))
    }

    /// Resolves the subquery. If it is correlated and reads only arrays, the result is valid only for its types and for
    /// [`build_row_subquery`](Self::build_row_subquery), which resolves it again.
    ///
    /// Such a subquery can contain others. In a probe, they are not resolved again, so that the time does not double with
    /// each level.
    fn resolve_or_probe(&self, env: &Env<'_>, query: &ast::Query) -> Result<NestedRelation, QueryError> {
        let reads_only_arrays = reads_only_arrays(query);
        if !reads_only_arrays || self.is_probing.get() {
            let (relation, captured) = self.resolve_nested(env, query)?;
            let per_row = reads_only_arrays && !captured.is_empty();
            return Ok(NestedRelation { relation, captured, per_row });
        }
        self.is_probing.set(true);
        let probed = self.resolve_nested(env, query);
        self.is_probing.set(false);
        let (relation, captured) = probed?;
        if !captured.is_empty() {
            return Ok(NestedRelation { relation, captured, per_row: true });
        }
        let (relation, captured) = self.resolve_nested(env, query)?;
        Ok(NestedRelation { relation, captured, per_row: false })
    }

    /// Builds the function of a correlated subquery over arrays. In a probe, a NULL of its type replaces it.
    fn build_per_row(
        &self,
        env: &Env<'_>,
        query: &ast::Query,
        relation: &Relation,
        captured: &[CapturedColumn],
        shape: Shape,
        syntax: &ast::Expr,
    ) -> Result<TypedExpr, QueryError> {
        if !self.is_probing.get() {
            return self.build_row_subquery(env, query, captured, shape, syntax);
        }
        let value = self.replace_null_type(relation.columns[0].value());
        self.typed_null(&match shape {
            Shape::Scalar => value.field,
            Shape::Array => types::array_of(&value.field),
            Shape::Exists => types::plain(DataType::Boolean),
        })
    }

    pub(crate) fn resolve_scalar_subquery(&self, env: &Env<'_>, query: &ast::Query, syntax: &ast::Expr) -> Result<TypedExpr, QueryError> {
        let NestedRelation { relation, captured, per_row } = self.resolve_or_probe(env, query)?;
        let relation = require_single_column(relation, "Scalar subquery", syntax)?;
        if per_row {
            return self.build_per_row(env, query, &relation, &captured, Shape::Scalar, syntax);
        }
        let relation = self.replace_null_types(relation)?;
        let field = relation.columns[0].field.clone();
        Ok(TypedExpr { expr: Expr::ScalarSubquery(self.plan_subquery(relation, &captured)?), field })
    }

    pub(crate) fn resolve_array_subquery(&self, env: &Env<'_>, query: &ast::Query, syntax: &ast::Expr) -> Result<TypedExpr, QueryError> {
        let subquery = self.resolve_or_probe(env, query)?;
        let relation = require_single_column(subquery.relation, "ARRAY subquery", syntax)?;
        self.build_array_subquery(env, query, NestedRelation { relation, ..subquery }, syntax)
    }

    fn build_array_subquery(
        &self,
        env: &Env<'_>,
        query: &ast::Query,
        subquery: NestedRelation,
        syntax: &ast::Expr,
    ) -> Result<TypedExpr, QueryError> {
        let NestedRelation { relation, captured, per_row } = subquery;
        if per_row {
            return self.build_per_row(env, query, &relation, &captured, Shape::Array, syntax);
        }
        let value = self.replace_null_type(relation.columns[0].value());
        let field = types::array_of(&value.field);
        let all = AggregateFunction::new_udf(array_agg_udaf(), vec![value.expr], false, None, relation.order.clone(), None);
        let id = self.new_id("array");
        let plan = LogicalPlanBuilder::new(relation.plan)
            .aggregate(Vec::<Expr>::new(), vec![Expr::AggregateFunction(all).alias(&id)])
            .and_then(LogicalPlanBuilder::build)?;
        let outer_ref_columns = captured.iter().map(outer_reference).collect();
        let subquery = Subquery { subquery: Arc::new(plan), outer_ref_columns, spans: Spans::new() };
        let array = self.call_internal(env, "$array_or_empty", vec![Expr::ScalarSubquery(subquery)], syntax)?;
        Ok(TypedExpr { field, ..array })
    }

    pub(crate) fn resolve_exists(
        &self,
        env: &Env<'_>,
        query: &ast::Query,
        negated: bool,
        syntax: &ast::Expr,
    ) -> Result<TypedExpr, QueryError> {
        let NestedRelation { relation, captured, per_row } = self.resolve_or_probe(env, query)?;
        if per_row {
            let found = self.build_per_row(env, query, &relation, &captured, Shape::Exists, syntax)?.expr;
            return Ok(typed_bool(if negated { Expr::Not(Box::new(found)) } else { found }));
        }
        let relation = Relation { order: Vec::new(), ..relation };
        if env.clause == Clause::Where {
            return Ok(typed_bool(Expr::Exists(Exists { subquery: self.plan_subquery(relation, &captured)?, negated })));
        }
        // DataFusion supports EXISTS only in WHERE. Elsewhere a COUNT replaces it.
        let count = AggregateFunction::new_udf(
            datafusion::functions_aggregate::count::count_udaf(),
            vec![lit(1_i64)],
            false,
            None,
            Vec::new(),
            None,
        );
        let id = self.new_id("exists");
        let plan = LogicalPlanBuilder::new(relation.plan)
            .aggregate(Vec::<Expr>::new(), vec![Expr::AggregateFunction(count).alias(&id)])
            .and_then(LogicalPlanBuilder::build)?;
        let outer_ref_columns = captured.iter().map(outer_reference).collect();
        let count = Expr::ScalarSubquery(Subquery { subquery: Arc::new(plan), outer_ref_columns, spans: Spans::new() });
        Ok(typed_bool(if negated { count.eq(lit(0_i64)) } else { count.gt(lit(0_i64)) }))
    }

    pub(crate) fn resolve_in_subquery(
        &self,
        env: &Env<'_>,
        of: &ast::Expr,
        query: &ast::Query,
        negated: bool,
        syntax: &ast::Expr,
    ) -> Result<TypedExpr, QueryError> {
        let value = self.resolve_expr(env, of)?;
        let NestedRelation { relation, captured, per_row } = self.resolve_or_probe(env, query)?;
        let relation = self.replace_null_types(require_single_column(relation, "Subquery of type IN", syntax)?)?;
        let found = relation.columns[0].value();
        let Some(common) = supertype(&[value.clone(), found.clone()]) else {
            let message =
                format!("Cannot execute IN subquery with uncomparable types {} and {}", types::of(&value.field), types::of(&found.field));
            return Err(error_at(message, syntax));
        };
        if env.clause != Clause::Where || per_row {
            let array = self.build_array_subquery(env, query, NestedRelation { relation, captured, per_row }, syntax)?;
            return self.build_in_array(env, value, array, negated, syntax);
        }
        let value = self.coerce(value, &common, syntax)?;
        let found = self.coerce(found, &common, syntax)?;
        let plan = sort_plan(relation.plan, &[])?;
        let plan = self.project(plan, [(found.expr, self.new_id("in"))])?;
        let outer_ref_columns = captured.iter().map(outer_reference).collect();
        let subquery = Subquery { subquery: Arc::new(plan), outer_ref_columns, spans: Spans::new() };
        Ok(typed_bool(Expr::InSubquery(InSubquery::new(Box::new(value.expr), subquery, negated))))
    }

    /// Plans the subquery without the columns that are only used for sorting.
    fn plan_subquery(&self, relation: Relation, captured: &[CapturedColumn]) -> Result<Subquery, QueryError> {
        let plan = sort_plan(relation.plan, &relation.order)?;
        let plan = self.project(plan, relation.columns.iter().map(|column| (column.value().expr, column.id.clone())))?;
        Ok(Subquery { subquery: Arc::new(plan), outer_ref_columns: captured.iter().map(outer_reference).collect(), spans: Spans::new() })
    }
}

fn outer_reference(captured: &CapturedColumn) -> Expr {
    Expr::OuterReferenceColumn(captured.field.clone(), datafusion::common::Column::new_unqualified(&captured.id))
}

fn require_single_column(relation: Relation, what: &str, syntax: &ast::Expr) -> Result<Relation, QueryError> {
    match relation.columns.len() {
        1 => Ok(relation),
        _ => {
            let message = format!("{what} cannot have more than one column unless using SELECT AS STRUCT to build STRUCT values");
            Err(error_at(message, syntax))
        }
    }
}
