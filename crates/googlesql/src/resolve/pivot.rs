//! PIVOT and UNPIVOT: each is a query over the table that it follows.
//!
//! `PIVOT(SUM(x) AS s FOR c IN ('a', 'b' AS bb))` selects `SUM(IF(c = 'a', x, NULL)) AS s_a`, …
//! grouped by all columns that are named nowhere in it; for the value NULL, `c IS NULL`.

use datafusion::common::ScalarValue;
use datafusion::logical_expr::{Expr, LogicalPlanBuilder, Operator};
use datafusion::sql::sqlparser::ast::{self, FunctionArg, FunctionArgExpr, FunctionArguments, PivotValueSource, TableFactor};

use super::Resolver;
use super::aggregate::Arguments;
use super::nesting::Nesting;
use super::query::combined_all;
use crate::QueryError;
use crate::error_location::{error_at, unsupported};
use crate::resolve::scope::{Clause, Column, Env, RangeVariable, Scope, Typed, same_name};

/// A value that becomes a column.
struct Value {
    typed: Typed,
    name: String,
}

impl Resolver<'_> {
    pub(crate) fn pivot(&self, factor: &TableFactor, nesting: Nesting<'_>) -> Result<Scope, QueryError> {
        let TableFactor::Pivot { table, aggregate_functions, value_column, value_source, default_on_null: None, alias } = factor else {
            return Err(unsupported("this form of PIVOT", factor));
        };
        let ([by], PivotValueSource::List(values)) = (value_column.as_slice(), value_source) else {
            return Err(unsupported("PIVOT by several columns or by a subquery", factor));
        };
        let input = self.relation(table, nesting)?;
        let env = self.env_of(&input, nesting, Clause::From);
        let key = self.expr(&env, by)?;
        let mut named = names_in(by);
        let mut columns = Vec::new();
        let mut exprs = Vec::new();
        let values = values.iter().map(|value| self.pivot_value(value)).collect::<Result<Vec<_>, _>>()?;
        for value in &values {
            for function in aggregate_functions {
                named.extend(names_in(&function.expr));
                let aggregated = self.aggregate_where(&env, &function.expr, &key, value)?;
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
        let kept: Vec<&Column> = input
            .ranges
            .iter()
            .flat_map(RangeVariable::visible)
            .filter(|column| !named.iter().any(|name| same_name(name, &column.name)))
            .collect();
        let keys = kept.iter().map(|column| column.value.expr.clone()).collect();
        let groups = self.groups(input.plan.clone(), keys, None, &exprs.iter().collect::<Vec<_>>())?;
        let kept = kept.into_iter().map(|column| (column.name.clone(), column.value.clone()));
        let mut projected = Vec::new();
        let mut output = Vec::new();
        for (name, value) in kept.chain(columns) {
            let id = self.id(&name);
            projected.push((groups.rewrite(value.expr)?, id.clone()));
            output.push(Column::new(name, Typed::column(&id, value.field)));
        }
        let plan = self.project(groups.plan, projected)?;
        let alias = alias.as_ref().map(super::from::plain_alias).transpose()?;
        Ok(Scope { plan, ranges: vec![RangeVariable { alias, element: None, columns: output }], using: Vec::new() })
    }

    fn pivot_value(&self, value: &ast::ExprWithAlias) -> Result<Value, QueryError> {
        let typed = self.constant(&value.expr)?;
        let name = match (&value.alias, self.evaluate(&typed.expr)?) {
            (Some(alias), _) => alias.value.clone(),
            (None, value) => value_name(&value),
        };
        Ok(Value { typed, name })
    }

    /// The aggregate function over the rows where the key has this value.
    fn aggregate_where(&self, env: &Env<'_>, syntax: &ast::Expr, key: &Typed, value: &Value) -> Result<Typed, QueryError> {
        let ast::Expr::Function(call) = syntax else {
            return Err(error_at("PIVOT expression must be an aggregate function call", syntax));
        };
        let is_star = Arguments::read(call)?.is_star;
        let mut call = call.clone();
        if is_star && let FunctionArguments::List(list) = &mut call.args {
            let one = ast::Expr::Value(ast::Value::Number("1".to_owned(), false).into());
            list.args = vec![FunctionArg::Unnamed(FunctionArgExpr::Expr(one))];
        }
        let select = env.within(Clause::Select);
        let aggregated = self.expr(&select, &ast::Expr::Function(call))?;
        let condition = match super::supertype::is_null(&value.typed) {
            true => key.expr.clone().is_null(),
            false => self.compare(key.clone(), Operator::Eq, value.typed.clone(), syntax)?.expr,
        };
        let Expr::AggregateFunction(mut function) = aggregated.expr else {
            return Err(error_at("PIVOT expression must be an aggregate function call", syntax));
        };
        function.params.filter = Some(Box::new(condition));
        Ok(Typed { expr: Expr::AggregateFunction(function), field: aggregated.field })
    }

    pub(crate) fn unpivot(&self, factor: &TableFactor, nesting: Nesting<'_>) -> Result<Scope, QueryError> {
        let TableFactor::Unpivot { table, value, name, columns, null_inclusion, alias } = factor else {
            return Err(unsupported("this form of UNPIVOT", factor));
        };
        let ast::Expr::Identifier(value_name) = value else {
            return Err(unsupported("UNPIVOT into several columns", factor));
        };
        let keep_nulls = matches!(null_inclusion, Some(ast::NullInclusion::IncludeNulls));
        let input = self.relation(table, nesting)?;
        let env = self.env_of(&input, nesting, Clause::From);
        let mut values = Vec::new();
        let mut labels = Vec::new();
        for column in columns {
            values.push(self.expr(&env, &column.expr)?);
            labels.push(match &column.alias {
                Some(alias) => alias.value.clone(),
                None => super::select::implied_name(&column.expr).unwrap_or_default(),
            });
        }
        let folded: Vec<String> = columns.iter().filter_map(|column| super::select::implied_name(&column.expr)).collect();
        let syntax = &columns[0].expr;
        let (values, field) = self.one_type("UNPIVOT", values, syntax)?;
        let kept: Vec<&Column> = input
            .ranges
            .iter()
            .flat_map(RangeVariable::visible)
            .filter(|column| !folded.iter().any(|name| same_name(name, &column.name)))
            .collect();
        let ids: Vec<String> = kept.iter().map(|column| self.id(&column.name)).collect();
        let (value_id, label_id) = (self.id(&value_name.value), self.id(&name.value));
        let mut plans = Vec::new();
        for (value, label) in values.into_iter().zip(&labels) {
            let mut exprs: Vec<(Expr, String)> =
                kept.iter().zip(&ids).map(|(column, id)| (column.value.expr.clone(), id.clone())).collect();
            exprs.push((value.expr, value_id.clone()));
            exprs.push((super::literal::text_literal(label).expr, label_id.clone()));
            plans.push(self.project(input.plan.clone(), exprs)?);
        }
        let value = Typed::column(&value_id, field);
        let mut plan = combined_all(plans)?;
        if !keep_nulls {
            let is_there = value.expr.clone().is_not_null();
            plan = LogicalPlanBuilder::new(plan).filter(is_there).and_then(LogicalPlanBuilder::build)?;
        }
        let label = Typed::column(&label_id, super::literal::text_literal("").field);
        let mut output: Vec<Column> = kept
            .iter()
            .zip(&ids)
            .map(|(column, id)| Column::new(column.name.clone(), Typed::column(id, column.value.field.clone())))
            .collect();
        output.push(Column::new(value_name.value.clone(), value));
        output.push(Column::new(name.value.clone(), label));
        let alias = alias.as_ref().map(super::from::plain_alias).transpose()?;
        Ok(Scope { plan, ranges: vec![RangeVariable { alias, element: None, columns: output }], using: Vec::new() })
    }
}

/// The names of columns that the expression mentions.
fn names_in(expr: &ast::Expr) -> Vec<String> {
    match expr {
        ast::Expr::Identifier(name) => vec![name.value.clone()],
        ast::Expr::CompoundIdentifier(path) => path.iter().map(|name| name.value.clone()).collect(),
        ast::Expr::Nested(inner) | ast::Expr::UnaryOp { expr: inner, .. } | ast::Expr::Cast { expr: inner, .. } => names_in(inner),
        ast::Expr::BinaryOp { left, right, .. } => [names_in(left), names_in(right)].concat(),
        ast::Expr::Function(call) => match &call.args {
            FunctionArguments::List(list) => list
                .args
                .iter()
                .flat_map(|arg| match arg {
                    FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => names_in(expr),
                    _ => Vec::new(),
                })
                .collect(),
            _ => Vec::new(),
        },
        _ => Vec::new(),
    }
}

/// What a column is called that stands for a value: `_2026`, `a_b`, `NULL`.
fn value_name(value: &ScalarValue) -> String {
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
