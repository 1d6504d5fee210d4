//! Aggregate functions, and what becomes of the other expressions beside them.
//!
//! Every expression of a SELECT is first resolved in terms of the rows of its FROM clause, with the
//! aggregate functions in place. [`Groups`] then splits them: what is grouped by and what is
//! aggregated is computed by one Aggregate node, and the expressions are rewritten to its columns.

use std::sync::Arc;

use datafusion::arrow::datatypes::DataType;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{Column as PlanColumn, DataFusionError, ScalarValue};
use datafusion::functions_aggregate::grouping::grouping_udaf;
use datafusion::functions_nested::set_ops::array_distinct_udf;
use datafusion::functions_nested::sort::array_sort_udf;
use datafusion::logical_expr::expr::{AggregateFunction, NullTreatment};
use datafusion::logical_expr::{AggregateUDF, Expr, LogicalPlan, LogicalPlanBuilder, lit, when};
use datafusion::sql::sqlparser::ast::{self, DuplicateTreatment, FunctionArg, FunctionArgExpr, FunctionArgumentClause, FunctionArguments};

use super::Resolver;
use super::call::{plain_argument, signature};
use crate::QueryError;
use crate::error_location::{error_at, location, unsupported};
use crate::functions::Function;
use crate::resolve::scope::{Clause, Env, Typed, name_of};
use crate::types;
use datafusion::sql::sqlparser::ast::Spanned;

/// The arguments of an aggregate function as they are written.
pub(crate) struct Arguments<'s> {
    pub exprs: Vec<&'s ast::Expr>,
    pub is_star: bool,
    pub distinct: bool,
    pub nulls: Option<NullTreatment>,
    pub order: &'s [ast::OrderByExpr],
    pub limit: Option<&'s ast::Expr>,
    pub having: Option<&'s ast::HavingBound>,
}

impl<'s> Arguments<'s> {
    pub(crate) fn read(call: &'s ast::Function) -> Result<Arguments<'s>, QueryError> {
        let mut read = Arguments {
            exprs: Vec::new(),
            is_star: false,
            distinct: false,
            nulls: call.null_treatment.map(treatment),
            order: &[],
            limit: None,
            having: None,
        };
        let FunctionArguments::List(list) = &call.args else { return Ok(read) };
        read.distinct = list.duplicate_treatment == Some(DuplicateTreatment::Distinct);
        for arg in &list.args {
            match arg {
                FunctionArg::Unnamed(FunctionArgExpr::Wildcard) => read.is_star = true,
                arg => read.exprs.push(plain_argument(arg, &call.name)?),
            }
        }
        for clause in &list.clauses {
            match clause {
                FunctionArgumentClause::IgnoreOrRespectNulls(nulls) => read.nulls = Some(treatment(*nulls)),
                FunctionArgumentClause::OrderBy(order) => read.order = order,
                FunctionArgumentClause::Limit(limit) => read.limit = Some(limit),
                FunctionArgumentClause::Having(bound) => read.having = Some(bound),
                _ => return Err(unsupported("this clause in the arguments of a function", &call.name)),
            }
        }
        Ok(read)
    }
}

fn treatment(nulls: ast::NullTreatment) -> NullTreatment {
    match nulls {
        ast::NullTreatment::IgnoreNulls => NullTreatment::IgnoreNulls,
        ast::NullTreatment::RespectNulls => NullTreatment::RespectNulls,
    }
}

impl Resolver<'_> {
    pub(crate) fn aggregate_call(
        &self,
        env: &Env<'_>,
        name: &str,
        udf: Arc<AggregateUDF>,
        call: &ast::Function,
        syntax: &ast::Expr,
    ) -> Result<Typed, QueryError> {
        match env.clause {
            Clause::Aggregate => return Err(error_at("Aggregations of aggregations are not allowed", &call.name)),
            Clause::Where | Clause::Delete | Clause::GroupBy | Clause::Join | Clause::From | Clause::Constant => {
                let message = format!("Aggregate function {} not allowed in {}", name.to_uppercase(), env.clause.name());
                return Err(error_at(message, &call.name));
            }
            _ => {}
        }
        let arguments = Arguments::read(call)?;
        let inner = env.within(Clause::Aggregate);
        let mut udf = udf;
        let mut name = name;
        let mut args = self.aggregate_args(&inner, &arguments)?;
        if let Some(ast::HavingBound(kind, by)) = arguments.having {
            let by_name = match kind {
                ast::HavingBoundKind::Max => "max_by",
                ast::HavingBoundKind::Min => "min_by",
            };
            udf = match (name, self.function(by_name)) {
                ("any_value", Some(Function::Aggregate(udf))) => udf,
                _ => return Err(unsupported(&format!("HAVING MAX and MIN in {}", name.to_uppercase()), &call.name)),
            };
            name = by_name;
            args.push(self.expr(&inner, by)?);
        }
        let order = self.sort_keys(&inner, arguments.order)?;
        let limit = arguments.limit.map(|limit| self.count(limit, "LIMIT")).transpose()?;
        if arguments.distinct && matches!(name, "array_agg" | "string_agg") {
            return self.different(env, name, args, &arguments, &order, limit, call, syntax);
        }
        match (name, limit) {
            ("array_concat_agg", Some(limit)) => self.limited_arrays(env, args, order, limit, syntax),
            ("string_agg", Some(limit)) => self.limited_text(env, args, order, limit, syntax),
            (_, None) => self.aggregated(env, name, udf, args, &arguments, order, call),
            ("array_agg", Some(limit)) => {
                let all = self.aggregated(env, name, udf, args, &arguments, order, call)?;
                self.first(env, all, limit, syntax)
            }
            _ => Err(error_at(format!("Aggregate function {} does not support LIMIT in arguments", name.to_uppercase()), &call.name)),
        }
    }

