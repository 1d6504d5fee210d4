//! Resolves function calls. Calls of aggregate and window functions continue in `aggregate` and `window`.
//!
//! Reference: <https://cloud.google.com/bigquery/docs/reference/standard-sql/functions-reference>.

use datafusion::arrow::datatypes::DataType;
use datafusion::logical_expr::{Expr, lit};
use datafusion::sql::sqlparser::ast::{self, FunctionArg, FunctionArgExpr, FunctionArguments, Spanned};
use datafusion::sql::sqlparser::tokenizer::Span;

use super::Resolver;
use super::named::NamedArgument;
use crate::QueryError;
use crate::error_location::{error_at, error_at_span, unsupported};
use crate::functions::{self, Function};
use crate::resolve::scope::{Env, TypedExpr};
use crate::types;

impl Resolver<'_> {
    pub(crate) fn resolve_call(&self, env: &Env<'_>, call: &ast::Function, syntax: &ast::Expr) -> Result<TypedExpr, QueryError> {
        if call.filter.is_some() || !call.within_group.is_empty() || !matches!(call.parameters, FunctionArguments::None) {
            return Err(error_at(format!("Syntax error: GoogleSQL has no such form of the function {}", call.name), &call.name));
        }
        let name = call.name.to_string().replace('`', "").to_lowercase();
        let arguments = match &call.args {
            FunctionArguments::None => None,
            FunctionArguments::Subquery(query) if name == "array" => return self.resolve_array_subquery(env, query, syntax),
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
        match (self.find_function(bare), &call.over) {
            (Some(Function::Aggregate(udf)), None) if !is_safe => return self.resolve_aggregate_call(env, bare, udf, call, syntax),
            (Some(function @ (Function::Aggregate(_) | Function::Window(_))), Some(over)) if !is_safe => {
                return self.resolve_window_call(env, bare, function, call, over, syntax);
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
            let message = format!("Function {} does not support DISTINCT, ORDER BY, LIMIT or HAVING in its arguments", bare.to_uppercase());
            return Err(error_at(message, &call.name));
        }
        let args = arguments.map_or(&[][..], |list| &list.args);
        let named: Vec<NamedArgument<'_>> = args.iter().filter_map(NamedArgument::parse).collect();
        let plain = args.iter().filter(|arg| NamedArgument::parse(arg).is_none()).map(|arg| positional_argument(arg, &call.name));
        let plain = plain.collect::<Result<_, _>>()?;
        self.resolve_scalar_call(env, bare, plain, &named, is_safe, call.name.span(), syntax)
    }

    /// Resolves a call of a scalar function by its name.
    pub(crate) fn resolve_named_call(
        &self,
        env: &Env<'_>,
        name: &str,
        args: Vec<&ast::Expr>,
        syntax: &ast::Expr,
    ) -> Result<TypedExpr, QueryError> {
        self.resolve_scalar_call(env, &name.to_lowercase(), args, &[], false, syntax.span(), syntax)
    }

    #[expect(clippy::too_many_arguments, reason = "each is one part of the call's syntax")]
    fn resolve_scalar_call(
        &self,
        env: &Env<'_>,
        name: &str,
        args: Vec<&ast::Expr>,
        named: &[NamedArgument<'_>],
        is_safe: bool,
        span: Span,
        syntax: &ast::Expr,
    ) -> Result<TypedExpr, QueryError> {
        if let Some(found) = self.resolve_conditional(env, name, &args, syntax).filter(|_| named.is_empty()) {
            return found;
        }
        let Some(Function::Scalar { udf, date_part: part }) = self.find_function(name).filter(|_| !name.starts_with('$')) else {
            return Err(error_at_span(format!("Function not found: {}", name.to_uppercase()), span));
        };
        let mut resolved = Vec::with_capacity(args.len());
        for (index, arg) in args.iter().enumerate() {
            resolved.push(match part {
                Some(part) if part == index => {
                    let part = parse_date_part(arg).ok_or_else(|| error_at("A valid date part name is required", *arg))?;
                    TypedExpr { expr: lit(part), field: types::plain(DataType::Utf8) }
                }
                _ => self.preserve_json_elements(env, self.resolve_expr(env, arg)?, arg)?,
            });
        }
        let resolved = self.arrange_arguments(env, name, resolved, named, span)?;
        let udf = if is_safe { functions::safe(&udf) } else { udf };
        let names: Vec<String> = resolved.iter().map(|arg| types::of(&arg.field)).collect();
        let args: Vec<Expr> = resolved.into_iter().map(|arg| arg.expr).collect();
        self.call_udf(env, udf, args, span).map_err(|error| signature_error(error, name, &names, span))
    }

    /// Marks the elements of an ARRAY of JSON. DataFusion treats the ARRAY as one of STRING.
    fn preserve_json_elements(&self, env: &Env<'_>, value: TypedExpr, syntax: &ast::Expr) -> Result<TypedExpr, QueryError> {
        let is_array_of_json = types::element(&value.field).is_some_and(|element| types::is_json(element));
        match is_array_of_json {
            true => self.call_internal(env, "$json_items", vec![value.expr], syntax),
            false => Ok(value),
        }
    }

    /// `EXTRACT(part FROM x)`, `EXTRACT(part FROM x AT TIME ZONE zone)`.
    pub(crate) fn resolve_extract(
        &self,
        env: &Env<'_>,
        part: &ast::DateTimeField,
        of: &ast::Expr,
        syntax: &ast::Expr,
    ) -> Result<TypedExpr, QueryError> {
        let part = lit(part.to_string().to_uppercase());
        let args = match of {
            ast::Expr::AtTimeZone { timestamp, time_zone } => {
                vec![part, self.resolve_expr(env, timestamp)?.expr, self.resolve_expr(env, time_zone)?.expr]
            }
            of => vec![part, self.resolve_expr(env, of)?.expr],
        };
        self.call_internal(env, "$extract", args, syntax)
    }

    pub(crate) fn resolve_rounding(
        &self,
        env: &Env<'_>,
        name: &str,
        of: &ast::Expr,
        field: &ast::CeilFloorKind,
        syntax: &ast::Expr,
    ) -> Result<TypedExpr, QueryError> {
        match field {
            ast::CeilFloorKind::DateTimeField(ast::DateTimeField::NoDateTime) => self.resolve_named_call(env, name, vec![of], syntax),
            _ => Err(error_at(format!("No matching signature for function {}", name.to_uppercase()), syntax)),
        }
    }
}

/// Returns the expression of an argument without a name.
pub(crate) fn positional_argument<'s>(arg: &'s FunctionArg, name: &ast::ObjectName) -> Result<&'s ast::Expr, QueryError> {
    match arg {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Ok(expr),
        FunctionArg::Unnamed(_) => Err(error_at("Syntax error: Unexpected \"*\"", name)),
        FunctionArg::Named { .. } | FunctionArg::ExprNamed { .. } => Err(unsupported("named arguments", name)),
    }
}

