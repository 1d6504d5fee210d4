//! Function calls: scalar functions here, aggregate and window functions in their own files.

use datafusion::arrow::datatypes::DataType;
use datafusion::logical_expr::{Expr, lit};
use datafusion::sql::sqlparser::ast::{self, FunctionArg, FunctionArgExpr, FunctionArguments, Spanned};
use datafusion::sql::sqlparser::tokenizer::Span;

use super::Resolver;
use super::named::NamedArgument;
use crate::QueryError;
use crate::error_location::{error_at, error_at_span, unsupported};
use crate::functions::{self, Function};
use crate::resolve::scope::{Env, Typed};
use crate::types;

impl Resolver<'_> {
    pub(crate) fn call(&self, env: &Env<'_>, call: &ast::Function, syntax: &ast::Expr) -> Result<Typed, QueryError> {
        if call.filter.is_some() || !call.within_group.is_empty() || !matches!(call.parameters, FunctionArguments::None) {
            return Err(error_at(format!("Syntax error: GoogleSQL has no such form of the function {}", call.name), &call.name));
        }
        let name = call.name.to_string().replace('`', "").to_lowercase();
        let arguments = match &call.args {
            FunctionArguments::None => None,
            FunctionArguments::Subquery(query) if name == "array" => return self.array_subquery(env, query, syntax),
            FunctionArguments::Subquery(_) => return Err(error_at("Syntax error: Unexpected keyword SELECT", syntax)),
            FunctionArguments::List(list) => Some(list),
        };
        let (is_safe, bare) = match name.strip_prefix("safe.") {
            Some(bare) => (true, bare),
            None => (false, name.as_str()),
        };
        if functions::is_gap(bare) {
            return Err(unsupported(&format!("the function {}", bare.to_uppercase()), &call.name));
        }
        match (self.function(bare), &call.over) {
            (Some(Function::Aggregate(udf)), None) if !is_safe => return self.aggregate_call(env, bare, udf, call, syntax),
            (Some(function @ (Function::Aggregate(_) | Function::Window(_))), Some(over)) if !is_safe => {
                return self.window_call(env, bare, function, call, over, syntax);
            }
            (Some(Function::Window(_)), None) => {
                let message = format!("Analytic function {} cannot be called without an OVER clause", bare.to_uppercase());
                return Err(error_at(message, &call.name));
            }
            (_, Some(_)) => {
                let message = format!("Function {} does not support an OVER clause", bare.to_uppercase());
                return Err(error_at(message, &call.name));
            }
            _ => {}
        }
        if let Some(list) = arguments
            && (list.duplicate_treatment.is_some() || !list.clauses.is_empty())
        {
            let message = format!("Function {} does not support DISTINCT, ORDER BY and the like in its arguments", bare.to_uppercase());
            return Err(error_at(message, &call.name));
        }
        let args = arguments.map_or(&[][..], |list| &list.args);
        let named: Vec<NamedArgument<'_>> = args.iter().filter_map(NamedArgument::of).collect();
        let plain = args.iter().filter(|arg| NamedArgument::of(arg).is_none()).map(|arg| plain_argument(arg, &call.name));
        let plain = plain.collect::<Result<_, _>>()?;
        self.scalar_call(env, bare, plain, &named, is_safe, call.name.span(), syntax)
    }

    /// A scalar function by its name.
    pub(crate) fn named_call(&self, env: &Env<'_>, name: &str, args: Vec<&ast::Expr>, syntax: &ast::Expr) -> Result<Typed, QueryError> {
        self.scalar_call(env, &name.to_lowercase(), args, &[], false, syntax.span(), syntax)
    }

    #[expect(clippy::too_many_arguments, reason = "each is one part of the call's syntax")]
    fn scalar_call(
        &self,
        env: &Env<'_>,
        name: &str,
        args: Vec<&ast::Expr>,
        named: &[NamedArgument<'_>],
        is_safe: bool,
        span: Span,
        syntax: &ast::Expr,
    ) -> Result<Typed, QueryError> {
        if let Some(found) = self.conditional_call(env, name, &args, syntax).filter(|_| named.is_empty()) {
            return found;
        }
        let Some(Function::Scalar { udf, date_part: part }) = self.function(name).filter(|_| !name.starts_with('$')) else {
            return Err(error_at_span(format!("Function not found: {}", name.to_uppercase()), span));
        };
        let mut resolved = Vec::with_capacity(args.len());
        for (index, arg) in args.iter().enumerate() {
            resolved.push(match part {
                Some(part) if part == index => {
                    let part = date_part(arg).ok_or_else(|| error_at("A valid date part name is required", *arg))?;
                    Typed { expr: lit(part), field: types::plain(DataType::Utf8) }
                }
                _ => self.keeping_json(env, self.expr(env, arg)?, arg)?,
            });
        }
        let resolved = self.in_places(env, name, resolved, named, span)?;
        let udf = if is_safe { functions::safe(&udf) } else { udf };
        let names: Vec<String> = resolved.iter().map(|arg| types::of(&arg.field)).collect();
        let args: Vec<Expr> = resolved.into_iter().map(|arg| arg.expr).collect();
        self.invoke(env, udf, args, span).map_err(|error| signature(error, name, &names, span))
    }

    /// An ARRAY of JSON that the engine takes for one of STRING, as the ARRAY that it is.
    fn keeping_json(&self, env: &Env<'_>, value: Typed, syntax: &ast::Expr) -> Result<Typed, QueryError> {
        let is_array_of_json = types::element(&value.field).is_some_and(|element| types::is_json(element));
        match is_array_of_json {
            true => Ok(self.internal(env, "$json_items", vec![value.expr.clone()], syntax).unwrap_or(value)),
            false => Ok(value),
        }
    }

    /// `EXTRACT(part FROM x)`, `EXTRACT(part FROM x AT TIME ZONE zone)`.
    pub(crate) fn extract(
        &self,
        env: &Env<'_>,
        part: &ast::DateTimeField,
        of: &ast::Expr,
        syntax: &ast::Expr,
    ) -> Result<Typed, QueryError> {
        let part = lit(part.to_string().to_uppercase());
        let args = match of {
            ast::Expr::AtTimeZone { timestamp, time_zone } => {
                vec![part, self.expr(env, timestamp)?.expr, self.expr(env, time_zone)?.expr]
            }
            of => vec![part, self.expr(env, of)?.expr],
        };
        self.internal(env, "$extract", args, syntax)
    }

    pub(crate) fn rounded(
        &self,
        env: &Env<'_>,
        name: &str,
        of: &ast::Expr,
        field: &ast::CeilFloorKind,
        syntax: &ast::Expr,
    ) -> Result<Typed, QueryError> {
        match field {
            ast::CeilFloorKind::DateTimeField(ast::DateTimeField::NoDateTime) => self.named_call(env, name, vec![of], syntax),
            _ => Err(error_at(format!("No matching signature for function {}", name.to_uppercase()), syntax)),
        }
    }
}

