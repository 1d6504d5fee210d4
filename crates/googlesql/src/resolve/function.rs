//! Calling the functions of `functions`, by their names.

use std::sync::Arc;

use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::{Expr, ScalarUDF};
use datafusion::sql::sqlparser::ast::Spanned;
use datafusion::sql::sqlparser::tokenizer::Span;

use super::Resolver;
use crate::QueryError;
use crate::error_location::unsupported;
use crate::functions::{FUNCTIONS, Function};
use crate::resolve::scope::{Env, Typed};

impl Resolver<'_> {
    pub(crate) fn function(&self, name: &str) -> Option<Function> {
        FUNCTIONS.get(name).cloned()
    }

    /// A function that the syntax stands for: `$divide`, `$cast_int64`.
    pub(crate) fn internal(&self, env: &Env<'_>, name: &str, args: Vec<Expr>, syntax: &impl Spanned) -> Result<Typed, QueryError> {
        match self.function(name) {
            Some(Function::Scalar { udf, .. }) => self.invoke(env, udf, args, syntax.span()),
            _ => Err(unsupported(&name.trim_start_matches('$').to_uppercase(), syntax)),
        }
    }

    pub(crate) fn invoke(&self, env: &Env<'_>, udf: Arc<ScalarUDF>, args: Vec<Expr>, span: Span) -> Result<Typed, QueryError> {
        let call = Expr::ScalarFunction(ScalarFunction::new_udf(udf, args));
        self.typed(call, env.scope.plan.schema(), span)
    }
}