/// Converts DataFusion's error for arguments of a wrong type to BigQuery's message.
pub(crate) fn signature_error(error: QueryError, name: &str, types: &[String], span: Span) -> QueryError {
    match error {
        QueryError::Invalid(message) if !is_function_message(&message) => {
            let name = name.to_uppercase();
            error_at_span(format!("No matching signature for function {name} for argument types: {}.", types.join(", ")), span)
        }
        other => other,
    }
}

/// Whether a message comes from this crate's functions and not from DataFusion.
fn is_function_message(message: &str) -> bool {
    const DATAFUSION_WORDS: [&str; 6] = ["coerc", "Function '", "signature", "Error during", "candidate", "data type"];
    message.starts_with("No matching signature") || !DATAFUSION_WORDS.iter().any(|word| message.contains(word))
}

/// `DAY`, `WEEK(MONDAY)`.
fn parse_date_part(syntax: &ast::Expr) -> Option<String> {
    match syntax {
        ast::Expr::Identifier(name) if name.quote_style.is_none() => Some(name.value.to_uppercase()),
        ast::Expr::Function(call) if call.over.is_none() => match &call.args {
            FunctionArguments::List(list) if list.args.len() == 1 => Some(syntax.to_string().to_uppercase()),
            _ => None,
        },
        _ => None,
    }
}
