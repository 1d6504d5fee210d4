//! Resolves aggregate functions and builds the Aggregate node of a SELECT.
//!
//! `select` first resolves every expression against the rows of the FROM clause and keeps the aggregate functions in
//! it. Then one Aggregate node computes the grouping keys and aggregate functions, and [`Groups`] rewrites the
//! expressions to the columns of that node.
//! Reference: <https://cloud.google.com/bigquery/docs/reference/standard-sql/aggregate_functions>.

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
use super::call::{positional_argument, signature_error};
use crate::QueryError;
use crate::error_location::{error_at, plan_location_suffix, unsupported};
use crate::functions::Function;
use crate::resolve::scope::{Clause, Env, TypedExpr, name_from_id};
use crate::types;
use datafusion::sql::sqlparser::ast::Spanned;

/// The arguments and clauses of a call of an aggregate function.
pub(crate) struct CallArguments<'s> {
    pub exprs: Vec<&'s ast::Expr>,
    pub is_star: bool,
    pub distinct: bool,
    pub nulls: Option<NullTreatment>,
    pub order: &'s [ast::OrderByExpr],
    pub limit: Option<&'s ast::Expr>,
    pub having: Option<&'s ast::HavingBound>,
}

impl<'s> CallArguments<'s> {
    pub(crate) fn parse(call: &'s ast::Function) -> Result<CallArguments<'s>, QueryError> {
        let mut read = CallArguments {
            exprs: Vec::new(),
            is_star: false,
            distinct: false,
            nulls: call.null_treatment.map(null_treatment),
            order: &[],
            limit: None,
            having: None,
        };
        let FunctionArguments::List(list) = &call.args else { return Ok(read) };
        read.distinct = list.duplicate_treatment == Some(DuplicateTreatment::Distinct);
        for arg in &list.args {
            match arg {
                FunctionArg::Unnamed(FunctionArgExpr::Wildcard) => read.is_star = true,
                arg => read.exprs.push(positional_argument(arg, &call.name)?),
            }
        }
        for clause in &list.clauses {
            match clause {
                FunctionArgumentClause::IgnoreOrRespectNulls(nulls) => read.nulls = Some(null_treatment(*nulls)),
                FunctionArgumentClause::OrderBy(order) => read.order = order,
                FunctionArgumentClause::Limit(limit) => read.limit = Some(limit),
                FunctionArgumentClause::Having(bound) => read.having = Some(bound),
                _ => return Err(unsupported("this clause in the arguments of a function", &call.name)),
            }
        }
        Ok(read)
    }
}

fn null_treatment(nulls: ast::NullTreatment) -> NullTreatment {
    match nulls {
        ast::NullTreatment::IgnoreNulls => NullTreatment::IgnoreNulls,
        ast::NullTreatment::RespectNulls => NullTreatment::RespectNulls,
    }
}

impl Resolver<'_> {
    pub(crate) fn resolve_aggregate_call(
        &self,
        env: &Env<'_>,
        name: &str,
        udf: Arc<AggregateUDF>,
        call: &ast::Function,
        syntax: &ast::Expr,
    ) -> Result<TypedExpr, QueryError> {
        match env.clause {
            Clause::Aggregate => return Err(error_at("Aggregations of aggregations are not allowed", &call.name)),
            Clause::Where | Clause::Delete | Clause::GroupBy | Clause::Join | Clause::From | Clause::Constant => {
                let message = format!("Aggregate function {} not allowed in {}", name.to_uppercase(), env.clause.name());
                return Err(error_at(message, &call.name));
            }
            _ => {}
        }
        let arguments = CallArguments::parse(call)?;
        let inner = env.with_clause(Clause::Aggregate);
        let mut udf = udf;
        let mut name = name;
        let mut args = self.resolve_aggregate_args(&inner, &arguments)?;
        if let Some(ast::HavingBound(kind, by)) = arguments.having {
            let by_name = match kind {
                ast::HavingBoundKind::Max => "max_by",
                ast::HavingBoundKind::Min => "min_by",
            };
            udf = match (name, self.find_function(by_name)) {
                ("any_value", Some(Function::Aggregate(udf))) => udf,
                _ => return Err(unsupported(&format!("HAVING MAX and MIN in {}", name.to_uppercase()), &call.name)),
            };
            name = by_name;
            args.push(self.resolve_expr(&inner, by)?);
        }
        let order = self.resolve_sort_keys(&inner, arguments.order)?;
        let limit = arguments.limit.map(|limit| self.evaluate_count(limit, "LIMIT")).transpose()?;
        if arguments.distinct && matches!(name, "array_agg" | "string_agg") {
            return self.build_distinct_aggregate(env, name, args, &arguments, &order, limit, call, syntax);
        }
        match (name, limit) {
            ("array_concat_agg", Some(limit)) => self.concat_limited_arrays(env, args, order, limit, syntax),
            ("string_agg", Some(limit)) => self.concat_limited_strings(env, args, order, limit, syntax),
            (_, None) => self.build_aggregate(env, name, udf, args, &arguments, order, call),
            ("array_agg", Some(limit)) => {
                let all = self.build_aggregate(env, name, udf, args, &arguments, order, call)?;
                self.take_first_elements(env, all, limit, syntax)
            }
            _ => Err(error_at(format!("Aggregate function {} does not support LIMIT in arguments", name.to_uppercase()), &call.name)),
        }
    }

