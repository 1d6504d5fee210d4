//! Resolves window functions, `F(…) OVER (PARTITION BY … ORDER BY … ROWS …)`, and named windows.
//!
//! Reference: <https://cloud.google.com/bigquery/docs/reference/standard-sql/window-function-calls>.

use datafusion::arrow::datatypes::{DataType, Field};
use datafusion::common::ScalarValue;
use datafusion::logical_expr::expr::{NullTreatment, WindowFunction, WindowFunctionParams};
use datafusion::logical_expr::{Expr, ExprSchemable, SortExpr, WindowFrame, WindowFrameBound, WindowFrameUnits, WindowFunctionDefinition};
use datafusion::sql::sqlparser::ast::{self, NamedWindowExpr, Spanned, WindowType};

use super::Resolver;
use super::aggregate::CallArguments;
use super::call::signature_error;
use crate::QueryError;
use crate::error::innermost_message;
use crate::error_location::{error_at, error_at_span, unsupported};
use crate::functions::{Function, limited_function, limited_window};
use crate::resolve::scope::{Clause, Env, TypedExpr, is_same_name};
use crate::types;

/// The clauses of a window: its own, and those of the named window that it extends.
#[derive(Default)]
struct WindowParts<'s> {
    partition_by: &'s [ast::Expr],
    order_by: &'s [ast::OrderByExpr],
    frame: Option<&'s ast::WindowFrame>,
}

impl Resolver<'_> {
    pub(crate) fn resolve_window_call(
        &self,
        env: &Env<'_>,
        name: &str,
        function: Function,
        call: &ast::Function,
        over: &WindowType,
        syntax: &ast::Expr,
    ) -> Result<TypedExpr, QueryError> {
        match env.clause {
            Clause::Select | Clause::Qualify | Clause::OrderBy => {}
            Clause::Window => return Err(error_at("Analytic function cannot be an argument of another analytic function", syntax)),
            other => {
                let message = format!("Analytic function {} not allowed in {}", name.to_uppercase(), other.name());
                return Err(error_at(message, &call.name));
            }
        }
        let inner = env.with_clause(Clause::Window);
        let arguments = CallArguments::parse(call)?;
        if let Some(limit) = arguments.limit {
            return Err(unsupported("LIMIT in the arguments of an analytic function", limit));
        }
        let args = match arguments.is_star {
            true => vec![super::literal::int64(1)],
            false => arguments.exprs.iter().map(|arg| self.resolve_expr(&inner, arg)).collect::<Result<_, _>>()?,
        };
        let window = resolve_window(env, over)?;
        let partition_by =
            window.partition_by.iter().map(|key| self.resolve_expr(&inner, key).map(|key| key.expr)).collect::<Result<Vec<_>, _>>()?;
        let mut order_by = self.resolve_sort_keys(&inner, window.order_by)?;
        let key_type = order_by.first().map(|key| key.expr.get_type(env.scope.plan.schema().as_ref())).transpose()?;
        let frame = order_groups(self.resolve_frame(window.frame, &mut order_by, key_type.as_ref(), syntax)?, key_type.as_ref());

        let kept = match name {
            "first_value" | "last_value" | "nth_value" | "lag" | "lead" | "any_value" | "max_by" | "min_by" => {
                args.first().map(|arg| arg.field.clone())
            }
            "array_agg" => args.first().map(|arg| types::array_of(&arg.field)),
            _ => None,
        };
        let names: Vec<String> = args.iter().map(|arg| types::of(&arg.field)).collect();
        let fun = match function {
            Function::Aggregate(udf) => {
                let is_whole_partition = order_by.is_empty() || frame.end_bound.is_unbounded() && frame.start_bound.is_unbounded();
                WindowFunctionDefinition::AggregateUDF(match has_large_results(name) {
                    true => limited_window(udf, self.limits, is_whole_partition),
                    false => udf,
                })
            }
            Function::Window(udf) => WindowFunctionDefinition::WindowUDF(match has_large_results(name) {
                true => limited_function(udf, self.limits),
                false => udf,
            }),
            Function::Scalar { .. } => return Err(unsupported("OVER for this function", syntax)),
        };
        let params = WindowFunctionParams {
            args: args.into_iter().map(|arg| arg.expr).collect(),
            partition_by,
            order_by,
            window_frame: frame,
            filter: None,
            null_treatment: arguments.nulls.or(default_null_treatment(name)),
            distinct: arguments.distinct,
        };
        let span = call.name.span();
        let typed = self
            .infer_type(Expr::WindowFunction(Box::new(WindowFunction { fun, params })), env.scope.plan.schema(), span)
            .map_err(|error| signature_error(error, name, &names, span))?;
        Ok(TypedExpr { field: kept.filter(|kept| kept.data_type() == typed.field.data_type()).unwrap_or(typed.field), expr: typed.expr })
    }

    fn resolve_frame(
        &self,
        frame: Option<&ast::WindowFrame>,
        order_by: &mut Vec<SortExpr>,
        key_type: Option<&DataType>,
        syntax: &ast::Expr,
    ) -> Result<WindowFrame, QueryError> {
        let Some(frame) = frame else {
            return Ok(WindowFrame::new((!order_by.is_empty()).then_some(false)));
        };
        let units = match frame.units {
            ast::WindowFrameUnits::Rows => WindowFrameUnits::Rows,
            ast::WindowFrameUnits::Range => WindowFrameUnits::Range,
            ast::WindowFrameUnits::Groups => return Err(unsupported("GROUPS frames", syntax)),
        };
        let bound = |bound: &ast::WindowFrameBound| -> Result<WindowFrameBound, QueryError> {
            let count = |count: &Option<Box<ast::Expr>>| match (count, units) {
                (None, WindowFrameUnits::Rows) => Ok(ScalarValue::UInt64(None)),
                (None, _) => Ok(ScalarValue::Null),
                (Some(count), WindowFrameUnits::Rows) => {
                    self.evaluate_count(count, "Window framing").map(|count| ScalarValue::UInt64(Some(count as u64)))
                }
                (Some(value), _) => {
                    let value = self.resolve_constant(value)?;
                    self.evaluate(&value.expr)
                }
            };
            Ok(match bound {
                ast::WindowFrameBound::CurrentRow => WindowFrameBound::CurrentRow,
                ast::WindowFrameBound::Preceding(value) => WindowFrameBound::Preceding(count(value)?),
                ast::WindowFrameBound::Following(value) => WindowFrameBound::Following(count(value)?),
            })
        };
        let start = bound(&frame.start_bound)?;
        let end = frame.end_bound.as_ref().map(bound).transpose()?.unwrap_or(WindowFrameBound::CurrentRow);
        let has_distance = [&start, &end].into_iter().any(|bound| !bound.is_unbounded() && *bound != WindowFrameBound::CurrentRow);
        if let Some(other) = key_type.filter(|key_type| units == WindowFrameUnits::Range && has_distance && !key_type.is_numeric()) {
            let name = types::of(&Field::new("", other.clone(), true));
            let message = format!(
                "ORDER BY key must be numeric in a RANGE-based window with OFFSET PRECEDING or FOLLOWING boundaries, but has type {name}"
            );
            return Err(error_at(message, syntax));
        }
        let frame = WindowFrame::new_bounds(units, start, end);
        frame.regularize_order_bys(order_by).map_err(|error| error_at(innermost_message(&error), syntax))?;
        Ok(frame)
    }
}

