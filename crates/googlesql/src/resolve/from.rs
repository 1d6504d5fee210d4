//! Resolves the FROM clause: tables, views, common table expressions, subqueries and arrays.
//!
//! Reference: <https://cloud.google.com/bigquery/docs/reference/standard-sql/query-syntax#from_clause>.

use datafusion::sql::sqlparser::ast::{self, TableFactor, TableWithJoins};

use super::constant::empty_scope;
use super::nesting::Nesting;
use super::tables;
use super::{Resolver, TablePath};
use crate::QueryError;
use crate::error_location::{error_at, error_at_span, unsupported};
use crate::resolve::scope::{Clause, Env, RangeVariable, Relation, Scope, ScopeColumn, is_same_name};

/// Maximum nesting depth of views over views.
const MAX_VIEW_DEPTH: usize = 16;

impl Resolver<'_> {
    pub(crate) fn resolve_from(&self, tables: &[TableWithJoins], nesting: Nesting<'_>) -> Result<Scope, QueryError> {
        let mut scope = match nesting.rows {
            Some(rows) => rows.scope(),
            None => empty_scope()?,
        };
        for table in tables {
            self.check_size(&scope.plan)?;
            scope = match self.resolve_array_item(&scope, &table.relation, nesting)? {
                Some(array) => {
                    let scope = self.build_unnest(scope, array, false)?;
                    self.resolve_joins(scope, &table.joins, nesting)?
                }
                None => {
                    if let (Some(rows), true, TableFactor::Derived { subquery, alias, .. }) =
                        (nesting.rows, scope.ranges.is_empty(), &table.relation)
                    {
                        let alias = alias.as_ref().map(alias_name).transpose()?;
                        scope = self.resolve_derived_rows(rows, subquery, alias, nesting)?;
                        scope = self.resolve_joins(scope, &table.joins, nesting)?;
                        continue;
                    }
                    if nesting.rows.is_some() {
                        return Err(unsupported("tables in this kind of correlated subquery", &table.relation));
                    }
                    let other = self.resolve_from_item(&table.relation, nesting)?;
                    let other = self.resolve_joins(other, &table.joins, nesting)?;
                    if scope.ranges.is_empty() { other } else { cross_join_scopes(scope, other)? }
                }
            };
        }
        check_aliases(&scope, tables)?;
        Ok(scope)
    }

    /// Resolves a FROM item that does not refer to the items before it.
    pub(crate) fn resolve_from_item(&self, factor: &TableFactor, nesting: Nesting<'_>) -> Result<Scope, QueryError> {
        match factor {
            TableFactor::Table { name, alias, args: None, version: None, sample: None, with_hints, partitions, .. }
                if with_hints.is_empty() && partitions.is_empty() =>
            {
                self.resolve_table(&TablePath::parse(name)?, alias.as_ref())
            }
            TableFactor::Table { sample: Some(_), .. } => Err(unsupported("TABLESAMPLE", factor)),
            TableFactor::Table { version: Some(_), .. } => Err(unsupported("FOR SYSTEM_TIME AS OF", factor)),
            TableFactor::Table { name, args: Some(_), .. } => Err(error_at(format!("Table-valued function not found: {name}"), factor)),
            TableFactor::Derived { subquery, alias, sample: None, .. } => {
                // A subquery in FROM can refer to the enclosing queries but not to the other FROM items.
                let relation = self.resolve_query(subquery, Nesting { outer: nesting.outer, rows: None })?;
                let relation = self.replace_null_types(relation)?;
                let alias = alias.as_ref().map(alias_name).transpose()?;
                self.build_range(relation, alias)
            }
            TableFactor::UNNEST { .. } => {
                let array = self.resolve_array_item(&empty_scope()?, factor, nesting)?;
                let array = array.ok_or_else(|| error_at("Syntax error: Unexpected UNNEST", factor))?;
                self.build_unnest(empty_scope()?, array, false)
            }
            TableFactor::NestedJoin { table_with_joins, alias: None } => {
                let scope = self.resolve_from_item(&table_with_joins.relation, nesting)?;
                self.resolve_joins(scope, &table_with_joins.joins, nesting)
            }
            TableFactor::Pivot { .. } => self.resolve_pivot(factor, nesting),
            TableFactor::Unpivot { .. } => self.resolve_unpivot(factor, nesting),
            other => Err(unsupported("this kind of FROM item", other)),
        }
    }

    fn resolve_table(&self, path: &TablePath, alias: Option<&ast::TableAlias>) -> Result<Scope, QueryError> {
        let alias = match alias {
            Some(alias) => alias_name(alias)?,
            None => path.default_alias().to_owned(),
        };
        if let [name] = path.parts.as_slice() {
            let found = self.with.borrow().iter().rev().find(|(known, _)| is_same_name(known, name)).map(|(_, relation)| relation.clone());
            if let Some(relation) = found {
                // The plan of the query contains the plan once for each reference.
                self.check_size(&relation.plan)?;
                return self.build_range(relation, Some(alias));
            }
        }
        match tables::find(self.catalog, path, self.query)? {
            tables::FoundTable::Table { source, hidden_columns } => {
                let (plan, columns) = self.scan_table(source)?;
                let columns = columns
                    .into_iter()
                    .map(|(name, value)| ScopeColumn {
                        is_hidden: hidden_columns.contains(&name.as_str()),
                        ..ScopeColumn::new(name, value)
                    })
                    .collect();
                Ok(Scope { plan, ranges: vec![RangeVariable { alias: Some(alias), element: None, columns }], using: Vec::new() })
            }
            tables::FoundTable::View { name, query } => {
                if self.depth.get() >= MAX_VIEW_DEPTH {
                    return Err(error_at_span(format!("View {name} is nested too deeply"), path.span));
                }
                let outer = std::mem::take(&mut *self.with.borrow_mut());
                self.depth.set(self.depth.get() + 1);
                let relation = self.resolve_query(&query, Nesting::default()).and_then(|relation| self.replace_null_types(relation));
                self.depth.set(self.depth.get() - 1);
                *self.with.borrow_mut() = outer;
                let relation = relation.map_err(|error| match error {
                    QueryError::Invalid(message) => error_at_span(format!("Invalid view {name}: {message}"), path.span),
                    other => other,
                })?;
                self.build_range(relation, Some(alias))
            }
        }
    }

    /// Makes a FROM item of a relation. The columns get new ids, because the relation may occur twice.
    fn build_range(&self, relation: Relation, alias: Option<String>) -> Result<Scope, QueryError> {
        let mut exprs = Vec::new();
        let mut columns = Vec::new();
        for column in &relation.columns {
            let name = column.name.clone().unwrap_or_default();
            let id = self.new_id(&name);
            exprs.push((column.value().expr, id.clone()));
            let value = crate::resolve::scope::TypedExpr::column(&id, column.field.clone());
            columns.push(ScopeColumn::new(name, value));
        }
        let plan = super::nesting::sort_plan(relation.plan, &[])?;
        let plan = self.project(plan, exprs)?;
        let mut range = RangeVariable { alias, element: None, columns };
        if relation.is_value
            && let [column] = range.columns.as_slice()
        {
            range = build_value_range(range.alias, column.value.clone())?;
        }
        Ok(Scope { plan, ranges: vec![range], using: Vec::new() })
    }

    /// The names that an expression in FROM can refer to.
    pub(crate) fn build_env<'e>(&self, scope: &'e Scope, nesting: Nesting<'e>, clause: Clause) -> Env<'e> {
        Env { scope, clause, aliases: &[], windows: &[], outer: nesting.outer }
    }
}