    fn resolve_aggregate_args(&self, env: &Env<'_>, arguments: &CallArguments<'_>) -> Result<Vec<TypedExpr>, QueryError> {
        if arguments.is_star {
            return Ok(vec![super::literal::int64(1)]);
        }
        arguments.exprs.iter().map(|arg| self.resolve_expr(env, arg).map(|arg| self.replace_null_type(arg))).collect()
    }

    #[expect(clippy::too_many_arguments, reason = "each is one part of the call's syntax")]
    fn build_aggregate(
        &self,
        env: &Env<'_>,
        name: &str,
        udf: Arc<AggregateUDF>,
        args: Vec<TypedExpr>,
        arguments: &CallArguments<'_>,
        order: Vec<datafusion::logical_expr::SortExpr>,
        call: &ast::Function,
    ) -> Result<TypedExpr, QueryError> {
        let field = argument_type(name, &args);
        let names: Vec<String> = args.iter().map(|arg| types::of(&arg.field)).collect();
        let args = args.into_iter().map(|arg| arg.expr).collect();
        let function = AggregateFunction::new_udf(udf, args, arguments.distinct, None, order, arguments.nulls);
        let span = call.name.span();
        let typed = self
            .infer_type(Expr::AggregateFunction(function), env.scope.plan.schema(), span)
            .map_err(|error| signature_error(error, name, &names, span))?;
        Ok(TypedExpr { field: field.unwrap_or(typed.field), expr: typed.expr })
    }

    /// `ARRAY_AGG(DISTINCT x ORDER BY x)` and `STRING_AGG(DISTINCT x ORDER BY x)`.
    ///
    /// It collects all values into an array, removes duplicates and sorts the array. DataFusion's DISTINCT has no order,
    /// and its ORDER BY applies one order to all aggregate functions.
    #[expect(clippy::too_many_arguments, reason = "each is one part of the call's syntax")]
    fn build_distinct_aggregate(
        &self,
        env: &Env<'_>,
        name: &str,
        mut args: Vec<TypedExpr>,
        arguments: &CallArguments<'_>,
        order: &[datafusion::logical_expr::SortExpr],
        limit: Option<usize>,
        call: &ast::Function,
        syntax: &ast::Expr,
    ) -> Result<TypedExpr, QueryError> {
        if let Some(key) = arguments.order.iter().find(|key| !arguments.exprs.contains(&&key.expr)) {
            let message = "An aggregate function that has both DISTINCT and ORDER BY arguments can only ORDER BY expressions that are \
                           arguments to the function";
            return Err(error_at(message, &key.expr));
        }
        let Some(Function::Aggregate(array_agg)) = self.find_function("array_agg") else {
            return Err(unsupported("ARRAY_AGG", syntax));
        };
        let is_text = name == "string_agg";
        let delimiter = if args.len() > 1 { args.remove(1).expr } else { lit(",") };
        let nulls = if is_text { Some(NullTreatment::IgnoreNulls) } else { arguments.nulls };
        let all = CallArguments { nulls, distinct: false, order: &[], exprs: arguments.exprs.clone(), ..*arguments };
        let all = self.build_aggregate(env, "array_agg", array_agg, args, &all, Vec::new(), call)?;
        let mut different = array_distinct_udf().call(vec![all.expr]);
        // Every key is the same expression.
        if let Some(by) = order.first() {
            let direction = lit(if by.asc { "ASC" } else { "DESC" });
            let nulls = lit(if by.nulls_first { "NULLS FIRST" } else { "NULLS LAST" });
            different = array_sort_udf().call(vec![different, direction, nulls]);
        }
        let mut different = TypedExpr { expr: different, field: all.field };
        if let Some(limit) = limit {
            different = self.take_first_elements(env, different, limit, syntax)?;
        }
        match is_text {
            true => self.call_internal(env, "array_to_string", vec![different.expr, delimiter], syntax),
            false => Ok(different),
        }
    }

