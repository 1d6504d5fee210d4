//! Arrays in FROM: `UNNEST(arr) AS x WITH OFFSET AS o`, and `t.arr` for short.
//!
//! An array may be of the row to its left (`FROM t, UNNEST(t.arr)`): every row is repeated for each
//! of its elements. In a LEFT JOIN a row without elements stays, with NULL for the element.

use datafusion::arrow::datatypes::DataType;
use datafusion::common::Column as PlanColumn;
use datafusion::common::tree_node::TreeNode;
use datafusion::common::{NullHandling, UnnestOptions};
use datafusion::functions::core::expr_ext::FieldAccessor;
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::{Expr, LogicalPlanBuilder};
use datafusion::sql::sqlparser::ast::{self, TableFactor};

use super::Resolver;
use super::constant::nothing;
use super::from::{plain_alias, value_range};
use super::nesting::Nesting;
use crate::QueryError;
use crate::error_location::{error_at, unsupported};
use crate::physical::numbered::{ITEM, OFFSET, numbered};
use crate::resolve::scope::{Clause, Column, RangeVariable, Scope, Typed, same_name};
use crate::types;

/// Bytes of an array that is joined rather than copied to each row. Below that the rows of a query
/// without ORDER BY come in the order in which they are written down.
const LARGE: usize = 64 * 1024;

/// An array of a FROM clause.
pub(crate) struct ArrayFactor {
    array: Typed,
    alias: Option<String>,
    /// The name of the column that counts the elements from 0.
    offset: Option<String>,
}