/// Makes a FROM item of values. The columns of a STRUCT are its members.
pub(crate) fn build_value_range(alias: Option<String>, value: crate::resolve::scope::TypedExpr) -> Result<RangeVariable, QueryError> {
    use crate::resolve::scope::TypedExpr;
    use datafusion::arrow::datatypes::DataType;
    use datafusion::functions::core::expr_ext::FieldAccessor;
    let columns = match value.field.data_type() {
        DataType::Struct(members) => members
            .iter()
            .map(|member| {
                let expr = value.expr.clone().field(member.name().as_str());
                let field = member.as_ref().clone().with_name("").with_nullable(true);
                ScopeColumn::new(member.name().clone(), TypedExpr { expr, field: field.into() })
            })
            .collect(),
        _ => vec![ScopeColumn::new(alias.clone().unwrap_or_default(), value.clone())],
    };
    Ok(RangeVariable { alias, element: Some(value), columns })
}

fn cross_join_scopes(left: Scope, right: Scope) -> Result<Scope, QueryError> {
    let plan = datafusion::logical_expr::LogicalPlanBuilder::new(left.plan)
        .cross_join(right.plan)
        .and_then(datafusion::logical_expr::LogicalPlanBuilder::build)?;
    let ranges = left.ranges.into_iter().chain(right.ranges).collect();
    let using = left.using.into_iter().chain(right.using).collect();
    Ok(Scope { plan, ranges, using })
}

/// The name of an alias. GoogleSQL does not support column names after an alias.
pub(crate) fn alias_name(alias: &ast::TableAlias) -> Result<String, QueryError> {
    match alias.columns.first() {
        None => Ok(alias.name.value.clone()),
        Some(column) => Err(error_at_span("Syntax error: Unexpected column names after an alias", column.name.span)),
    }
}

fn check_aliases(scope: &Scope, tables: &[TableWithJoins]) -> Result<(), QueryError> {
    use ast::Spanned;
    let aliases: Vec<&String> = scope.ranges.iter().filter_map(|range| range.alias.as_ref()).collect();
    for (index, alias) in aliases.iter().enumerate() {
        if aliases[..index].iter().any(|other| is_same_name(other, alias)) {
            let span = tables.first().map(|table| table.relation.span()).unwrap_or_else(datafusion::sql::sqlparser::tokenizer::Span::empty);
            return Err(error_at_span(format!("Duplicate table alias {alias} in the same FROM clause"), span));
        }
    }
    Ok(())
}
