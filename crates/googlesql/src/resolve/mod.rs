//! From syntax to a plan: names, types and meaning of a query.
//!
//! The parser's syntax tree goes in, DataFusion's logical plan comes out, and everything that
//! GoogleSQL decides is decided on the way: what a name stands for, which types an operator takes,
//! what a function is. DataFusion's own SQL planner is not used: it knows another SQL, and cannot
//! say where in the text an error is.
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
mod structure;
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
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, TableSource};
use datafusion::sql::sqlparser::tokenizer::{Location, Span};

use crate::catalog::Catalog;
use crate::error::{QueryError, message};
use crate::error_location::error_at_span;
use crate::query::Query;
use crate::types;
use scope::{Relation, Typed};

pub(crate) use delete::Deletion;
pub(crate) use path::TablePath;

/// Everything that the meaning of a query depends on besides its text.
pub(crate) struct Resolver<'a> {
    query: &'a Query,
    /// Where the positional parameters are.
    placeholders: &'a [Location],
    catalog: &'a dyn Catalog,
    session: &'a SessionState,
    ids: Cell<usize>,
    /// The WITH subqueries in sight, the innermost last.
    with: RefCell<Vec<(String, Relation)>>,
    /// Expressions within expressions, where we are.
    level: Cell<usize>,
    /// Views within views.
    depth: Cell<usize>,
}

impl<'a> Resolver<'a> {
    pub(crate) fn new(query: &'a Query, placeholders: &'a [Location], catalog: &'a dyn Catalog, session: &'a SessionState) -> Resolver<'a> {
        Resolver {
            query,
            placeholders,
            catalog,
            session,
            ids: Cell::new(0),
            with: RefCell::default(),
            level: Cell::new(0),
            depth: Cell::new(0),
        }
    }

    /// A new id for a column of this name.
    fn id(&self, name: &str) -> String {
        let number = self.ids.get();
        self.ids.set(number + 1);
        format!("{name}#{number}")
    }

    /// The expression with the type that the planner finds for it.
    fn typed(&self, expr: Expr, schema: &DFSchema, span: Span) -> Result<Typed, QueryError> {
        use datafusion::logical_expr::ExprSchemable;
        let (_, field) = expr.to_field(schema).map_err(|error| error_at_span(message(&error), span))?;
        let field = Arc::new(field.as_ref().clone().with_name("").with_nullable(true));
        Ok(match field.data_type() {
            // The engine counts in widths that GoogleSQL does not have.
            DataType::Int8
            | DataType::Int16
            | DataType::Int32
            | DataType::UInt8
            | DataType::UInt16
            | DataType::UInt32
            | DataType::UInt64 => {
                let field = types::plain(DataType::Int64);
                Typed { expr: supertype::arrow_cast(expr, &field), field }
            }
            _ => Typed { expr, field },
        })
    }

    /// Scans a table; its columns get new ids.
    fn scan(&self, source: Arc<dyn TableSource>) -> Result<(LogicalPlan, Vec<(String, Typed)>), QueryError> {
        let name = TableReference::bare(self.id("table"));
        let plan = LogicalPlanBuilder::scan(name, source, None)?;
        let mut exprs = Vec::new();
        let mut columns = Vec::new();
        for (qualifier, field) in plan.schema().iter() {
            let name = field.name().clone();
            let id = self.id(&name);
            exprs.push(Expr::Column((qualifier, field).into()).alias(&id));
            let field = Arc::new(field.as_ref().clone().with_name("").with_nullable(true));
            columns.push((name, Typed::column(&id, field)));
        }
        let plan = plan.project(exprs).and_then(LogicalPlanBuilder::build)?;
        Ok((plan, columns))
    }

    /// What the rows of `plan` are when each of `exprs` gets its id.
    fn project(&self, plan: LogicalPlan, exprs: impl IntoIterator<Item = (Expr, String)>) -> Result<LogicalPlan, QueryError> {
        let exprs: Vec<Expr> = exprs
            .into_iter()
            .map(|(expr, id)| match &expr {
                Expr::Column(column) if column.relation.is_none() && column.name == id => expr,
                _ => expr.alias(id),
            })
            .collect();
        LogicalPlanBuilder::new(plan).project(exprs).and_then(LogicalPlanBuilder::build).map_err(QueryError::from)
    }
}