    /// `ARRAY_AGG(… LIMIT n)`.
    fn take_first_elements(&self, env: &Env<'_>, all: TypedExpr, limit: usize, syntax: &ast::Expr) -> Result<TypedExpr, QueryError> {
        let field = all.field;
        let first = self.call_internal(env, "$array_first", vec![all.expr, lit(i64::try_from(limit).unwrap_or(i64::MAX))], syntax)?;
        Ok(TypedExpr { field, ..first })
    }

    /// `ARRAY_CONCAT_AGG(… LIMIT n)`: concatenates the first n arrays.
    fn concat_limited_arrays(
        &self,
        env: &Env<'_>,
        args: Vec<TypedExpr>,
        order: Vec<datafusion::logical_expr::SortExpr>,
        limit: usize,
        syntax: &ast::Expr,
    ) -> Result<TypedExpr, QueryError> {
        let (Some(Function::Aggregate(array_agg)), [array]) = (self.find_function("array_agg"), args.as_slice()) else {
            return Err(unsupported("ARRAY_CONCAT_AGG with LIMIT", syntax));
        };
        let nulls = Some(NullTreatment::IgnoreNulls);
        let all = AggregateFunction::new_udf(array_agg, vec![array.expr.clone()], false, None, order, nulls);
        let all = self.infer_type(Expr::AggregateFunction(all), env.scope.plan.schema(), syntax.span())?;
        let first = self.take_first_elements(env, all, limit, syntax)?;
        let joined = self.call_internal(env, "$array_flatten", vec![first.expr], syntax)?;
        Ok(TypedExpr { field: array.field.clone(), ..joined })
    }

    /// `STRING_AGG(… LIMIT n)`: concatenates the first n elements of an array.
    fn concat_limited_strings(
        &self,
        env: &Env<'_>,
        mut args: Vec<TypedExpr>,
        order: Vec<datafusion::logical_expr::SortExpr>,
        limit: usize,
        syntax: &ast::Expr,
    ) -> Result<TypedExpr, QueryError> {
        let Some(Function::Aggregate(array_agg)) = self.find_function("array_agg") else {
            return Err(unsupported("STRING_AGG with LIMIT", syntax));
        };
        let delimiter = if args.len() > 1 { args.remove(1).expr } else { lit(",") };
        let values = args.into_iter().map(|arg| arg.expr).collect();
        let nulls = Some(NullTreatment::IgnoreNulls);
        let all = AggregateFunction::new_udf(array_agg, values, false, None, order, nulls);
        let all = self.infer_type(Expr::AggregateFunction(all), env.scope.plan.schema(), syntax.span())?;
        let first = self.take_first_elements(env, all, limit, syntax)?;
        self.call_internal(env, "array_to_string", vec![first.expr, delimiter], syntax)
    }
}