    fn aggregate_args(&self, env: &Env<'_>, arguments: &Arguments<'_>) -> Result<Vec<Typed>, QueryError> {
        if arguments.is_star {
            return Ok(vec![super::literal::int64(1)]);
        }
        arguments.exprs.iter().map(|arg| self.expr(env, arg).map(|arg| self.without_null_type(arg))).collect()
    }

    #[expect(clippy::too_many_arguments, reason = "each is one part of the call's syntax")]
    fn aggregated(
        &self,
        env: &Env<'_>,
        name: &str,
        udf: Arc<AggregateUDF>,
        args: Vec<Typed>,
        arguments: &Arguments<'_>,
        order: Vec<datafusion::logical_expr::SortExpr>,
        call: &ast::Function,
    ) -> Result<Typed, QueryError> {
        let field = kept_type(name, &args);
        let names: Vec<String> = args.iter().map(|arg| types::of(&arg.field)).collect();
        let args = args.into_iter().map(|arg| arg.expr).collect();
        let function = AggregateFunction::new_udf(udf, args, arguments.distinct, None, order, arguments.nulls);
        let span = call.name.span();
        let typed = self
            .typed(Expr::AggregateFunction(function), env.scope.plan.schema(), span)
            .map_err(|error| signature(error, name, &names, span))?;
        Ok(Typed { field: field.unwrap_or(typed.field), expr: typed.expr })
    }

    /// `ARRAY_AGG(DISTINCT x ORDER BY x)`, and the same as text.
    ///
    /// The array is made of all values, and then cleared of the repeated ones and sorted: the
    /// engine's own DISTINCT gives them in no order, and its ORDER BY gives aggregates of different
    /// orders the order of one of them.
    #[expect(clippy::too_many_arguments, reason = "each is one part of the call's syntax")]
    fn different(
        &self,
        env: &Env<'_>,
        name: &str,
        mut args: Vec<Typed>,
        arguments: &Arguments<'_>,
        order: &[datafusion::logical_expr::SortExpr],
        limit: Option<usize>,
        call: &ast::Function,
        syntax: &ast::Expr,
    ) -> Result<Typed, QueryError> {
        if let Some(key) = arguments.order.iter().find(|key| !arguments.exprs.contains(&&key.expr)) {
            let message = "An aggregate function that has both DISTINCT and ORDER BY arguments can only ORDER BY expressions that are \
                           arguments to the function";
            return Err(error_at(message, &key.expr));
        }
        let Some(Function::Aggregate(array_agg)) = self.function("array_agg") else {
            return Err(unsupported("ARRAY_AGG", syntax));
        };
        let is_text = name == "string_agg";
        let delimiter = if args.len() > 1 { args.remove(1).expr } else { lit(",") };
        let nulls = if is_text { Some(NullTreatment::IgnoreNulls) } else { arguments.nulls };
        let all = Arguments { nulls, distinct: false, order: &[], exprs: arguments.exprs.clone(), ..*arguments };
        let all = self.aggregated(env, "array_agg", array_agg, args, &all, Vec::new(), call)?;
        let mut different = array_distinct_udf().call(vec![all.expr]);
        // Further keys would be of the same value.
        if let Some(by) = order.first() {
            let direction = lit(if by.asc { "ASC" } else { "DESC" });
            let nulls = lit(if by.nulls_first { "NULLS FIRST" } else { "NULLS LAST" });
            different = array_sort_udf().call(vec![different, direction, nulls]);
        }
        let mut different = Typed { expr: different, field: all.field };
        if let Some(limit) = limit {
            different = self.first(env, different, limit, syntax)?;
        }
        match is_text {
            true => self.internal(env, "array_to_string", vec![different.expr, delimiter], syntax),
            false => Ok(different),
        }
    }

