//! Correlated subqueries over arrays of the row: `(SELECT value FROM UNNEST(params) WHERE key = 'x')`.
//!
//! DataFusion cannot convert such a subquery to a join. It becomes a scalar function instead (`BatchFunction`). The
//! function runs the subquery's plan for a whole batch of rows. In the plan, a table with a row number and the columns
//! that the subquery uses represents the batch. The subquery must be evaluated separately for each row number:
//!
//! - WHERE and SELECT need no change.
//! - GROUP BY and window functions get the row number as a further key.
//! - LIMIT counts the rows of each row number.
//! - An aggregation without GROUP BY is joined to the row numbers, because it has a result for a row without elements.

use std::cell::RefCell;
use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Schema};
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{Column as PlanColumn, JoinType, ScalarValue};
use datafusion::datasource::provider_as_source;
use datafusion::functions_window::row_number::row_number_udwf;
use datafusion::logical_expr::expr::{ScalarFunction, WindowFunction, WindowFunctionParams};
use datafusion::logical_expr::{
    Expr, ExprSchemable, LogicalPlan, LogicalPlanBuilder, ScalarUDF, SortExpr, WindowFrame, WindowFunctionDefinition, lit,
};
use datafusion::sql::sqlparser::ast::{self, SetExpr, TableFactor};

use super::Resolver;
use super::aggregate::{Groups, value_for_no_rows};
use super::nesting::{Nesting, OuterRows, sort_plan};
use crate::QueryError;
use crate::error_location::error_at;
use crate::physical::batch_function::{BatchFunction, BatchTable};
use crate::physical::block_on;
use crate::physical::limited_planning::check_before_optimization;
use crate::resolve::scope::{CapturedColumn, Env, OuterQuery, OutputColumn, RangeVariable, Relation, Scope, ScopeColumn, TypedExpr};
use crate::types;

pub(crate) use crate::physical::batch_function::Shape;

/// Whether all FROM items of the query are arrays.
pub(crate) fn reads_only_arrays(query: &ast::Query) -> bool {
    let is_array = |factor: &TableFactor| match factor {
        TableFactor::UNNEST { .. } => true,
        TableFactor::Derived { subquery, .. } => reads_only_arrays(subquery),
        _ => false,
    };
    match query.body.as_ref() {
        SetExpr::Select(select) if query.with.is_none() => {
            select.from.iter().all(|table| is_array(&table.relation) && table.joins.iter().all(|join| is_array(&join.relation)))
        }
        SetExpr::Query(inner) if query.with.is_none() => reads_only_arrays(inner),
        _ => false,
    }
}

