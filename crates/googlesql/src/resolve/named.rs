//! Named arguments (`wide_number_mode => 'round'`) and the defaults of omitted arguments.
//!
//! Reference: <https://cloud.google.com/bigquery/docs/reference/standard-sql/functions-reference#named_arguments>.

use datafusion::logical_expr::lit;
use datafusion::sql::sqlparser::ast::{self, FunctionArg, FunctionArgExpr, FunctionArgOperator};
use datafusion::sql::sqlparser::tokenizer::Span;

use super::Resolver;
use crate::QueryError;
use crate::error_location::error_at_span;
use crate::functions;
use crate::resolve::scope::{Env, TypedExpr};
use crate::types;

/// A named argument of a call.
pub(crate) struct NamedArgument<'s> {
    name: &'s ast::Ident,
    value: &'s ast::Expr,
}

impl<'s> NamedArgument<'s> {
    /// Returns `None` for an argument without a name.
    pub(crate) fn parse(arg: &'s FunctionArg) -> Option<NamedArgument<'s>> {
        let (name, value, operator) = match arg {
            FunctionArg::Named { name, arg: FunctionArgExpr::Expr(value), operator } => (name, value, operator),
            FunctionArg::ExprNamed { name: ast::Expr::Identifier(name), arg: FunctionArgExpr::Expr(value), operator } => {
                (name, value, operator)
            }
            _ => return None,
        };
        (*operator == FunctionArgOperator::RightArrow).then_some(NamedArgument { name, value })
    }
}

impl Resolver<'_> {
    /// Arranges positional and named arguments in the order of the function's signature, and adds the defaults.
    pub(crate) fn arrange_arguments(
        &self,
        env: &Env<'_>,
        function: &str,
        mut plain: Vec<TypedExpr>,
        named: &[NamedArgument<'_>],
        span: Span,
    ) -> Result<Vec<TypedExpr>, QueryError> {
        let declared = functions::named_arguments(function);
        let known = declared.map_or(&[][..], |declared| declared.arguments);
        let is = |argument: &NamedArgument<'_>, name: &str| argument.name.value.eq_ignore_ascii_case(name);
        if let Some(unknown) = named.iter().find(|argument| !known.iter().any(|known| is(argument, known.name))) {
            let message =
                format!("Named argument {} not found in signature for call to function {}", unknown.name.value, function.to_uppercase());
            return Err(error_at_span(message, span));
        }
        let Some(declared) = declared else { return Ok(plain) };
        let first = declared.first.filter(|first| *first < plain.len()).unwrap_or(plain.len());
        let mut positional = plain.split_off(first).into_iter();
        for argument in declared.arguments {
            let mut by_name = named.iter().filter(|named| is(named, argument.name));
            plain.push(match (positional.next(), by_name.next(), by_name.next()) {
                (Some(value), None, None) => value,
                (None, Some(named), None) => self.resolve_expr(env, named.value)?,
                (None, None, None) => {
                    let value = argument.default();
                    TypedExpr { field: types::plain(value.data_type()), expr: lit(value) }
                }
                _ => {
                    let message =
                        format!("Duplicate named argument {} found in call to function {}", argument.name, function.to_uppercase());
                    return Err(error_at_span(message, span));
                }
            });
        }
        plain.extend(positional);
        Ok(plain)
    }
}