/// An argument that is just an expression.
pub(crate) fn plain_argument<'s>(arg: &'s FunctionArg, name: &ast::ObjectName) -> Result<&'s ast::Expr, QueryError> {
    match arg {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Ok(expr),
        FunctionArg::Unnamed(_) => Err(error_at("Syntax error: Unexpected \"*\"", name)),
        FunctionArg::Named { .. } | FunctionArg::ExprNamed { .. } => Err(unsupported("named arguments", name)),
    }
}

/// What the engine says of arguments it cannot take, in BigQuery's words.
pub(crate) fn signature(error: QueryError, name: &str, types: &[String], span: Span) -> QueryError {
    match error {
        QueryError::Invalid(message) if !is_ours(&message) => {
            let name = name.to_uppercase();
            error_at_span(format!("No matching signature for function {name} for argument types: {}.", types.join(", ")), span)
        }
        other => other,
    }
}

/// Whether a message is one of this module's own functions, and not the engine's.
fn is_ours(message: &str) -> bool {
    const ENGINE: [&str; 6] = ["coerc", "Function '", "signature", "Error during", "candidate", "data type"];
    message.starts_with("No matching signature") || !ENGINE.iter().any(|word| message.contains(word))
}

/// `DAY`, `WEEK(MONDAY)`.
fn date_part(syntax: &ast::Expr) -> Option<String> {
    match syntax {
        ast::Expr::Identifier(name) if name.quote_style.is_none() => Some(name.value.to_uppercase()),
        ast::Expr::Function(call) if call.over.is_none() => match &call.args {
            FunctionArguments::List(list) if list.args.len() == 1 => Some(syntax.to_string().to_uppercase()),
            _ => None,
        },
        _ => None,
    }
}