impl Resolver<'_> {
    pub(crate) fn build_row_subquery(
        &self,
        env: &Env<'_>,
        query: &ast::Query,
        captured: &[CapturedColumn],
        shape: Shape,
        syntax: &ast::Expr,
    ) -> Result<TypedExpr, QueryError> {
        self.limits.check_planning()?;
        let rows = self.build_outer_rows(captured)?;
        let more = RefCell::default();
        let outer = OuterQuery { env, captured: &more, is_inlined: true };
        let relation = self.resolve_query(query, Nesting { outer: Some(outer), rows: Some(&rows) })?;

        let value = self.replace_null_type(relation.columns[0].value());
        let field = match shape {
            Shape::Scalar => value.field.clone(),
            Shape::Array => types::array_of(&value.field),
            Shape::Exists => types::plain(DataType::Boolean),
        };
        let mut order = vec![SortExpr::new(rows.row_number(), true, true)];
        order.extend(relation.order.iter().cloned());
        let plan = if relation.order.is_empty() { relation.plan } else { sort_plan(relation.plan, &order)? };
        let plan = self.project(plan, [(rows.row_number(), rows.row.clone()), (value.expr, self.new_id("value"))])?;
        check_before_optimization(&plan)?;
        // One batch is too small for several cores.
        let mut session = self.session.clone();
        session.config_mut().options_mut().execution.target_partitions = 1;
        let physical = block_on::block_on_thread(session.create_physical_plan(&plan));
        let physical = physical.map_err(|error| match QueryError::from(error) {
            QueryError::Invalid(message) => error_at(message, syntax),
            other => other,
        })?;

        let runtime = Arc::clone(self.session.runtime_env());
        let number = self.new_id("subquery");
        let function = BatchFunction::new(number, physical, shape, field.data_type().clone(), runtime);
        let args = captured.iter().map(|captured| captured.expr.clone()).collect();
        let udf = Arc::new(ScalarUDF::from(function));
        Ok(TypedExpr { expr: Expr::ScalarFunction(ScalarFunction::new_udf(udf, args)), field })
    }

    /// Builds the table of the batch: the row numbers and the columns that the subquery uses.
    fn build_outer_rows(&self, captured: &[CapturedColumn]) -> Result<OuterRows, QueryError> {
        let row = self.new_id("row");
        let mut fields: Vec<FieldRef> = vec![Arc::new(Field::new("row", DataType::Int64, false))];
        for (index, captured) in captured.iter().enumerate() {
            fields.push(Arc::new(captured.field.as_ref().clone().with_name(format!("column {index}")).with_nullable(true)));
        }
        let ids = std::iter::once(row.clone()).chain(captured.iter().map(|captured| captured.id.clone()));
        let source = provider_as_source(Arc::new(BatchTable::new(Arc::new(Schema::new(fields)))));
        let table = datafusion::common::TableReference::bare(self.new_id("rows"));
        let scan = LogicalPlanBuilder::scan(table, source, None).and_then(LogicalPlanBuilder::build)?;
        let columns: Vec<_> = scan.schema().columns().into_iter().map(Expr::Column).zip(ids).collect();
        let plan = self.project(scan, columns)?;
        Ok(OuterRows { row, plan, captured: captured.to_vec() })
    }

    /// Resolves a subquery in the FROM clause of the correlated subquery, for the same rows.
    pub(crate) fn resolve_derived_rows(
        &self,
        rows: &OuterRows,
        query: &ast::Query,
        alias: Option<String>,
        nesting: Nesting<'_>,
    ) -> Result<Scope, QueryError> {
        let relation = self.replace_null_types_per_row(rows, self.resolve_query(query, nesting)?)?;
        let number = self.new_id("row");
        let mut columns = vec![(rows.row_number(), number.clone())];
        columns.extend(relation.columns.iter().map(|column| (column.value().expr, column.id.clone())));
        let inner = self.project(relation.plan, columns)?;
        let condition = rows.row_number().eq(Expr::Column(PlanColumn::new_unqualified(number)));
        let plan =
            LogicalPlanBuilder::new(rows.plan.clone()).join_on(inner, JoinType::Inner, [condition]).and_then(LogicalPlanBuilder::build)?;
        let columns =
            relation.columns.into_iter().map(|column| ScopeColumn::new(column.name.clone().unwrap_or_default(), column.value())).collect();
        Ok(Scope { plan, ranges: vec![RangeVariable { alias, element: None, columns }], using: Vec::new() })
    }

    /// Changes columns of untyped NULLs to INT64 and keeps the row number.
    fn replace_null_types_per_row(&self, rows: &OuterRows, relation: Relation) -> Result<Relation, QueryError> {
        let mut exprs = vec![(rows.row_number(), rows.row.clone())];
        let mut columns = Vec::new();
        for column in relation.columns {
            let value = self.replace_null_type(column.value());
            let id = self.new_id(column.name.as_deref().unwrap_or("column"));
            exprs.push((value.expr, id.clone()));
            columns.push(OutputColumn { name: column.name, id, field: value.field });
        }
        Ok(Relation { plan: self.project(relation.plan, exprs)?, columns, order: Vec::new(), is_value: relation.is_value })
    }

    /// Applies GROUP BY to each row separately.
    pub(crate) fn build_groups_per_row(
        &self,
        rows: &OuterRows,
        input: LogicalPlan,
        mut keys: Vec<Expr>,
        is_whole: bool,
        exprs: &[&Expr],
    ) -> Result<Groups, QueryError> {
        if is_whole {
            return self.aggregate_per_row(rows, input, exprs);
        }
        // The columns of the enclosing query have the same value in the whole group.
        for expr in exprs {
            expr.apply(|part| match part {
                Expr::AggregateFunction(_) => Ok(TreeNodeRecursion::Jump),
                Expr::Column(column) if rows.is_captured(&column.name) && !keys.contains(part) => {
                    keys.push(part.clone());
                    Ok(TreeNodeRecursion::Continue)
                }
                _ => Ok(TreeNodeRecursion::Continue),
            })?;
        }
        keys.push(rows.row_number());
        self.build_groups(input, keys, None, exprs)
    }

    /// Aggregates without GROUP BY: one result per row, including rows without elements.
    fn aggregate_per_row(&self, rows: &OuterRows, input: LogicalPlan, exprs: &[&Expr]) -> Result<Groups, QueryError> {
        let groups = self.build_groups(input, vec![rows.row_number()], None, exprs)?;
        let number = self.new_id("row");
        let mut columns = vec![(rows.row_number(), number.clone())];
        let mut known = vec![(rows.row_number(), rows.row.clone())];
        let mut results = vec![(rows.row_number(), rows.row.clone())];
        for (expr, id) in groups.known {
            let Expr::AggregateFunction(function) = &expr else { continue };
            let column = Expr::Column(PlanColumn::new_unqualified(&id));
            columns.push((column.clone(), id.clone()));
            let data_type = column.get_type(groups.plan.schema())?;
            let counts = ["count", "countif", "approx_count_distinct"].contains(&function.func.name());
            let default = value_for_no_rows(&function.func, &data_type).or(counts.then_some(ScalarValue::Int64(Some(0))));
            let value = match default {
                Some(default) => datafusion::functions::core::expr_fn::coalesce(vec![column, lit(default)]),
                None => column,
            };
            results.push((value, id.clone()));
            known.push((expr, id));
        }
        for captured in &rows.captured {
            let column = Expr::Column(PlanColumn::new_unqualified(&captured.id));
            results.push((column.clone(), captured.id.clone()));
            known.push((column, captured.id.clone()));
        }
        let grouped = self.project(groups.plan, columns)?;
        let condition = rows.row_number().eq(Expr::Column(PlanColumn::new_unqualified(number)));
        let plan =
            LogicalPlanBuilder::new(rows.plan.clone()).join_on(grouped, JoinType::Left, [condition]).and_then(LogicalPlanBuilder::build)?;
        Ok(Groups { plan: self.project(plan, results)?, known })
    }

    /// Applies LIMIT to each row separately.
    pub(crate) fn limit_per_row(
        &self,
        rows: &OuterRows,
        relation: Relation,
        limit: Option<usize>,
        offset: usize,
    ) -> Result<Relation, QueryError> {
        let number = Expr::WindowFunction(Box::new(WindowFunction {
            fun: WindowFunctionDefinition::WindowUDF(row_number_udwf()),
            params: WindowFunctionParams {
                args: Vec::new(),
                partition_by: vec![rows.row_number()],
                order_by: relation.order.clone(),
                window_frame: WindowFrame::new((!relation.order.is_empty()).then_some(false)),
                filter: None,
                null_treatment: None,
                distinct: false,
            },
        }));
        let column = Expr::Column(PlanColumn::new_unqualified(number.schema_name().to_string()));
        let mut condition = column.clone().gt(lit(offset as u64));
        if let Some(limit) = limit {
            condition = condition.and(column.lt_eq(lit(offset.saturating_add(limit) as u64)));
        }
        let plan = LogicalPlanBuilder::window_plan(relation.plan, vec![number])
            .map(LogicalPlanBuilder::new)
            .and_then(|plan| plan.filter(condition))
            .and_then(LogicalPlanBuilder::build)?;
        Ok(Relation { plan, ..relation })
    }
}
