//! Resolves one SELECT: FROM, WHERE, GROUP BY, HAVING, window functions, QUALIFY, select list, DISTINCT and ORDER BY.
//!
//! First, all expressions are resolved against the rows of FROM. Then they are rewritten to the columns of the nodes
//! that compute groups and window functions. The last node is a projection.
//! Reference: <https://cloud.google.com/bigquery/docs/reference/standard-sql/query-syntax#select_list>.

use datafusion::common::Column as PlanColumn;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::logical_expr::utils::{find_aggregate_exprs, find_window_exprs};
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, SortExpr};
use datafusion::sql::sqlparser::ast::{self, Distinct, GroupByExpr, SelectItem, Spanned, ValueTableMode};

use super::Resolver;
use super::nesting::Nesting;
use super::order::{check_orderable, sort_expr};
use crate::QueryError;
use crate::error_location::{error_at, error_at_span, unsupported};
use crate::resolve::scope::{Clause, Env, OutputColumn, Relation, TypedExpr, is_same_name};
use crate::types;
use datafusion::arrow::datatypes::{DataType, FieldRef};

/// Maximum number of different window functions of a SELECT. Each can need a sort of its own.
const MAX_WINDOW_FUNCTIONS: usize = 250;

/// Maximum number of columns of a SELECT. DataFusion's time to plan them grows with the square of their number.
pub(super) const MAX_COLUMNS: usize = 3_000;

/// A column of the select list.
struct SelectColumn {
    name: Option<String>,
    value: TypedExpr,
}

/// A key of ORDER BY. `selected` is its index if it is a column of the select list.
struct SortKey<'s> {
    expr: Expr,
    field: FieldRef,
    selected: Option<usize>,
    options: &'s ast::OrderByOptions,
}

