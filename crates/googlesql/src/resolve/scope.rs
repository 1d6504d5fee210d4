//! Scopes: the tables, columns and aliases that an expression can refer to.
//!
//! Each column of each relation has a unique id, such as `visitor#12`. Plans contain only ids, so a self-join is not
//! ambiguous. Names are matched here by GoogleSQL's rules and are case-insensitive. Results have the names as written.
//! Reference: <https://cloud.google.com/bigquery/docs/reference/standard-sql/query-syntax#scoping_rules>.

use std::cell::RefCell;

use datafusion::arrow::datatypes::FieldRef;
use datafusion::common::Column as PlanColumn;
use datafusion::logical_expr::{Expr, LogicalPlan};
use datafusion::sql::sqlparser::ast::NamedWindowDefinition;

/// An expression of a plan and its GoogleSQL type.
#[derive(Clone, Debug)]
pub(crate) struct TypedExpr {
    pub expr: Expr,
    pub field: FieldRef,
}

/// A column that a name can refer to.
#[derive(Clone, Debug)]
pub(crate) struct ScopeColumn {
    pub name: String,
    pub value: TypedExpr,
    /// Not included in `*`, such as `_TABLE_SUFFIX`.
    pub is_hidden: bool,
    /// One of the two columns of a `USING`. A name refers to it only with the table's alias.
    pub is_merged: bool,
}

/// The columns of one FROM item: a table, a subquery or an array.
#[derive(Clone, Debug)]
pub(crate) struct RangeVariable {
    pub alias: Option<String>,
    /// The value of the alias alone if it is an array element, and not a row.
    pub element: Option<TypedExpr>,
    pub columns: Vec<ScopeColumn>,
}

/// The columns of a FROM clause and its plan.
#[derive(Clone, Debug)]
pub(crate) struct Scope {
    pub plan: LogicalPlan,
    pub ranges: Vec<RangeVariable>,
    /// The merged columns of USING.
    pub using: Vec<ScopeColumn>,
}

/// A column of the result of a query.
#[derive(Clone, Debug)]
pub(crate) struct OutputColumn {
    /// `None` if the query gives no name. The result names such a column `f0_`.
    pub name: Option<String>,
    pub id: String,
    pub field: FieldRef,
}

/// The plan of a query. The plan may have further columns that are used for sorting.
#[derive(Clone, Debug)]
pub(crate) struct Relation {
    pub plan: LogicalPlan,
    pub columns: Vec<OutputColumn>,
    pub order: Vec<datafusion::logical_expr::SortExpr>,
    /// The query is `SELECT AS STRUCT` or `SELECT AS VALUE`: each row is one value.
    pub is_value: bool,
}

/// A column of an enclosing query that a subquery uses.
#[derive(Clone, Debug)]
pub(crate) struct CapturedColumn {
    pub id: String,
    pub field: FieldRef,
    /// The expression in the enclosing query.
    pub expr: Expr,
}

/// The enclosing query of a subquery.
#[derive(Clone, Copy)]
pub(crate) struct OuterQuery<'e> {
    pub env: &'e Env<'e>,
    pub captured: &'e RefCell<Vec<CapturedColumn>>,
    /// The subquery's plan contains the captured columns (see `row_subquery`).
    pub is_inlined: bool,
}

/// The clause that contains an expression.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Clause {
    Select,
    Where,
    /// The WHERE of a DELETE. It is not part of a plan, and its subqueries run before it.
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

/// The names that an expression can refer to.
#[derive(Clone, Copy)]
pub(crate) struct Env<'e> {
    pub scope: &'e Scope,
    pub clause: Clause,
    /// The aliases of the select list, for the clauses that can refer to them.
    pub aliases: &'e [(String, TypedExpr)],
    pub windows: &'e [NamedWindowDefinition],
    pub outer: Option<OuterQuery<'e>>,
}

impl<'e> Env<'e> {
    pub(crate) fn with_clause(self, clause: Clause) -> Env<'e> {
        Env { clause, ..self }
    }
}

impl Clause {
    /// The name in messages: `Aggregate function COUNT not allowed in WHERE clause`.
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

impl TypedExpr {
    pub(crate) fn column(id: &str, field: FieldRef) -> TypedExpr {
        TypedExpr { expr: Expr::Column(PlanColumn::new_unqualified(id)), field }
    }
}

impl ScopeColumn {
    pub(crate) fn new(name: impl Into<String>, value: TypedExpr) -> ScopeColumn {
        ScopeColumn { name: name.into(), value, is_hidden: false, is_merged: false }
    }
}

impl RangeVariable {
    pub(crate) fn is_named(&self, name: &str) -> bool {
        self.alias.as_deref().is_some_and(|alias| is_same_name(alias, name))
    }

    /// The columns of `alias.*`.
    pub(crate) fn visible(&self) -> impl Iterator<Item = &ScopeColumn> {
        self.columns.iter().filter(|column| !column.is_hidden)
    }
}

impl OutputColumn {
    pub(crate) fn value(&self) -> TypedExpr {
        TypedExpr::column(&self.id, FieldRef::clone(&self.field))
    }
}

/// Whether two names are equal. Column names and aliases are case-insensitive.
pub(crate) fn is_same_name(a: &str, b: &str) -> bool {
    a.eq_ignore_ascii_case(b) || (!a.is_ascii() && a.to_lowercase() == b.to_lowercase())
}

/// The name in an id: `visitor` of `visitor#12`.
pub(crate) fn name_from_id(id: &str) -> &str {
    id.rsplit_once('#').map_or(id, |(name, _)| name)
}
