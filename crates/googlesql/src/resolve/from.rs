//! FROM: tables, views, WITH subqueries, subqueries, arrays.

use datafusion::sql::sqlparser::ast::{self, TableFactor, TableWithJoins};

use super::constant::nothing;
use super::nesting::Nesting;
use super::tables;
use super::{Resolver, TablePath};
use crate::QueryError;
use crate::error_location::{error_at, error_at_span, unsupported};
use crate::resolve::scope::{Clause, Column, Env, RangeVariable, Relation, Scope, same_name};

/// Views that stand on views, and so on.
const MAX_VIEW_DEPTH: usize = 16;

impl Resolver<'_> {
    pub(crate) fn from(&self, tables: &[TableWithJoins], nesting: Nesting<'_>) -> Result<Scope, QueryError> {
        let mut scope = match nesting.rows {
            Some(rows) => rows.scope(),
            None => nothing()?,
        };
        for table in tables {
            scope = match self.array_factor(&scope, &table.relation, nesting)? {
                Some(array) => {
                    let scope = self.unnest(scope, array, false)?;
                    self.joins(scope, &table.joins, nesting)?
                }
                None => {
                    if let (Some(rows), true, TableFactor::Derived { subquery, alias, .. }) =
                        (nesting.rows, scope.ranges.is_empty(), &table.relation)
                    {
                        let alias = alias.as_ref().map(plain_alias).transpose()?;
                        scope = self.derived_rows(rows, subquery, alias, nesting)?;
                        scope = self.joins(scope, &table.joins, nesting)?;
                        continue;
                    }
                    if nesting.rows.is_some() {
                        return Err(unsupported("tables in this kind of correlated subquery", &table.relation));
                    }
                    let other = self.relation(&table.relation, nesting)?;
                    let other = self.joins(other, &table.joins, nesting)?;
                    if scope.ranges.is_empty() { other } else { crossed(scope, other)? }
                }
            };
        }
        check_aliases(&scope, tables)?;
        Ok(scope)
    }

    /// A FROM item that stands by itself.
    pub(crate) fn relation(&self, factor: &TableFactor, nesting: Nesting<'_>) -> Result<Scope, QueryError> {
        match factor {
            TableFactor::Table { name, alias, args: None, version: None, sample: None, with_hints, partitions, .. }
                if with_hints.is_empty() && partitions.is_empty() =>
            {
                self.table(&TablePath::read(name)?, alias.as_ref())
            }
            TableFactor::Table { sample: Some(_), .. } => Err(unsupported("TABLESAMPLE", factor)),
            TableFactor::Table { version: Some(_), .. } => Err(unsupported("FOR SYSTEM_TIME AS OF", factor)),
            TableFactor::Table { name, args: Some(_), .. } => Err(error_at(format!("Table-valued function not found: {name}"), factor)),
            TableFactor::Derived { subquery, alias, sample: None, .. } => {
                // A subquery in FROM sees the queries around its SELECT, not its neighbours.
                let relation = self.query(subquery, Nesting { outer: nesting.outer, rows: None })?;
                let relation = self.typed_columns(relation)?;
                let alias = alias.as_ref().map(plain_alias).transpose()?;
                self.as_range(relation, alias)
            }
            TableFactor::UNNEST { .. } => {
                let array = self.array_factor(&nothing()?, factor, nesting)?;
                let array = array.ok_or_else(|| error_at("Syntax error: Unexpected UNNEST", factor))?;
                self.unnest(nothing()?, array, false)
            }
            TableFactor::NestedJoin { table_with_joins, alias: None } => {
                let scope = self.relation(&table_with_joins.relation, nesting)?;
                self.joins(scope, &table_with_joins.joins, nesting)
            }
            TableFactor::Pivot { .. } => self.pivot(factor, nesting),
            TableFactor::Unpivot { .. } => self.unpivot(factor, nesting),
            other => Err(unsupported("this kind of FROM item", other)),
        }
    }

    fn table(&self, path: &TablePath, alias: Option<&ast::TableAlias>) -> Result<Scope, QueryError> {
        let alias = match alias {
            Some(alias) => plain_alias(alias)?,
            None => path.alias().to_owned(),
        };
        if let [name] = path.parts.as_slice() {
            let found = self.with.borrow().iter().rev().find(|(known, _)| same_name(known, name)).map(|(_, relation)| relation.clone());
            if let Some(relation) = found {
                return self.as_range(relation, Some(alias));
            }
        }
        match tables::find(self.catalog, path, self.query)? {
            tables::FoundTable::Table { source, hidden } => {
                let (plan, columns) = self.scan(source)?;
                let columns = columns
                    .into_iter()
                    .map(|(name, value)| Column { hidden: hidden.contains(&name.as_str()), ..Column::new(name, value) })
                    .collect();
                Ok(Scope { plan, ranges: vec![RangeVariable { alias: Some(alias), element: None, columns }], using: Vec::new() })
            }
            tables::FoundTable::View { name, query } => {
                if self.depth.get() >= MAX_VIEW_DEPTH {
                    return Err(error_at_span(format!("View {name} is nested too deeply"), path.span));
                }
                let outer = std::mem::take(&mut *self.with.borrow_mut());
                self.depth.set(self.depth.get() + 1);
                let relation = self.query(&query, Nesting::default()).and_then(|relation| self.typed_columns(relation));
                self.depth.set(self.depth.get() - 1);
                *self.with.borrow_mut() = outer;
                let relation = relation.map_err(|error| match error {
                    QueryError::Invalid(message) => error_at_span(format!("Invalid view {name}: {message}"), path.span),
                    other => other,
                })?;
                self.as_range(relation, Some(alias))
            }
        }
    }

    /// The relation as an item of FROM; its columns get new ids, as it may stand there twice.
    fn as_range(&self, relation: Relation, alias: Option<String>) -> Result<Scope, QueryError> {
        let mut exprs = Vec::new();
        let mut columns = Vec::new();
        for column in &relation.columns {
            let name = column.name.clone().unwrap_or_default();
            let id = self.id(&name);
            exprs.push((column.value().expr, id.clone()));
            let value = crate::resolve::scope::Typed::column(&id, column.field.clone());
            columns.push(Column::new(name, value));
        }
        let plan = super::nesting::sorted(relation.plan, &[])?;
        let plan = self.project(plan, exprs)?;
        let mut range = RangeVariable { alias, element: None, columns };
        if relation.is_value
            && let [column] = range.columns.as_slice()
        {
            range = value_range(range.alias, column.value.clone())?;
        }
        Ok(Scope { plan, ranges: vec![range], using: Vec::new() })
    }

    /// What an expression of FROM can refer to.
    pub(crate) fn env_of<'e>(&self, scope: &'e Scope, nesting: Nesting<'e>, clause: Clause) -> Env<'e> {
        Env { scope, clause, aliases: &[], windows: &[], outer: nesting.outer }
    }
}