    /// `ARRAY_AGG(… LIMIT n)`.
    fn first(&self, env: &Env<'_>, all: Typed, limit: usize, syntax: &ast::Expr) -> Result<Typed, QueryError> {
        let field = all.field;
        let first = self.internal(env, "$array_first", vec![all.expr, lit(i64::try_from(limit).unwrap_or(i64::MAX))], syntax)?;
        Ok(Typed { field, ..first })
    }

    /// `ARRAY_CONCAT_AGG(… LIMIT n)`: of so many arrays.
    fn limited_arrays(
        &self,
        env: &Env<'_>,
        args: Vec<Typed>,
        order: Vec<datafusion::logical_expr::SortExpr>,
        limit: usize,
        syntax: &ast::Expr,
    ) -> Result<Typed, QueryError> {
        let (Some(Function::Aggregate(array_agg)), [array]) = (self.function("array_agg"), args.as_slice()) else {
            return Err(unsupported("ARRAY_CONCAT_AGG with LIMIT", syntax));
        };
        let nulls = Some(NullTreatment::IgnoreNulls);
        let all = AggregateFunction::new_udf(array_agg, vec![array.expr.clone()], false, None, order, nulls);
        let all = self.typed(Expr::AggregateFunction(all), env.scope.plan.schema(), syntax.span())?;
        let first = self.first(env, all, limit, syntax)?;
        let joined = self.internal(env, "$array_flatten", vec![first.expr], syntax)?;
        Ok(Typed { field: array.field.clone(), ..joined })
    }

    /// `STRING_AGG(… LIMIT n)`: by way of an array.
    fn limited_text(
        &self,
        env: &Env<'_>,
        mut args: Vec<Typed>,
        order: Vec<datafusion::logical_expr::SortExpr>,
        limit: usize,
        syntax: &ast::Expr,
    ) -> Result<Typed, QueryError> {
        let Some(Function::Aggregate(array_agg)) = self.function("array_agg") else {
            return Err(unsupported("STRING_AGG with LIMIT", syntax));
        };
        let delimiter = if args.len() > 1 { args.remove(1).expr } else { lit(",") };
        let values = args.into_iter().map(|arg| arg.expr).collect();
        let nulls = Some(NullTreatment::IgnoreNulls);
        let all = AggregateFunction::new_udf(array_agg, values, false, None, order, nulls);
        let all = self.typed(Expr::AggregateFunction(all), env.scope.plan.schema(), syntax.span())?;
        let first = self.first(env, all, limit, syntax)?;
        self.internal(env, "array_to_string", vec![first.expr, delimiter], syntax)
    }
}

/// The type of functions that give one of the values they are given: JSON stays JSON.
fn kept_type(name: &str, args: &[Typed]) -> Option<datafusion::arrow::datatypes::FieldRef> {
    let first = args.first()?;
    match name {
        "any_value" | "max_by" | "min_by" => Some(first.field.clone()),
        "array_agg" => Some(types::array_of(&first.field)),
        _ => None,
    }
}

/// What a SELECT groups by and aggregates.
pub(crate) struct Groups {
    pub plan: LogicalPlan,
    /// Expressions of the FROM clause's rows, and the columns that have their values now.
    pub known: Vec<(Expr, String)>,
}

