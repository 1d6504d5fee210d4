//! Calls the functions of the module `functions` by name.

use std::sync::Arc;

use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::{Expr, ScalarUDF};
use datafusion::sql::sqlparser::ast::Spanned;
use datafusion::sql::sqlparser::tokenizer::Span;

use super::Resolver;
use crate::QueryError;
use crate::error_location::unsupported;
use crate::functions::{FUNCTIONS, Function};
use crate::resolve::scope::{Env, TypedExpr};

impl Resolver<'_> {
    pub(crate) fn find_function(&self, name: &str) -> Option<Function> {
        FUNCTIONS.get(name).cloned()
    }

    /// Calls an internal function that implements an operator, such as `$divide` or `$cast_int64`.
    pub(crate) fn call_internal(&self, env: &Env<'_>, name: &str, args: Vec<Expr>, syntax: &impl Spanned) -> Result<TypedExpr, QueryError> {
        match self.find_function(name) {
            Some(Function::Scalar { udf, .. }) => self.call_udf(env, udf, args, syntax.span()),
            _ => Err(unsupported(&name.trim_start_matches('$').to_uppercase(), syntax)),
        }
    }

    pub(crate) fn call_udf(&self, env: &Env<'_>, udf: Arc<ScalarUDF>, args: Vec<Expr>, span: Span) -> Result<TypedExpr, QueryError> {
        let call = Expr::ScalarFunction(ScalarFunction::new_udf(udf, args));
        self.infer_type(call, env.scope.plan.schema(), span)
    }
}