impl Resolver<'_> {
    pub(crate) fn resolve_select(
        &self,
        select: &ast::Select,
        order: &[ast::OrderByExpr],
        nesting: Nesting<'_>,
    ) -> Result<Relation, QueryError> {
        reject_foreign_clauses(select)?;
        let scope = self.resolve_from(&select.from, nesting)?;
        let base = Env { scope: &scope, clause: Clause::Select, aliases: &[], windows: &select.named_window, outer: nesting.outer };

        let items = self.resolve_select_items(&base, select)?;
        let aliases: Vec<(String, TypedExpr)> =
            items.iter().filter_map(|item| item.name.clone().map(|name| (name, item.value.clone()))).collect();
        let env_with_aliases = Env { aliases: &aliases, ..base };

        let mut plan = scope.plan.clone();
        if let Some(selection) = &select.selection {
            let condition = self.resolve_condition(&base.with_clause(Clause::Where), selection, "WHERE clause")?;
            plan = filter_plan(plan, condition)?;
        }
        let (keys, sets) = self.resolve_group_by(&base, select, &items)?;
        let mut having = select
            .having
            .as_ref()
            .map(|having| self.resolve_condition(&env_with_aliases.with_clause(Clause::Having), having, "HAVING clause"))
            .transpose()?;
        let mut qualify = select
            .qualify
            .as_ref()
            .map(|qualify| self.resolve_condition(&env_with_aliases.with_clause(Clause::Qualify), qualify, "QUALIFY clause"))
            .transpose()?;
        let mut order = self.resolve_order_by(&env_with_aliases.with_clause(Clause::OrderBy), order, &items)?;
        let mut exprs: Vec<Expr> = items.iter().map(|item| item.value.expr.clone()).collect();

        let all = || exprs.iter().chain(having.iter()).chain(qualify.iter()).chain(order.iter().map(|key| &key.expr));
        let has_aggregates = !find_aggregate_exprs(all()).is_empty();
        let is_grouped = has_aggregates || !keys.is_empty() || sets.is_some();
        if let Some(having) = select.having.as_ref().filter(|_| !is_grouped) {
            return Err(error_at("The HAVING clause requires GROUP BY or aggregation to be present", having));
        }
        if is_grouped {
            let used: Vec<&Expr> = all().collect();
            let is_whole = keys.is_empty() && sets.is_none();
            let groups = match nesting.rows {
                Some(rows) => self.build_groups_per_row(rows, plan, keys, is_whole, &used)?,
                None => self.build_groups(plan, keys, sets, &used)?,
            };
            for expr in exprs.iter_mut().chain(having.iter_mut()).chain(qualify.iter_mut()).chain(order.iter_mut().map(|key| &mut key.expr))
            {
                *expr = groups.rewrite(std::mem::take(expr))?;
            }
            plan = groups.plan;
            if let Some(having) = having {
                plan = filter_plan(plan, having)?;
            }
        }

        let used = || exprs.iter().chain(qualify.iter()).chain(order.iter().map(|key| &key.expr));
        let mut windows = find_window_exprs(used());
        if let Some(qualify) = select.qualify.as_ref().filter(|_| windows.is_empty()) {
            return Err(error_at("The QUALIFY clause requires analytic function to be present", qualify));
        }
        if let Some(rows) = nesting.rows {
            for expr in exprs.iter_mut().chain(qualify.iter_mut()).chain(order.iter_mut().map(|key| &mut key.expr)) {
                *expr = rows.partition_windows(std::mem::take(expr))?;
            }
            windows = find_window_exprs(exprs.iter().chain(qualify.iter()).chain(order.iter().map(|key| &key.expr)));
        }
        if windows.len() > MAX_WINDOW_FUNCTIONS {
            return Err(QueryError::too_complex(select.span().start));
        }
        if !windows.is_empty() {
            plan = LogicalPlanBuilder::window_plan(plan, windows.clone())?;
            for expr in exprs.iter_mut().chain(qualify.iter_mut()).chain(order.iter_mut().map(|key| &mut key.expr)) {
                *expr = replace_window_functions(std::mem::take(expr), &windows)?;
            }
        }
        if let Some(qualify) = qualify {
            plan = filter_plan(plan, qualify)?;
        }
        self.build_select_list(plan, select, items, exprs, order, nesting)
    }

    /// Builds the projection of the select list, DISTINCT, and the sort keys.
    fn build_select_list(
        &self,
        plan: LogicalPlan,
        select: &ast::Select,
        items: Vec<SelectColumn>,
        exprs: Vec<Expr>,
        order: Vec<SortKey<'_>>,
        nesting: Nesting<'_>,
    ) -> Result<Relation, QueryError> {
        let columns: Vec<OutputColumn> = items
            .into_iter()
            .map(|item| OutputColumn {
                id: self.new_id(item.name.as_deref().unwrap_or("column")),
                name: item.name,
                field: item.value.field,
            })
            .collect();
        let mut projected: Vec<(Expr, String)> = exprs.into_iter().zip(columns.iter().map(|column| column.id.clone())).collect();
        let is_distinct = matches!(select.distinct, Some(Distinct::Distinct))
            || matches!(select.value_table_mode, Some(ValueTableMode::DistinctAsStruct | ValueTableMode::DistinctAsValue));
        if is_distinct {
            for column in &columns {
                check_groupable(&column.field, "SELECT DISTINCT", select)?;
            }
        }
        let mut sorts: Vec<SortExpr> = Vec::new();
        let mut distinct_sort_keys: Vec<(Expr, String)> = Vec::new();
        for key in order {
            let same = key.selected.or_else(|| projected.iter().position(|(expr, _)| *expr == key.expr));
            let id = match same {
                Some(index) => projected[index].1.clone(),
                None if is_distinct => {
                    let id = self.new_id("order");
                    distinct_sort_keys.push((rewrite_to_selected(key.expr, &projected, select)?, id.clone()));
                    id
                }
                None => {
                    let id = self.new_id("order");
                    projected.push((key.expr, id.clone()));
                    id
                }
            };
            sorts.push(sort_expr(TypedExpr::column(&id, key.field), key.options));
        }
        if let Some(rows) = nesting.rows {
            projected.push((rows.row_number(), rows.row.clone()));
        }
        let mut plan = self.project(plan, projected)?;
        if is_distinct {
            plan = LogicalPlanBuilder::new(plan).distinct().and_then(LogicalPlanBuilder::build)?;
        }
        if !distinct_sort_keys.is_empty() {
            let kept = plan.schema().columns().into_iter().map(|column| (Expr::Column(column.clone()), column.name));
            let all: Vec<_> = kept.chain(distinct_sort_keys).collect();
            plan = self.project(plan, all)?;
        }
        let relation = Relation { plan, columns, order: sorts, is_value: false };
        match select.value_table_mode {
            None => Ok(relation),
            Some(ValueTableMode::AsStruct | ValueTableMode::DistinctAsStruct) => self.build_as_struct(relation, nesting),
            Some(ValueTableMode::AsValue | ValueTableMode::DistinctAsValue) => match relation.columns.len() {
                1 => Ok(Relation { is_value: true, ..relation }),
                _ => Err(error_at("SELECT AS VALUE query must have exactly one column", select)),
            },
        }
    }

    fn build_as_struct(&self, relation: Relation, nesting: Nesting<'_>) -> Result<Relation, QueryError> {
        let members = relation
            .columns
            .iter()
            .enumerate()
            .map(|(index, column)| (column.name.clone().unwrap_or_else(|| types::anonymous(index)), column.value()));
        let structure = self.build_struct(members.collect(), datafusion::sql::sqlparser::tokenizer::Span::empty())?;
        let column = OutputColumn { name: None, id: self.new_id("struct"), field: structure.field };
        let mut projected = vec![(structure.expr, column.id.clone())];
        for key in &relation.order {
            if let Expr::Column(key) = &key.expr
                && !projected.iter().any(|(_, id)| *id == key.name)
            {
                projected.push((Expr::Column(key.clone()), key.name.clone()));
            }
        }
        if let Some(rows) = nesting.rows {
            projected.push((rows.row_number(), rows.row.clone()));
        }
        let plan = self.project(relation.plan, projected)?;
        Ok(Relation { plan, columns: vec![column], order: relation.order, is_value: true })
    }

    fn resolve_select_items(&self, env: &Env<'_>, select: &ast::Select) -> Result<Vec<SelectColumn>, QueryError> {
        let mut items = Vec::new();
        for item in &select.projection {
            match item {
                SelectItem::UnnamedExpr(expr) => {
                    items.push(SelectColumn { name: implied_name(expr), value: self.resolve_expr(env, expr)? })
                }
                SelectItem::ExprWithAlias { expr, alias } => {
                    items.push(SelectColumn { name: Some(alias.value.clone()), value: self.resolve_expr(env, expr)? });
                }
                SelectItem::Wildcard(options) => {
                    items.extend(self.expand_star(env, options)?.into_iter().map(|(name, value)| SelectColumn { name, value }));
                }
                SelectItem::QualifiedWildcard(of, options) => {
                    items.extend(
                        self.expand_qualified_star(env, of, options)?.into_iter().map(|(name, value)| SelectColumn { name, value }),
                    );
                }
                SelectItem::ExprWithAliases { .. } => return Err(unsupported("several aliases of one expression", item)),
            }
            if items.len() > MAX_COLUMNS {
                return Err(QueryError::too_complex(item.span().start));
            }
        }
        Ok(items)
    }

    /// Resolves the grouping keys, or the grouping sets of ROLLUP, CUBE and GROUPING SETS.
    fn resolve_group_by(
        &self,
        env: &Env<'_>,
        select: &ast::Select,
        items: &[SelectColumn],
    ) -> Result<(Vec<Expr>, Option<Expr>), QueryError> {
        let GroupByExpr::Expressions(keys, modifiers) = &select.group_by else {
            let grouped = items.iter().filter(|item| find_aggregate_exprs([&item.value.expr]).is_empty());
            return Ok((grouped.map(|item| item.value.expr.clone()).collect(), None));
        };
        if !modifiers.is_empty() {
            return Err(unsupported("this form of GROUP BY", &select.group_by));
        }
        let env = env.with_clause(Clause::GroupBy);
        let key = |key: &ast::Expr| self.resolve_group_key(&env, key, items);
        if let Some(sets) = super::grouping::resolve_grouping_sets(keys, key)? {
            return Ok((Vec::new(), Some(sets)));
        }
        let mut unique: Vec<Expr> = Vec::new();
        for syntax in keys {
            let found = key(syntax)?;
            if !unique.contains(&found) {
                unique.push(found);
            }
        }
        Ok((unique, None))
    }

    fn resolve_group_key(&self, env: &Env<'_>, syntax: &ast::Expr, items: &[SelectColumn]) -> Result<Expr, QueryError> {
        let selected = match (resolve_ordinal(syntax, items.len(), "GROUP BY")?, syntax) {
            (Some(index), _) => Some(&items[index]),
            (None, ast::Expr::Identifier(name)) => {
                items.iter().find(|item| item.name.as_deref().is_some_and(|alias| is_same_name(alias, &name.value)))
            }
            _ => None,
        };
        let value = match selected {
            Some(item) => item.value.clone(),
            None => self.resolve_expr(env, syntax)?,
        };
        if !find_aggregate_exprs([&value.expr]).is_empty() {
            return Err(error_at("Aggregate functions are not allowed in GROUP BY", syntax));
        }
        if !find_window_exprs([&value.expr]).is_empty() {
            return Err(error_at("Analytic functions are not allowed in GROUP BY", syntax));
        }
        check_groupable(&value.field, "Grouping", syntax)?;
        Ok(value.expr)
    }

    fn resolve_order_by<'s>(
        &self,
        env: &Env<'_>,
        order: &'s [ast::OrderByExpr],
        items: &[SelectColumn],
    ) -> Result<Vec<SortKey<'s>>, QueryError> {
        order
            .iter()
            .map(|key| {
                if let Some(index) = resolve_ordinal(&key.expr, items.len(), "ORDER BY")? {
                    check_orderable(&items[index].value, &key.expr)?;
                    let TypedExpr { expr, field } = items[index].value.clone();
                    return Ok(SortKey { expr, field, selected: Some(index), options: &key.options });
                }
                let value = self.resolve_expr(env, &key.expr)?;
                check_orderable(&value, &key.expr)?;
                let selected = items.iter().position(|item| item.value.expr == value.expr);
                Ok(SortKey { expr: value.expr, field: value.field, selected, options: &key.options })
            })
            .collect()
    }
}

