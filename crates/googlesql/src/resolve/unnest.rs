//! Resolves arrays in FROM: `UNNEST(arr) AS x WITH OFFSET AS o`, and the short form `t.arr`.
//!
//! The array may be a column of the FROM item before it, as in `FROM t, UNNEST(t.arr)`. Then each row is repeated for
//! each element. A LEFT JOIN keeps a row without elements, with a NULL element.
//! Reference: <https://cloud.google.com/bigquery/docs/reference/standard-sql/query-syntax#unnest_operator>.

use datafusion::arrow::datatypes::DataType;
use datafusion::common::Column as PlanColumn;
use datafusion::common::tree_node::TreeNode;
use datafusion::common::{NullHandling, UnnestOptions};
use datafusion::functions::core::expr_ext::FieldAccessor;
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::{Expr, LogicalPlanBuilder};
use datafusion::sql::sqlparser::ast::{self, TableFactor};

use super::Resolver;
use super::constant::empty_scope;
use super::from::{alias_name, build_value_range};
use super::nesting::Nesting;
use crate::QueryError;
use crate::error_location::{error_at, unsupported};
use crate::physical::with_offset::{ITEM, OFFSET, with_offset};
use crate::resolve::scope::{Clause, RangeVariable, Scope, ScopeColumn, TypedExpr, is_same_name};
use crate::types;

/// Maximum bytes of a constant array that is copied to each row. A larger one is joined, which does not keep the order
/// of rows without ORDER BY.
const MAX_COPIED_ARRAY_BYTES: usize = 64 * 1024;

/// An array of a FROM clause.
pub(crate) struct ArrayFactor {
    array: TypedExpr,
    alias: Option<String>,
    /// The name of the column that counts the elements from 0.
    offset: Option<String>,
}