/// The type of functions that return one of their arguments. DataFusion loses the mark of JSON.
fn argument_type(name: &str, args: &[TypedExpr]) -> Option<datafusion::arrow::datatypes::FieldRef> {
    let first = args.first()?;
    match name {
        "any_value" | "max_by" | "min_by" => Some(first.field.clone()),
        "array_agg" => Some(types::array_of(&first.field)),
        _ => None,
    }
}

/// The Aggregate node of a SELECT.
pub(crate) struct Groups {
    pub plan: LogicalPlan,
    /// The grouping keys and aggregate functions, and the ids of their columns in `plan`.
    pub known: Vec<(Expr, String)>,
}

impl Resolver<'_> {
    /// Builds the Aggregate node for the keys and all aggregate functions in `exprs`.
    ///
    /// `keys` are the grouping keys. `sets` are grouping sets, such as ROLLUP.
    pub(crate) fn build_groups(
        &self,
        input: LogicalPlan,
        keys: Vec<Expr>,
        sets: Option<Expr>,
        exprs: &[&Expr],
    ) -> Result<Groups, QueryError> {
        let mut functions = datafusion::logical_expr::utils::find_aggregate_exprs(exprs.iter().copied());
        let marks = sets.as_ref().map_or(Ok(Vec::new()), grouping_markers)?;
        for (_, mark) in &marks {
            if !functions.contains(mark) {
                functions.push(mark.clone());
            }
        }
        let grouping = sets.map_or(keys.clone(), |sets| vec![sets]);
        let plan = LogicalPlanBuilder::new(input).aggregate(grouping, functions.clone()).and_then(LogicalPlanBuilder::build);
        let plan = plan?;

        let LogicalPlan::Aggregate(aggregate) = &plan else {
            return Err(QueryError::Invalid("The query has neither grouping keys nor aggregate functions".to_owned()));
        };
        // With grouping sets, DataFusion reorders the keys.
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
        let indexed = keys.into_iter().enumerate().chain(functions.iter().cloned().enumerate().map(|(index, expr)| (offset + index, expr)));
        for (index, expr) in indexed {
            let id = match &expr {
                Expr::Column(column) => column.name.clone(),
                _ => self.new_id("group"),
            };
            // A key that is not part of a grouping set is NULL, even if the key is a constant.
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

/// The keys of grouping sets, each with the GROUPING function that is 1 if the set does not contain the key.
fn grouping_markers(sets: &Expr) -> Result<Vec<(Expr, Expr)>, QueryError> {
    let keys = datafusion::logical_expr::utils::grouping_set_to_exprlist(std::slice::from_ref(sets))?;
    let mark = |key: &Expr| {
        let grouping = AggregateFunction::new_udf(grouping_udaf(), vec![key.clone()], false, None, Vec::new(), None);
        (key.clone(), Expr::AggregateFunction(grouping))
    };
    Ok(keys.into_iter().map(mark).collect())
}

impl Groups {
    /// Rewrites an expression to the columns of the Aggregate node.
    pub(crate) fn rewrite(&self, expr: Expr) -> Result<Expr, QueryError> {
        let rewritten = expr.transform_down(|expr| {
            if let Some((_, id)) = self.known.iter().find(|(known, _)| *known == expr) {
                let column = Expr::Column(PlanColumn::new_unqualified(id));
                return Ok(Transformed::new(column, true, TreeNodeRecursion::Jump));
            }
            match &expr {
                Expr::Column(column) => Err(DataFusionError::Plan(ungrouped_message(column))),
                _ => Ok(Transformed::no(expr)),
            }
        });
        Ok(rewritten?.data)
    }
}

fn ungrouped_message(column: &PlanColumn) -> String {
    let location = column.spans.first().map(|span| plan_location_suffix(span.start)).unwrap_or_default();
    format!("SELECT list expression references column {} which is neither grouped nor aggregated{location}", name_from_id(&column.name))
}

/// The value of an aggregate function for no rows, if it is not NULL.
pub(crate) fn value_for_no_rows(udf: &AggregateUDF, data_type: &DataType) -> Option<ScalarValue> {
    udf.default_value(data_type).ok().filter(|value| !value.is_null())
}
