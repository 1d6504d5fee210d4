//! Resolves PIVOT and UNPIVOT.
//!
//! `PIVOT(SUM(x) AS s FOR c IN ('a', 'b' AS bb))` becomes `SUM(IF(c = 'a', x, NULL)) AS s_a` and so on, grouped by all
//! columns that PIVOT does not mention. The condition for the value NULL is `c IS NULL`.
//! Reference: <https://cloud.google.com/bigquery/docs/reference/standard-sql/query-syntax#pivot_operator>.

use datafusion::common::ScalarValue;
use datafusion::logical_expr::{Expr, LogicalPlanBuilder, Operator};
use datafusion::sql::sqlparser::ast::{self, FunctionArg, FunctionArgExpr, FunctionArguments, PivotValueSource, Spanned, TableFactor};

use super::Resolver;
use super::aggregate::CallArguments;
use super::nesting::Nesting;
use super::query::union_all_plans;
use super::select::MAX_COLUMNS;
use crate::QueryError;
use crate::error_location::{error_at, unsupported};
use crate::resolve::scope::{Clause, Env, RangeVariable, Scope, ScopeColumn, TypedExpr, is_same_name};

/// A value that becomes a column.
struct PivotValue {
    typed: TypedExpr,
    name: String,
}

impl Resolver<'_> {
    pub(crate) fn resolve_pivot(&self, factor: &TableFactor, nesting: Nesting<'_>) -> Result<Scope, QueryError> {
        let TableFactor::Pivot { table, aggregate_functions, value_column, value_source, default_on_null: None, alias } = factor else {
            return Err(unsupported("this form of PIVOT", factor));
        };
        let ([by], PivotValueSource::List(values)) = (value_column.as_slice(), value_source) else {
            return Err(unsupported("PIVOT by several columns or by a subquery", factor));
        };
        if values.len().saturating_mul(aggregate_functions.len()) > MAX_COLUMNS {
            return Err(QueryError::too_complex(by.span().start));
        }
        let input = self.resolve_from_item(table, nesting)?;
        let env = self.build_env(&input, nesting, Clause::From);
        let key = self.resolve_expr(&env, by)?;
        let mut named = column_names_in(by);
        let mut columns = Vec::new();
        let mut exprs = Vec::new();
        let values = values.iter().map(|value| self.resolve_pivot_value(value)).collect::<Result<Vec<_>, _>>()?;
        for value in &values {
            for function in aggregate_functions {
                named.extend(column_names_in(&function.expr));
                let aggregated = self.build_filtered_aggregate(&env, &function.expr, &key, value)?;
                let name = match &function.alias {
                    Some(alias) => format!("{}_{}", alias.value, value.name),
                    None if aggregate_functions.len() > 1 => {
                        return Err(error_at("Syntax error: several aggregates of a PIVOT need aliases", &function.expr));
                    }
                    None => value.name.clone(),
                };
                exprs.push(aggregated.expr.clone());
                columns.push((name, aggregated));
            }
        }
        let kept: Vec<&ScopeColumn> = input
            .ranges
            .iter()
            .flat_map(RangeVariable::visible)
            .filter(|column| !named.iter().any(|name| is_same_name(name, &column.name)))
            .collect();
        let keys = kept.iter().map(|column| column.value.expr.clone()).collect();
        let groups = self.build_groups(input.plan.clone(), keys, None, &exprs.iter().collect::<Vec<_>>())?;
        let kept = kept.into_iter().map(|column| (column.name.clone(), column.value.clone()));
        let mut projected = Vec::new();
        let mut output = Vec::new();
        for (name, value) in kept.chain(columns) {
            let id = self.new_id(&name);
            projected.push((groups.rewrite(value.expr)?, id.clone()));
            output.push(ScopeColumn::new(name, TypedExpr::column(&id, value.field)));
        }
        let plan = self.project(groups.plan, projected)?;
        let alias = alias.as_ref().map(super::from::alias_name).transpose()?;
        Ok(Scope { plan, ranges: vec![RangeVariable { alias, element: None, columns: output }], using: Vec::new() })
    }

    fn resolve_pivot_value(&self, value: &ast::ExprWithAlias) -> Result<PivotValue, QueryError> {
        let typed = self.resolve_constant(&value.expr)?;
        let name = match (&value.alias, self.evaluate(&typed.expr)?) {
            (Some(alias), _) => alias.value.clone(),
            (None, value) => value_column_name(&value),
        };
        Ok(PivotValue { typed, name })
    }

    /// Builds the aggregate function over the rows with this value of the key.
    fn build_filtered_aggregate(
        &self,
        env: &Env<'_>,
        syntax: &ast::Expr,
        key: &TypedExpr,
        value: &PivotValue,
    ) -> Result<TypedExpr, QueryError> {
        let ast::Expr::Function(call) = syntax else {
            return Err(error_at("PIVOT expression must be an aggregate function call", syntax));
        };
        let is_star = CallArguments::parse(call)?.is_star;
        let mut call = call.clone();
        if is_star && let FunctionArguments::List(list) = &mut call.args {
            let one = ast::Expr::Value(ast::Value::Number("1".to_owned(), false).into());
            list.args = vec![FunctionArg::Unnamed(FunctionArgExpr::Expr(one))];
        }
        let select = env.with_clause(Clause::Select);
        let aggregated = self.resolve_expr(&select, &ast::Expr::Function(call))?;
        let condition = match super::supertype::is_null(&value.typed) {
            true => key.expr.clone().is_null(),
            false => self.compare(key.clone(), Operator::Eq, value.typed.clone(), syntax)?.expr,
        };
        let Expr::AggregateFunction(mut function) = aggregated.expr else {
            return Err(error_at("PIVOT expression must be an aggregate function call", syntax));
        };
        function.params.filter = Some(Box::new(condition));
        Ok(TypedExpr { expr: Expr::AggregateFunction(function), field: aggregated.field })
    }

    pub(crate) fn resolve_unpivot(&self, factor: &TableFactor, nesting: Nesting<'_>) -> Result<Scope, QueryError> {
        let TableFactor::Unpivot { table, value, name, columns, null_inclusion, alias } = factor else {
            return Err(unsupported("this form of UNPIVOT", factor));
        };
        let ast::Expr::Identifier(value_name) = value else {
            return Err(unsupported("UNPIVOT into several columns", factor));
        };
        let keep_nulls = matches!(null_inclusion, Some(ast::NullInclusion::IncludeNulls));
        let input = self.resolve_from_item(table, nesting)?;
        let env = self.build_env(&input, nesting, Clause::From);
        let mut values = Vec::new();
        let mut labels = Vec::new();
        for column in columns {
            values.push(self.resolve_expr(&env, &column.expr)?);
            labels.push(match &column.alias {
                Some(alias) => alias.value.clone(),
                None => super::select::implied_name(&column.expr)
                    .ok_or_else(|| error_at("Syntax error: UNPIVOT requires columns or aliases", &column.expr))?,
            });
        }
        let folded: Vec<String> = columns.iter().filter_map(|column| super::select::implied_name(&column.expr)).collect();
        let syntax = &columns[0].expr;
        let (values, field) = self.coerce_to_supertype("UNPIVOT", values, syntax)?;
        let kept: Vec<&ScopeColumn> = input
            .ranges
            .iter()
            .flat_map(RangeVariable::visible)
            .filter(|column| !folded.iter().any(|name| is_same_name(name, &column.name)))
            .collect();
        let ids: Vec<String> = kept.iter().map(|column| self.new_id(&column.name)).collect();
        let (value_id, label_id) = (self.new_id(&value_name.value), self.new_id(&name.value));
        let mut plans = Vec::new();
        for (value, label) in values.into_iter().zip(&labels) {
            let mut exprs: Vec<(Expr, String)> =
                kept.iter().zip(&ids).map(|(column, id)| (column.value.expr.clone(), id.clone())).collect();
            exprs.push((value.expr, value_id.clone()));
            exprs.push((super::literal::text_literal(label).expr, label_id.clone()));
            plans.push(self.project(input.plan.clone(), exprs)?);
        }
        let value = TypedExpr::column(&value_id, field);
        let mut plan = union_all_plans(plans)?;
        if !keep_nulls {
            let is_not_null = value.expr.clone().is_not_null();
            plan = LogicalPlanBuilder::new(plan).filter(is_not_null).and_then(LogicalPlanBuilder::build)?;
        }
        let label = TypedExpr::column(&label_id, super::literal::text_literal("").field);
        let mut output: Vec<ScopeColumn> = kept
            .iter()
            .zip(&ids)
            .map(|(column, id)| ScopeColumn::new(column.name.clone(), TypedExpr::column(id, column.value.field.clone())))
            .collect();
        output.push(ScopeColumn::new(value_name.value.clone(), value));
        output.push(ScopeColumn::new(name.value.clone(), label));
        let alias = alias.as_ref().map(super::from::alias_name).transpose()?;
        Ok(Scope { plan, ranges: vec![RangeVariable { alias, element: None, columns: output }], using: Vec::new() })
    }
}