/// DataFusion has no RANGE frames over TIME and BYTES. Without distances, a GROUPS frame has the same rows.
fn order_groups(frame: WindowFrame, key_type: Option<&DataType>) -> WindowFrame {
    match (frame.units, key_type) {
        (WindowFrameUnits::Range, Some(DataType::Time64(_) | DataType::Binary | DataType::BinaryView)) => {
            WindowFrame::new_bounds(WindowFrameUnits::Groups, frame.start_bound, frame.end_bound)
        }
        _ => frame,
    }
}

/// The default null treatment of functions that ignore NULLs. The default of other functions is RESPECT NULLS.
fn default_null_treatment(name: &str) -> Option<NullTreatment> {
    matches!(name, "percentile_cont" | "percentile_disc").then_some(NullTreatment::IgnoreNulls)
}

fn resolve_window<'s>(env: &Env<'s>, over: &'s WindowType) -> Result<WindowParts<'s>, QueryError> {
    match over {
        WindowType::NamedWindow(name) => find_named_window(env, name, 0),
        WindowType::WindowSpec(spec) => window_from_spec(env, spec, 0),
    }
}

fn find_named_window<'s>(env: &Env<'s>, name: &ast::Ident, depth: usize) -> Result<WindowParts<'s>, QueryError> {
    let found = env.windows.iter().find(|window| is_same_name(&window.0.value, &name.value)).filter(|_| depth <= env.windows.len());
    match found.map(|window| &window.1) {
        Some(NamedWindowExpr::NamedWindow(other)) => find_named_window(env, other, depth + 1),
        Some(NamedWindowExpr::WindowSpec(spec)) => window_from_spec(env, spec, depth + 1),
        None => Err(error_at_span(format!("Unrecognized window alias {}", name.value), name.span)),
    }
}

fn window_from_spec<'s>(env: &Env<'s>, spec: &'s ast::WindowSpec, depth: usize) -> Result<WindowParts<'s>, QueryError> {
    let mut window = match &spec.window_name {
        Some(name) => find_named_window(env, name, depth)?,
        None => WindowParts::default(),
    };
    if !spec.partition_by.is_empty() {
        window.partition_by = &spec.partition_by;
    }
    if !spec.order_by.is_empty() {
        window.order_by = &spec.order_by;
    }
    window.frame = spec.window_frame.as_ref().or(window.frame);
    Ok(window)
}

/// Whether the results of the function can be large.
fn has_large_results(name: &str) -> bool {
    matches!(
        name,
        "any_value"
            | "approx_quantiles"
            | "approx_top_count"
            | "approx_top_sum"
            | "array_agg"
            | "array_concat_agg"
            | "first_value"
            | "lag"
            | "last_value"
            | "lead"
            | "max"
            | "max_by"
            | "min"
            | "min_by"
            | "nth_value"
            | "string_agg"
    )
}
