//! Arguments by name (`wide_number_mode => 'round'`), and those that a call leaves out.

use datafusion::logical_expr::lit;
use datafusion::sql::sqlparser::ast::{self, FunctionArg, FunctionArgExpr, FunctionArgOperator};
use datafusion::sql::sqlparser::tokenizer::Span;

use super::Resolver;
use crate::QueryError;
use crate::error_location::error_at_span;
use crate::functions;
use crate::resolve::scope::{Env, Typed};
use crate::types;

/// An argument that is given by its name.
pub(crate) struct NamedArgument<'s> {
    name: &'s ast::Ident,
    value: &'s ast::Expr,
}

impl<'s> NamedArgument<'s> {
    /// None of an argument without a name.
    pub(crate) fn of(arg: &'s FunctionArg) -> Option<NamedArgument<'s>> {
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
    /// All arguments in the places where the function has them.
    pub(crate) fn in_places(
        &self,
        env: &Env<'_>,
        function: &str,
        mut plain: Vec<Typed>,
        named: &[NamedArgument<'_>],
        span: Span,
    ) -> Result<Vec<Typed>, QueryError> {
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
        let mut by_place = plain.split_off(first).into_iter();
        for argument in declared.arguments {
            let mut by_name = named.iter().filter(|named| is(named, argument.name));
            plain.push(match (by_place.next(), by_name.next(), by_name.next()) {
                (Some(value), None, None) => value,
                (None, Some(named), None) => self.expr(env, named.value)?,
                (None, None, None) => {
                    let value = argument.default();
                    Typed { field: types::plain(value.data_type()), expr: lit(value) }
                }
                _ => {
                    let message =
                        format!("Duplicate named argument {} found in call to function {}", argument.name, function.to_uppercase());
                    return Err(error_at_span(message, span));
                }
            });
        }
        plain.extend(by_place);
        Ok(plain)
    }
}
