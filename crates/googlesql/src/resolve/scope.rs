//! What names mean at some place of a query.
//!
//! Every column of every relation has an id that no other column of the query has
//! (`visitor#12`), and the plans know ids only. So a self-join is never ambiguous to the planner,
//! names are matched here in GoogleSQL's way, whatever their case, and results show them as they
//! were written.

use std::cell::RefCell;

use datafusion::arrow::datatypes::FieldRef;
use datafusion::common::Column as PlanColumn;
use datafusion::logical_expr::{Expr, LogicalPlan};
use datafusion::sql::sqlparser::ast::NamedWindowDefinition;

/// An expression of a plan with its GoogleSQL type.
#[derive(Clone, Debug)]
pub(crate) struct Typed {
    pub expr: Expr,
    pub field: FieldRef,
}

/// A column that a name can stand for.
#[derive(Clone, Debug)]
pub(crate) struct Column {
    pub name: String,
    pub value: Typed,
    /// Known by its name, but not part of `*`: `_TABLE_SUFFIX`.
    pub hidden: bool,
    /// One of the two columns of a `USING`: only its table's alias leads to it.
    pub merged: bool,
}

/// What one item of a FROM clause brings: a table, a subquery, the elements of an array.
#[derive(Clone, Debug)]
pub(crate) struct RangeVariable {
    pub alias: Option<String>,
    /// What the alias alone stands for, if it is not the row: the element of an array.
    pub element: Option<Typed>,
    pub columns: Vec<Column>,
}

/// What a FROM clause brings, and the plan that gives it.
#[derive(Clone, Debug)]
pub(crate) struct Scope {
    pub plan: LogicalPlan,
    pub ranges: Vec<RangeVariable>,
    /// The columns that USING made of two.
    pub using: Vec<Column>,
}

/// A column of the result of a query.
#[derive(Clone, Debug)]
pub(crate) struct Output {
    /// None where the query gives none: `f0_` in the end.
    pub name: Option<String>,
    pub id: String,
    pub field: FieldRef,
}

/// The result of a query as a plan. The plan may have more columns than those: what it is ordered
/// by.
#[derive(Clone, Debug)]
pub(crate) struct Relation {
    pub plan: LogicalPlan,
    pub columns: Vec<Output>,
    pub order: Vec<datafusion::logical_expr::SortExpr>,
    /// `SELECT AS STRUCT` or `AS VALUE`: rows that are values, not sets of columns.
    pub is_value: bool,
}

/// A column of an enclosing query that a subquery uses.
#[derive(Clone, Debug)]
pub(crate) struct Captured {
    pub id: String,
    pub field: FieldRef,
    /// What it is in the enclosing query's own terms.
    pub expr: Expr,
}

/// The way out of a subquery.
#[derive(Clone, Copy)]
pub(crate) struct Outer<'e> {
    pub env: &'e Env<'e>,
    pub captured: &'e RefCell<Vec<Captured>>,
    /// The subquery's own plan has the columns that it captures (see `row_subquery`).
    pub inlined: bool,
}

/// Where an expression stands.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Clause {
    Select,
    Where,
    /// The WHERE of a DELETE, which no plan carries out: its subqueries are run before.
    Delete,
    GroupBy,
    Having,
    Qualify,
    OrderBy,
    Join,
    From,
    Constant,
    /// The arguments of an aggregate function.
    Aggregate,
    /// The arguments and the specification of a window function.
    Window,
}

/// What an expression can refer to.
#[derive(Clone, Copy)]
pub(crate) struct Env<'e> {
    pub scope: &'e Scope,
    pub clause: Clause,
    /// The select list, for the clauses that see it.
    pub aliases: &'e [(String, Typed)],
    pub windows: &'e [NamedWindowDefinition],
    pub outer: Option<Outer<'e>>,
}

impl<'e> Env<'e> {
    pub(crate) fn within(self, clause: Clause) -> Env<'e> {
        Env { clause, ..self }
    }
}

impl Clause {
    /// As messages say it: `Aggregate function COUNT not allowed in WHERE clause`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Clause::Select => "SELECT list",
            Clause::Where | Clause::Delete => "WHERE clause",
            Clause::GroupBy => "GROUP BY clause",
            Clause::Having => "HAVING clause",
            Clause::Qualify => "QUALIFY clause",
            Clause::OrderBy => "ORDER BY clause",
            Clause::Join => "JOIN ON clause",
            Clause::From => "FROM clause",
            Clause::Constant => "constant expression",
            Clause::Aggregate => "aggregate function",
            Clause::Window => "analytic function",
        }
    }
}

impl Typed {
    pub(crate) fn column(id: &str, field: FieldRef) -> Typed {
        Typed { expr: Expr::Column(PlanColumn::new_unqualified(id)), field }
    }
}

impl Column {
    pub(crate) fn new(name: impl Into<String>, value: Typed) -> Column {
        Column { name: name.into(), value, hidden: false, merged: false }
    }
}

impl RangeVariable {
    pub(crate) fn is_named(&self, name: &str) -> bool {
        self.alias.as_deref().is_some_and(|alias| same_name(alias, name))
    }

    /// The columns of `alias.*`.
    pub(crate) fn visible(&self) -> impl Iterator<Item = &Column> {
        self.columns.iter().filter(|column| !column.hidden)
    }
}

impl Output {
    pub(crate) fn value(&self) -> Typed {
        Typed::column(&self.id, FieldRef::clone(&self.field))
    }
}

/// Column names and aliases match whatever their case.
pub(crate) fn same_name(a: &str, b: &str) -> bool {
    a.eq_ignore_ascii_case(b) || (!a.is_ascii() && a.to_lowercase() == b.to_lowercase())
}

/// The name that an id was made of.
pub(crate) fn name_of(id: &str) -> &str {
    id.rsplit_once('#').map_or(id, |(name, _)| name)
}