/// The name of a column without an alias: the name of the column or STRUCT member in the expression.
pub(crate) fn implied_name(expr: &ast::Expr) -> Option<String> {
    match expr {
        ast::Expr::Identifier(name) if !name.value.starts_with('@') => Some(name.value.clone()),
        ast::Expr::CompoundIdentifier(path) => path.last().map(|name| name.value.clone()),
        ast::Expr::CompoundFieldAccess { access_chain, .. } => match access_chain.last() {
            Some(ast::AccessExpr::Dot(ast::Expr::Identifier(name))) => Some(name.value.clone()),
            _ => None,
        },
        ast::Expr::Nested(inner) => implied_name(inner),
        _ => None,
    }
}

/// Resolves the ordinal of `GROUP BY 1` to an index of the select list.
fn resolve_ordinal(syntax: &ast::Expr, columns: usize, clause: &str) -> Result<Option<usize>, QueryError> {
    let ast::Expr::Value(ast::ValueWithSpan { value: ast::Value::Number(number, _), span }) = syntax else { return Ok(None) };
    match number.parse::<usize>() {
        Ok(number) if (1..=columns).contains(&number) => Ok(Some(number - 1)),
        Ok(number) => Err(error_at_span(format!("{clause} column number out of range: {number}"), *span)),
        Err(_) => Ok(None),
    }
}