/// A range of values: STRUCTs show their members.
pub(crate) fn value_range(alias: Option<String>, value: crate::resolve::scope::Typed) -> Result<RangeVariable, QueryError> {
    use crate::resolve::scope::Typed;
    use datafusion::arrow::datatypes::DataType;
    use datafusion::functions::core::expr_ext::FieldAccessor;
    let columns = match value.field.data_type() {
        DataType::Struct(members) => members
            .iter()
            .map(|member| {
                let expr = value.expr.clone().field(member.name().as_str());
                let field = member.as_ref().clone().with_name("").with_nullable(true);
                Column::new(member.name().clone(), Typed { expr, field: field.into() })
            })
            .collect(),
        _ => vec![Column::new(alias.clone().unwrap_or_default(), value.clone())],
    };
    Ok(RangeVariable { alias, element: Some(value), columns })
}

fn crossed(left: Scope, right: Scope) -> Result<Scope, QueryError> {
    let plan = datafusion::logical_expr::LogicalPlanBuilder::new(left.plan)
        .cross_join(right.plan)
        .and_then(datafusion::logical_expr::LogicalPlanBuilder::build)?;
    let ranges = left.ranges.into_iter().chain(right.ranges).collect();
    let using = left.using.into_iter().chain(right.using).collect();
    Ok(Scope { plan, ranges, using })
}

/// An alias without column names, which GoogleSQL does not have.
pub(crate) fn plain_alias(alias: &ast::TableAlias) -> Result<String, QueryError> {
    match alias.columns.first() {
        None => Ok(alias.name.value.clone()),
        Some(column) => Err(error_at_span("Syntax error: Unexpected column names after an alias", column.name.span)),
    }
}

fn check_aliases(scope: &Scope, tables: &[TableWithJoins]) -> Result<(), QueryError> {
    use ast::Spanned;
    let aliases: Vec<&String> = scope.ranges.iter().filter_map(|range| range.alias.as_ref()).collect();
    for (index, alias) in aliases.iter().enumerate() {
        if aliases[..index].iter().any(|other| same_name(other, alias)) {
            let span = tables.first().map(|table| table.relation.span()).unwrap_or_else(datafusion::sql::sqlparser::tokenizer::Span::empty);
            return Err(error_at_span(format!("Duplicate table alias {alias} in the same FROM clause"), span));
        }
    }
    Ok(())
}
