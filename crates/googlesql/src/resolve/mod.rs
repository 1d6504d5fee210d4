//! Resolves a syntax tree to DataFusion's logical plan: names, types, coercions and functions.
//!
//! The module replaces DataFusion's SQL planner, which implements another SQL dialect and reports no locations of
//! errors. `syntax` makes the tree, and `physical` executes the plan.
//! Reference: <https://cloud.google.com/bigquery/docs/reference/standard-sql/query-syntax>.
//!
//! ```text
//! query ── select ─┬─ from ─┬─ join, unnest, pivot, tables
//! (WITH, set       │        └─ (subqueries: query)
//!  operations,     ├─ star, aggregate, window, order
//!  LIMIT)          └─ expression ─┬─ name, literal, operator, comparison, cast, call, conditional
//!                                 └─ subquery, row_subquery
//! ```

mod aggregate;
mod array;
mod call;
mod cast;
mod comparison;
mod conditional;
mod constant;
mod delete;
mod expression;
mod expression_size;
mod from;
mod function;
mod grouping;
mod interval;
mod join;
mod like;
mod literal;
mod name;
mod named;
mod nesting;
mod operator;
mod order;
mod parameter;
mod path;
mod pivot;
mod query;
mod recursion;
mod row_subquery;
pub(crate) mod scope;
mod select;
mod star;
mod struct_value;
mod subquery;
mod supertype;
mod tables;
mod unnest;
mod window;

use std::cell::{Cell, RefCell};
use std::sync::Arc;

use datafusion::arrow::datatypes::DataType;
use datafusion::common::{DFSchema, TableReference};
use datafusion::execution::session_state::SessionState;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, Projection, TableSource};
use datafusion::sql::sqlparser::tokenizer::{Location, Span};

use crate::catalog::Catalog;
use crate::error::{QueryError, innermost_message};
use crate::error_location::error_at_span;
use crate::physical::limited_planning::check_plan;
use crate::query::Query;
use crate::query_limits::QueryLimits;
use crate::types;
use scope::{Relation, TypedExpr};

pub(crate) use delete::Deletion;
pub(crate) use path::TablePath;

/// Resolves one query. It has the query's parameters, the catalog and the state of the resolution.
pub(crate) struct Resolver<'a> {
    query: &'a Query,
    /// The locations of the positional parameters.
    placeholders: &'a [Location],
    catalog: &'a dyn Catalog,
    session: &'a SessionState,
    ids: Cell<usize>,
    /// The visible common table expressions, the innermost last.
    with: RefCell<Vec<(String, Relation)>>,
    /// The current nesting depth of expressions.
    level: Cell<usize>,
    /// The current nesting depth of subqueries in expressions.
    subquery_level: Cell<usize>,
    /// The current nesting depth of views.
    depth: Cell<usize>,
    /// The number of nodes that the following expressions may have.
    remaining_nodes: Cell<usize>,
    /// Whether the current query is resolved only for its types and its references to the enclosing query.
    is_probing: Cell<bool>,
    limits: &'a Arc<QueryLimits>,
}

impl<'a> Resolver<'a> {
    pub(crate) fn new(
        query: &'a Query,
        placeholders: &'a [Location],
        catalog: &'a dyn Catalog,
        session: &'a SessionState,
        limits: &'a Arc<QueryLimits>,
    ) -> Resolver<'a> {
        Resolver {
            query,
            placeholders,
            catalog,
            session,
            ids: Cell::new(0),
            with: RefCell::default(),
            level: Cell::new(0),
            subquery_level: Cell::new(0),
            depth: Cell::new(0),
            remaining_nodes: Cell::new(expression_size::MAX_NODES),
            is_probing: Cell::new(false),
            limits,
        }
    }

    /// Makes a unique id for a column of this name.
    fn new_id(&self, name: &str) -> String {
        let number = self.ids.get();
        self.ids.set(number + 1);
        format!("{name}#{number}")
    }

    /// Fails if a plan is too large, or if the query was cancelled. DataFusion's builder visits the whole plan below some
    /// nodes, so the size is checked before the plan is complete.
    fn check_size(&self, plan: &LogicalPlan) -> Result<(), QueryError> {
        self.limits.check_planning()?;
        check_plan(plan)
    }

    /// Infers the type of an expression with DataFusion.
    fn infer_type(&self, expr: Expr, schema: &DFSchema, span: Span) -> Result<TypedExpr, QueryError> {
        use datafusion::logical_expr::ExprSchemable;
        let (_, field) = expr.to_field(schema).map_err(|error| error_at_span(innermost_message(&error), span))?;
        let field = Arc::new(field.as_ref().clone().with_name("").with_nullable(true));
        Ok(match field.data_type() {
            // GoogleSQL has one integer type. DataFusion's functions return several.
            DataType::Int8
            | DataType::Int16
            | DataType::Int32
            | DataType::UInt8
            | DataType::UInt16
            | DataType::UInt32
            | DataType::UInt64 => {
                let field = types::plain(DataType::Int64);
                TypedExpr { expr: supertype::arrow_cast(expr, &field), field }
            }
            _ => TypedExpr { expr, field },
        })
    }

    /// Scans a table. Its columns get new ids.
    fn scan_table(&self, source: Arc<dyn TableSource>) -> Result<(LogicalPlan, Vec<(String, TypedExpr)>), QueryError> {
        let name = TableReference::bare(self.new_id("table"));
        let plan = LogicalPlanBuilder::scan(name, source, None)?;
        let mut exprs = Vec::new();
        let mut columns = Vec::new();
        for (qualifier, field) in plan.schema().iter() {
            let name = field.name().clone();
            let id = self.new_id(&name);
            exprs.push(Expr::Column((qualifier, field).into()).alias(&id));
            let field = Arc::new(field.as_ref().clone().with_name("").with_nullable(true));
            columns.push((name, TypedExpr::column(&id, field)));
        }
        let plan = plan.project(exprs).and_then(LogicalPlanBuilder::build)?;
        Ok((plan, columns))
    }

    /// Projects `exprs` over a plan. Each expression becomes a column with its id.
    fn project(&self, plan: LogicalPlan, exprs: impl IntoIterator<Item = (Expr, String)>) -> Result<LogicalPlan, QueryError> {
        let exprs: Vec<Expr> = exprs
            .into_iter()
            .map(|(expr, id)| match &expr {
                Expr::Column(column) if column.relation.is_none() && column.name == id => expr,
                _ => expr.alias(id),
            })
            .collect();
        // LogicalPlanBuilder would look up each column in the whole plan. The ids are unique.
        Ok(LogicalPlan::Projection(Projection::try_new(exprs, Arc::new(plan))?))
    }
}