/// The names of the columns in an expression.
fn column_names_in(expr: &ast::Expr) -> Vec<String> {
    match expr {
        ast::Expr::Identifier(name) => vec![name.value.clone()],
        ast::Expr::CompoundIdentifier(path) => path.iter().map(|name| name.value.clone()).collect(),
        ast::Expr::Nested(inner) | ast::Expr::UnaryOp { expr: inner, .. } | ast::Expr::Cast { expr: inner, .. } => column_names_in(inner),
        ast::Expr::BinaryOp { left, right, .. } => [column_names_in(left), column_names_in(right)].concat(),
        ast::Expr::Function(call) => match &call.args {
            FunctionArguments::List(list) => list
                .args
                .iter()
                .flat_map(|arg| match arg {
                    FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => column_names_in(expr),
                    _ => Vec::new(),
                })
                .collect(),
            _ => Vec::new(),
        },
        _ => Vec::new(),
    }
}

/// The name of the column for a value: `_2026`, `a_b`, `NULL`.
fn value_column_name(value: &ScalarValue) -> String {
    if value.is_null() {
        return "NULL".to_owned();
    }
    let text = match value {
        ScalarValue::Utf8(Some(text)) => text.clone(),
        ScalarValue::Int64(Some(number)) => number.to_string().replace('-', "minus_"),
        ScalarValue::Float64(Some(number)) => number.to_string().replace('-', "minus_").replace('.', "_point_"),
        other => other.to_string().replace(['-', ':', ' '], "_"),
    };
    match text.starts_with(|c: char| c.is_ascii_digit()) {
        true => format!("_{text}"),
        false => text,
    }
}
