//! Window functions: `F(…) OVER (PARTITION BY … ORDER BY … ROWS …)`, named windows.

use datafusion::common::ScalarValue;
use datafusion::logical_expr::expr::{NullTreatment, WindowFunction, WindowFunctionParams};
use datafusion::logical_expr::{Expr, SortExpr, WindowFrame, WindowFrameBound, WindowFrameUnits, WindowFunctionDefinition};
use datafusion::sql::sqlparser::ast::{self, NamedWindowExpr, Spanned, WindowType};

use super::Resolver;
use super::aggregate::Arguments;
use super::call::signature;
use crate::QueryError;
use crate::error::message;
use crate::error_location::{error_at, error_at_span, unsupported};
use crate::functions::Function;
use crate::resolve::scope::{Clause, Env, Typed, same_name};
use crate::types;

/// A window as it is put together from its own words and those of the window it names.
#[derive(Default)]
struct Window<'s> {
    partition_by: &'s [ast::Expr],
    order_by: &'s [ast::OrderByExpr],
    frame: Option<&'s ast::WindowFrame>,
}

impl Resolver<'_> {
    pub(crate) fn window_call(
        &self,
        env: &Env<'_>,
        name: &str,
        function: Function,
        call: &ast::Function,
        over: &WindowType,
        syntax: &ast::Expr,
    ) -> Result<Typed, QueryError> {
        match env.clause {
            Clause::Select | Clause::Qualify | Clause::OrderBy => {}
            Clause::Window => return Err(error_at("Analytic function cannot be an argument of another analytic function", syntax)),
            other => {
                let message = format!("Analytic function {} not allowed in {}", name.to_uppercase(), other.name());
                return Err(error_at(message, &call.name));
            }
        }
        let inner = env.within(Clause::Window);
        let arguments = Arguments::read(call)?;
        if let Some(limit) = arguments.limit {
            return Err(unsupported("LIMIT in the arguments of an analytic function", limit));
        }
        let args = match arguments.is_star {
            true => vec![super::literal::int64(1)],
            false => arguments.exprs.iter().map(|arg| self.expr(&inner, arg)).collect::<Result<_, _>>()?,
        };
        let window = window(env, over)?;
        let partition_by =
            window.partition_by.iter().map(|key| self.expr(&inner, key).map(|key| key.expr)).collect::<Result<Vec<_>, _>>()?;
        let mut order_by = self.sort_keys(&inner, window.order_by)?;
        let frame = self.frame(window.frame, &mut order_by, syntax)?;

        let kept = match name {
            "first_value" | "last_value" | "nth_value" | "lag" | "lead" | "any_value" | "max_by" | "min_by" => {
                args.first().map(|arg| arg.field.clone())
            }
            "array_agg" => args.first().map(|arg| types::array_of(&arg.field)),
            _ => None,
        };
        let names: Vec<String> = args.iter().map(|arg| types::of(&arg.field)).collect();
        let fun = match function {
            Function::Aggregate(udf) => WindowFunctionDefinition::AggregateUDF(udf),
            Function::Window(udf) => WindowFunctionDefinition::WindowUDF(udf),
            Function::Scalar { .. } => return Err(unsupported("OVER for this function", syntax)),
        };
        let params = WindowFunctionParams {
            args: args.into_iter().map(|arg| arg.expr).collect(),
            partition_by,
            order_by,
            window_frame: frame,
            filter: None,
            null_treatment: arguments.nulls.or(default_nulls(name)),
            distinct: arguments.distinct,
        };
        let span = call.name.span();
        let typed = self
            .typed(Expr::WindowFunction(Box::new(WindowFunction { fun, params })), env.scope.plan.schema(), span)
            .map_err(|error| signature(error, name, &names, span))?;
        Ok(Typed { field: kept.filter(|kept| kept.data_type() == typed.field.data_type()).unwrap_or(typed.field), expr: typed.expr })
    }

    fn frame(&self, frame: Option<&ast::WindowFrame>, order_by: &mut Vec<SortExpr>, syntax: &ast::Expr) -> Result<WindowFrame, QueryError> {
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
                    self.count(count, "Window framing").map(|count| ScalarValue::UInt64(Some(count as u64)))
                }
                (Some(value), _) => {
                    let value = self.constant(value)?;
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
        let frame = WindowFrame::new_bounds(units, start, end);
        frame.regularize_order_bys(order_by).map_err(|error| error_at(message(&error), syntax))?;
        Ok(frame)
    }
}

/// What stands for neither IGNORE NULLS nor RESPECT NULLS, where it is not the latter.
fn default_nulls(name: &str) -> Option<NullTreatment> {
    matches!(name, "percentile_cont" | "percentile_disc").then_some(NullTreatment::IgnoreNulls)
}

fn window<'s>(env: &Env<'s>, over: &'s WindowType) -> Result<Window<'s>, QueryError> {
    match over {
        WindowType::NamedWindow(name) => named_window(env, name, 0),
        WindowType::WindowSpec(spec) => specified(env, spec, 0),
    }
}

fn named_window<'s>(env: &Env<'s>, name: &ast::Ident, depth: usize) -> Result<Window<'s>, QueryError> {
    let found = env.windows.iter().find(|window| same_name(&window.0.value, &name.value)).filter(|_| depth <= env.windows.len());
    match found.map(|window| &window.1) {
        Some(NamedWindowExpr::NamedWindow(other)) => named_window(env, other, depth + 1),
        Some(NamedWindowExpr::WindowSpec(spec)) => specified(env, spec, depth + 1),
        None => Err(error_at_span(format!("Unrecognized window alias {}", name.value), name.span)),
    }
}

fn specified<'s>(env: &Env<'s>, spec: &'s ast::WindowSpec, depth: usize) -> Result<Window<'s>, QueryError> {
    let mut window = match &spec.window_name {
        Some(name) => named_window(env, name, depth)?,
        None => Window::default(),
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