impl Resolver<'_> {
    /// Resolves the FROM item if it is an array.
    pub(crate) fn resolve_array_item(
        &self,
        left: &Scope,
        factor: &TableFactor,
        nesting: Nesting<'_>,
    ) -> Result<Option<ArrayFactor>, QueryError> {
        let env = self.build_env(left, nesting, Clause::From);
        let (array, alias, offset) = match factor {
            TableFactor::UNNEST { array_exprs, alias, with_offset, with_offset_alias, with_ordinality: false } => {
                let [array] = array_exprs.as_slice() else {
                    return Err(unsupported("UNNEST of several arrays", factor));
                };
                let offset = with_offset.then(|| with_offset_alias.as_ref().map_or("offset".to_owned(), |alias| alias.value.clone()));
                let alias = alias.as_ref().map(alias_name).transpose()?.or_else(|| super::select::implied_name(array));
                (self.resolve_expr(&env, array)?, alias, offset)
            }
            TableFactor::Table { name, alias, args: None, .. } if name.0.len() > 1 => {
                let path: Vec<_> = name.0.iter().filter_map(|part| part.as_ident().cloned()).collect();
                let is_range = |name: &str| {
                    let known = |ranges: &[RangeVariable]| {
                        ranges.iter().any(|range| range.alias.as_deref().is_some_and(|alias| is_same_name(alias, name)))
                    };
                    known(&left.ranges) || nesting.outer.is_some_and(|outer| known(&outer.env.scope.ranges))
                };
                if path.len() != name.0.len() || !is_range(&path[0].value) {
                    return Ok(None);
                }
                let alias = alias.as_ref().map(alias_name).transpose()?.or_else(|| path.last().map(|name| name.value.clone()));
                (self.resolve_path(&env, &path)?, alias, None)
            }
            _ => return Ok(None),
        };
        let array = self.replace_null_type(array);
        if types::element(&array.field).is_none() {
            let message =
                format!("Values referenced in UNNEST must be arrays. UNNEST contains expression of type {}", types::of(&array.field));
            return Err(error_at(message, factor));
        }
        Ok(Some(ArrayFactor { array, alias, offset }))
    }

    /// `LEFT JOIN UNNEST(arr) AS x ON …`: an array of the elements for which the condition is true.
    pub(crate) fn filter_elements(
        &self,
        left: &Scope,
        factor: &TableFactor,
        on: &ast::Expr,
        nesting: Nesting<'_>,
    ) -> Result<Option<ArrayFactor>, QueryError> {
        let TableFactor::UNNEST { alias: Some(alias), with_offset: false, .. } = factor else { return Ok(None) };
        let mut query = crate::syntax::statement::parse_view("SELECT x FROM UNNEST([]) AS x WHERE TRUE")?;
        if let ast::SetExpr::Select(select) = query.body.as_mut() {
            select.projection = vec![ast::SelectItem::UnnamedExpr(ast::Expr::Identifier(alias.name.clone()))];
            select.from = vec![ast::TableWithJoins { relation: factor.clone(), joins: Vec::new() }];
            select.selection = Some(on.clone());
        }
        let array = self.resolve_array_subquery(&self.build_env(left, nesting, Clause::From), &query, on)?;
        Ok(Some(ArrayFactor { array, alias: Some(alias_name(alias)?), offset: None }))
    }

    pub(crate) fn build_unnest(&self, left: Scope, factor: ArrayFactor, keep_rows: bool) -> Result<Scope, QueryError> {
        if !keep_rows && !left.ranges.is_empty() && self.is_large_constant(&factor.array.expr) {
            return self.cross_join_scopes(left, self.build_unnest(empty_scope()?, factor, false)?);
        }
        let ArrayFactor { array, alias, offset } = factor;
        let element = match types::element(&array.field) {
            Some(element) => element.as_ref().clone().with_name("").with_nullable(true).into(),
            None => types::plain(DataType::Null),
        };
        let id = self.new_id(alias.as_deref().unwrap_or("element"));
        let list = match &offset {
            None => array.expr,
            Some(_) => Expr::ScalarFunction(ScalarFunction::new_udf(with_offset(), vec![array.expr])),
        };
        let is_separate = !keep_rows && is_generated(&list);
        let (rows, beside) = match is_separate {
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
            None => ranges.push(build_value_range(alias, TypedExpr { expr: whole, field: element })?),
            Some(name) => {
                ranges.push(build_value_range(alias, TypedExpr { expr: whole.clone().field(ITEM), field: element })?);
                let offset = TypedExpr { expr: whole.field(OFFSET), field: types::plain(DataType::Int64) };
                ranges.push(RangeVariable { alias: None, element: None, columns: vec![ScopeColumn::new(name, offset)] });
            }
        }
        Ok(Scope { plan, ranges, using: left.using })
    }

    /// Whether the array is constant and larger than [`MAX_COPIED_ARRAY_BYTES`].
    fn is_large_constant(&self, array: &Expr) -> bool {
        let is_constant = array.column_refs().is_empty() && !array.contains_outer() && !array.is_volatile();
        is_constant && self.evaluate(array).is_ok_and(|array| array.size() > MAX_COPIED_ARRAY_BYTES)
    }

    fn cross_join_scopes(&self, left: Scope, right: Scope) -> Result<Scope, QueryError> {
        let plan = LogicalPlanBuilder::new(left.plan).cross_join(right.plan).and_then(LogicalPlanBuilder::build)?;
        let ranges = left.ranges.into_iter().chain(right.ranges).collect();
        Ok(Scope { plan, ranges, using: left.using })
    }
}

/// Whether a function such as GENERATE_ARRAY generates the array, and the array is the same for all rows. A copy in each
/// row could exceed the memory limit.
fn is_generated(list: &Expr) -> bool {
    let is_generator = |expr: &Expr| Ok(matches!(expr, Expr::ScalarFunction(call) if call.name().starts_with("generate_")));
    list.column_refs().is_empty() && !list.contains_outer() && list.exists(is_generator).expect("the closure returns no error")
}