fn check_groupable(field: &datafusion::arrow::datatypes::Field, what: &str, syntax: &impl Spanned) -> Result<(), QueryError> {
    if types::is_json(field) || matches!(field.data_type(), DataType::List(_)) {
        let message = match what {
            "Grouping" => format!("Grouping by expressions of type {} is not allowed", types::of(field)),
            other => format!("Column of type {} cannot be used in {other}", types::of(field)),
        };
        return Err(error_at(message, syntax));
    }
    Ok(())
}

fn filter_plan(plan: LogicalPlan, condition: Expr) -> Result<LogicalPlan, QueryError> {
    LogicalPlanBuilder::new(plan).filter(condition).and_then(LogicalPlanBuilder::build).map_err(QueryError::from)
}

/// Rewrites an expression of ORDER BY to columns of the select list. After DISTINCT, it cannot use other columns.
fn rewrite_to_selected(expr: Expr, selected: &[(Expr, String)], select: &ast::Select) -> Result<Expr, QueryError> {
    let mut is_hidden = false;
    let rewritten = expr.transform_down(|expr| {
        if let Some((_, id)) = selected.iter().find(|(known, _)| *known == expr) {
            let column = Expr::Column(PlanColumn::new_unqualified(id));
            return Ok(Transformed::new(column, true, TreeNodeRecursion::Jump));
        }
        is_hidden |= matches!(expr, Expr::Column(_));
        Ok(Transformed::no(expr))
    });
    match is_hidden {
        true => Err(error_at("ORDER BY clause expression references column which is not visible after SELECT DISTINCT", select)),
        false => Ok(rewritten?.data),
    }
}

/// Replaces the window functions of an expression by their columns.
fn replace_window_functions(expr: Expr, windows: &[Expr]) -> Result<Expr, QueryError> {
    let rewritten = expr.transform_down(|expr| {
        if !windows.contains(&expr) {
            return Ok(Transformed::no(expr));
        }
        let column = Expr::Column(PlanColumn::new_unqualified(expr.schema_name().to_string()));
        Ok(Transformed::new(column, true, TreeNodeRecursion::Jump))
    });
    Ok(rewritten?.data)
}

/// Rejects clauses of other SQL dialects that the parser accepts.
fn reject_foreign_clauses(select: &ast::Select) -> Result<(), QueryError> {
    let foreign = [
        ("TOP", select.top.is_some()),
        ("INTO", select.into.is_some()),
        ("EXCLUDE", select.exclude.is_some()),
        ("LATERAL VIEW", !select.lateral_views.is_empty()),
        ("PREWHERE", select.prewhere.is_some()),
        ("CONNECT BY", !select.connect_by.is_empty()),
        ("CLUSTER BY", !select.cluster_by.is_empty()),
        ("DISTRIBUTE BY", !select.distribute_by.is_empty()),
        ("SORT BY", !select.sort_by.is_empty()),
        ("DISTINCT ON", matches!(select.distinct, Some(Distinct::On(_)))),
    ];
    match foreign.iter().find(|(_, is_present)| *is_present) {
        Some((name, _)) => Err(error_at(format!("Syntax error: Unexpected {name}"), select)),
        None => Ok(()),
    }
}