impl Resolver<'_> {
    /// The array that the item is, if it is one.
    pub(crate) fn array_factor(&self, left: &Scope, factor: &TableFactor, nesting: Nesting<'_>) -> Result<Option<ArrayFactor>, QueryError> {
        let env = self.env_of(left, nesting, Clause::From);
        let (array, alias, offset) = match factor {
            TableFactor::UNNEST { array_exprs, alias, with_offset, with_offset_alias, with_ordinality: false } => {
                let [array] = array_exprs.as_slice() else {
                    return Err(unsupported("UNNEST of several arrays", factor));
                };
                let offset = with_offset.then(|| with_offset_alias.as_ref().map_or("offset".to_owned(), |alias| alias.value.clone()));
                let alias = alias.as_ref().map(plain_alias).transpose()?.or_else(|| super::select::implied_name(array));
                (self.expr(&env, array)?, alias, offset)
            }
            TableFactor::Table { name, alias, args: None, .. } if name.0.len() > 1 => {
                let path: Vec<_> = name.0.iter().filter_map(|part| part.as_ident().cloned()).collect();
                let is_range = |name: &str| {
                    let known = |ranges: &[RangeVariable]| {
                        ranges.iter().any(|range| range.alias.as_deref().is_some_and(|alias| same_name(alias, name)))
                    };
                    known(&left.ranges) || nesting.outer.is_some_and(|outer| known(&outer.env.scope.ranges))
                };
                if path.len() != name.0.len() || !is_range(&path[0].value) {
                    return Ok(None);
                }
                let alias = alias.as_ref().map(plain_alias).transpose()?.or_else(|| path.last().map(|name| name.value.clone()));
                (self.path(&env, &path)?, alias, None)
            }
            _ => return Ok(None),
        };
        let array = self.without_null_type(array);
        if types::element(&array.field).is_none() {
            let message =
                format!("Values referenced in UNNEST must be arrays. UNNEST contains expression of type {}", types::of(&array.field));
            return Err(error_at(message, factor));
        }
        Ok(Some(ArrayFactor { array, alias, offset }))
    }

    /// `LEFT JOIN UNNEST(arr) AS x ON …`: the elements that the condition holds for, as an array.
    pub(crate) fn chosen_elements(
        &self,
        left: &Scope,
        factor: &TableFactor,
        on: &ast::Expr,
        nesting: Nesting<'_>,
    ) -> Result<Option<ArrayFactor>, QueryError> {
        let TableFactor::UNNEST { alias: Some(alias), with_offset: false, .. } = factor else { return Ok(None) };
        let mut query = crate::syntax::statement::view("SELECT x FROM UNNEST([]) AS x WHERE TRUE")?;
        if let ast::SetExpr::Select(select) = query.body.as_mut() {
            select.projection = vec![ast::SelectItem::UnnamedExpr(ast::Expr::Identifier(alias.name.clone()))];
            select.from = vec![ast::TableWithJoins { relation: factor.clone(), joins: Vec::new() }];
            select.selection = Some(on.clone());
        }
        let array = self.array_subquery(&self.env_of(left, nesting, Clause::From), &query, on)?;
        Ok(Some(ArrayFactor { array, alias: Some(plain_alias(alias)?), offset: None }))
    }

    pub(crate) fn unnest(&self, left: Scope, factor: ArrayFactor, keep_rows: bool) -> Result<Scope, QueryError> {
        if !keep_rows && !left.ranges.is_empty() && self.is_large_constant(&factor.array.expr) {
            return self.beside(left, self.unnest(nothing()?, factor, false)?);
        }
        let ArrayFactor { array, alias, offset } = factor;
        let element = match types::element(&array.field) {
            Some(element) => element.as_ref().clone().with_name("").with_nullable(true).into(),
            None => types::plain(DataType::Null),
        };
        let id = self.id(alias.as_deref().unwrap_or("element"));
        let list = match &offset {
            None => array.expr,
            Some(_) => Expr::ScalarFunction(ScalarFunction::new_udf(numbered(), vec![array.expr])),
        };
        let is_apart = !keep_rows && is_generated(&list);
        let (rows, beside) = match is_apart {
            true => (LogicalPlanBuilder::empty(true).build()?, Some(left.plan)),
            false => (left.plan, None),
        };
        let kept = rows.schema().columns().into_iter().map(|column| (Expr::Column(column.clone()), column.name));
        let exprs: Vec<_> = kept.chain([(list, id.clone())]).collect();
        let plan = self.project(rows, exprs)?;
        let null_handling = if keep_rows { NullHandling::PreserveAndExpandEmpty } else { NullHandling::Drop };
        let options = UnnestOptions { null_handling, recursions: Vec::new() };
        let plan = LogicalPlanBuilder::new(plan)
            .unnest_columns_with_options(vec![PlanColumn::new_unqualified(&id)], options)
            .and_then(LogicalPlanBuilder::build)?;
        let plan = match beside {
            Some(left) => LogicalPlanBuilder::new(left).cross_join(plan).and_then(LogicalPlanBuilder::build)?,
            None => plan,
        };

        let whole = Expr::Column(PlanColumn::new_unqualified(&id));
        let mut ranges = left.ranges;
        match offset {
            None => ranges.push(value_range(alias, Typed { expr: whole, field: element })?),
            Some(name) => {
                ranges.push(value_range(alias, Typed { expr: whole.clone().field(ITEM), field: element })?);
                let offset = Typed { expr: whole.field(OFFSET), field: types::plain(DataType::Int64) };
                ranges.push(RangeVariable { alias: None, element: None, columns: vec![Column::new(name, offset)] });
            }
        }
        Ok(Scope { plan, ranges, using: left.using })
    }

    /// An array that is too large to be written beside each row before it is taken apart.
    fn is_large_constant(&self, array: &Expr) -> bool {
        let is_constant = array.column_refs().is_empty() && !array.contains_outer() && !array.is_volatile();
        is_constant && self.evaluate(array).is_ok_and(|array| array.size() > LARGE)
    }

    fn beside(&self, left: Scope, right: Scope) -> Result<Scope, QueryError> {
        let plan = LogicalPlanBuilder::new(left.plan).cross_join(right.plan).and_then(LogicalPlanBuilder::build)?;
        let ranges = left.ranges.into_iter().chain(right.ranges).collect();
        Ok(Scope { plan, ranges, using: left.using })
    }
}

/// Whether it is an array that may be long, and the same for all rows: to have it in every row
/// before it is taken apart could need more memory than there is.
fn is_generated(list: &Expr) -> bool {
    let is_generator = |expr: &Expr| Ok(matches!(expr, Expr::ScalarFunction(call) if call.name().starts_with("generate_")));
    list.column_refs().is_empty() && !list.contains_outer() && list.exists(is_generator).unwrap_or(false)
}