impl Resolver<'_> {
    /// The Aggregate node for these groups and all aggregate functions within `exprs`.
    ///
    /// `keys` are the expressions to group by, `sets` the same as ROLLUP and the like.
    pub(crate) fn groups(&self, input: LogicalPlan, keys: Vec<Expr>, sets: Option<Expr>, exprs: &[&Expr]) -> Result<Groups, QueryError> {
        let mut functions = datafusion::logical_expr::utils::find_aggregate_exprs(exprs.iter().copied());
        let marks = sets.as_ref().map_or(Ok(Vec::new()), marks)?;
        for (_, mark) in &marks {
            if !functions.contains(mark) {
                functions.push(mark.clone());
            }
        }
        let grouping = sets.map_or(keys.clone(), |sets| vec![sets]);
        let plan = LogicalPlanBuilder::new(input).aggregate(grouping, functions.clone()).and_then(LogicalPlanBuilder::build);
        let plan = plan?;

        let LogicalPlan::Aggregate(aggregate) = &plan else {
            return Err(QueryError::Invalid("The query groups by nothing".to_owned()));
        };
        // With grouping sets, the engine lists the keys in an order of its own.
        let keys: Vec<Expr> = match aggregate.group_expr_len() {
            _ if aggregate.group_expr.iter().any(|expr| matches!(expr, Expr::GroupingSet(_))) => {
                datafusion::logical_expr::utils::grouping_set_to_exprlist(&aggregate.group_expr)?.into_iter().cloned().collect()
            }
            _ => aggregate.group_expr.clone(),
        };
        let offset = plan.schema().fields().len() - functions.len();
        let mut known = Vec::new();
        let mut columns = Vec::new();
        let column = |index: usize| Expr::Column(PlanColumn::from(plan.schema().qualified_field(index)));
        let mark_of = |key: &Expr| {
            let (_, mark) = marks.iter().find(|(known, _)| known == key)?;
            functions.iter().position(|function| function == mark).map(|index| column(offset + index))
        };
        let places = keys.into_iter().enumerate().chain(functions.iter().cloned().enumerate().map(|(index, expr)| (offset + index, expr)));
        for (index, expr) in places {
            let id = match &expr {
                Expr::Column(column) => column.name.clone(),
                _ => self.id("group"),
            };
            // What is constant before the grouping is so no more where a set has NULL for it.
            let value = match mark_of(&expr) {
                Some(mark) => when(mark.eq(lit(0_i32)), column(index)).end()?,
                None => column(index),
            };
            columns.push((value, id.clone()));
            known.push((expr, id));
        }
        let plan = self.project(plan, columns)?;
        Ok(Groups { plan, known })
    }
}

/// The keys of grouping sets, each with the function that tells whether a set is without it.
fn marks(sets: &Expr) -> Result<Vec<(Expr, Expr)>, QueryError> {
    let keys = datafusion::logical_expr::utils::grouping_set_to_exprlist(std::slice::from_ref(sets))?;
    let mark = |key: &Expr| {
        let grouping = AggregateFunction::new_udf(grouping_udaf(), vec![key.clone()], false, None, Vec::new(), None);
        (key.clone(), Expr::AggregateFunction(grouping))
    };
    Ok(keys.into_iter().map(mark).collect())
}

impl Groups {
    /// The expression in terms of the groups.
    pub(crate) fn rewrite(&self, expr: Expr) -> Result<Expr, QueryError> {
        let rewritten = expr.transform_down(|expr| {
            if let Some((_, id)) = self.known.iter().find(|(known, _)| *known == expr) {
                let column = Expr::Column(PlanColumn::new_unqualified(id));
                return Ok(Transformed::new(column, true, TreeNodeRecursion::Jump));
            }
            match &expr {
                Expr::Column(column) => Err(DataFusionError::Plan(ungrouped(column))),
                _ => Ok(Transformed::no(expr)),
            }
        });
        Ok(rewritten?.data)
    }
}

fn ungrouped(column: &PlanColumn) -> String {
    let location = column.spans.first().map(|span| location(span.start)).unwrap_or_default();
    format!("SELECT list expression references column {} which is neither grouped nor aggregated{location}", name_of(&column.name))
}

/// What an aggregate function gives for no rows at all, if that is not NULL.
pub(crate) fn of_no_rows(udf: &AggregateUDF, data_type: &DataType) -> Option<ScalarValue> {
    udf.default_value(data_type).ok().filter(|value| !value.is_null())
}
