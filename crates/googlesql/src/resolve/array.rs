//! ARRAYs: literals, `arr[OFFSET(i)]`, `x IN UNNEST(arr)`; and the way along `a[0].b`.

use datafusion::arrow::datatypes::FieldRef;
use datafusion::common::ScalarValue;
use datafusion::logical_expr::{Expr, lit};
use datafusion::sql::sqlparser::ast::{self, AccessExpr, FunctionArguments, Subscript};

use super::Resolver;
use super::call::plain_argument;
use super::expression::boolean;
use super::supertype::supertype;
use crate::QueryError;
use crate::error_location::{error_at, unsupported};
use crate::resolve::scope::{Env, Typed};
use crate::types;
use datafusion::arrow::datatypes::DataType;

impl Resolver<'_> {
    /// `[1, 2]`, `ARRAY<INT64>[]`.
    pub(crate) fn array_literal(
        &self,
        env: &Env<'_>,
        elements: &[ast::Expr],
        declared: Option<&FieldRef>,
        syntax: &ast::Expr,
    ) -> Result<Typed, QueryError> {
        let values = elements.iter().map(|element| self.expr(env, element)).collect::<Result<Vec<_>, _>>()?;
        let common = match declared {
            Some(declared) => declared.clone(),
            None => supertype(&values).ok_or_else(|| error_at("Array elements of types that have no common supertype", syntax))?,
        };
        let common = match common.data_type() {
            DataType::Null => types::plain(DataType::Int64),
            DataType::List(_) => {
                return Err(error_at(format!("Cannot construct array with element type {}", types::of(&common)), syntax));
            }
            _ => common,
        };
        let field = types::array_of(&common);
        if values.is_empty() {
            let empty = ScalarValue::new_list_nullable(&[], common.data_type());
            return Ok(Typed { expr: lit(ScalarValue::List(empty)), field });
        }
        let values = values.into_iter().map(|value| self.coerce(value, &common, syntax).map(|value| value.expr));
        let expr = datafusion::functions_nested::make_array::make_array(values.collect::<Result<_, _>>()?);
        Ok(Typed { expr, field })
    }

    /// `root.member[subscript]…`.
    pub(crate) fn access(&self, env: &Env<'_>, root: &ast::Expr, chain: &[AccessExpr], syntax: &ast::Expr) -> Result<Typed, QueryError> {
        // `t.tags[0]`: the names before the first subscript are one path.
        let mut path = match root {
            ast::Expr::Identifier(name) => vec![name.clone()],
            _ => Vec::new(),
        };
        let mut names = 0;
        while let (false, Some(AccessExpr::Dot(ast::Expr::Identifier(name)))) = (path.is_empty(), chain.get(names)) {
            path.push(name.clone());
            names += 1;
        }
        let first = match path.is_empty() {
            true => self.expr(env, root)?,
            false => self.path(env, &path)?,
        };
        chain[names..].iter().try_fold(first, |value, step| match step {
            AccessExpr::Dot(ast::Expr::Identifier(name)) => self.member(value, name),
            AccessExpr::Subscript(Subscript::Index { index }) => self.subscript(env, value, index, syntax),
            _ => Err(unsupported("this kind of access", syntax)),
        })
    }

    fn subscript(&self, env: &Env<'_>, array: Typed, index: &ast::Expr, syntax: &ast::Expr) -> Result<Typed, QueryError> {
        let (function, index) = match index {
            ast::Expr::Function(call) => match (call.name.to_string().to_lowercase().as_str(), &call.args) {
                (name @ ("offset" | "safe_offset" | "ordinal" | "safe_ordinal"), FunctionArguments::List(list)) if list.args.len() == 1 => {
                    (format!("${name}"), plain_argument(&list.args[0], &call.name)?)
                }
                _ => ("$offset".to_owned(), index),
            },
            _ => ("$offset".to_owned(), index),
        };
        let index = self.expr(env, index)?;
        if types::is_json(&array.field) {
            return self.json_step(array, index.expr);
        }
        let Some(element) = types::element(&array.field) else {
            let message = format!(
                "Element access using [{}] is not supported on values of type {}",
                function.trim_start_matches('$').to_uppercase(),
                types::of(&array.field)
            );
            return Err(error_at(message, syntax));
        };
        let field: FieldRef = element.as_ref().clone().with_name("").into();
        let found = self.internal(env, &function, vec![array.expr, index.expr], syntax)?;
        Ok(Typed { field, ..found })
    }

    pub(crate) fn json_member(&self, json: Typed, member: &ast::Ident) -> Result<Typed, QueryError> {
        self.json_step(json, lit(member.value.clone()))
    }

    fn json_step(&self, json: Typed, key: Expr) -> Result<Typed, QueryError> {
        use crate::functions::Function;
        match self.function("$json_get") {
            Some(Function::Scalar { udf, .. }) => {
                let expr = Expr::ScalarFunction(datafusion::logical_expr::expr::ScalarFunction::new_udf(udf, vec![json.expr, key]));
                Ok(Typed { expr, field: types::json() })
            }
            _ => Err(QueryError::Invalid("The local BigQuery does not support access to members of JSON".to_owned())),
        }
    }

    /// `x IN UNNEST(arr)`.
    pub(crate) fn in_unnest(
        &self,
        env: &Env<'_>,
        of: &ast::Expr,
        array: &ast::Expr,
        negated: bool,
        syntax: &ast::Expr,
    ) -> Result<Typed, QueryError> {
        let (value, array) = (self.expr(env, of)?, self.expr(env, array)?);
        self.in_array(env, value, array, negated, syntax)
    }

    pub(crate) fn in_array(
        &self,
        env: &Env<'_>,
        value: Typed,
        array: Typed,
        negated: bool,
        syntax: &ast::Expr,
    ) -> Result<Typed, QueryError> {
        let mismatch = || {
            let message = format!(
                "No matching signature for operator IN UNNEST for argument types: {}, {}",
                types::of(&value.field),
                types::of(&array.field)
            );
            error_at(message, syntax)
        };
        let element = types::element(&array.field).ok_or_else(mismatch)?;
        let element = Typed { expr: Expr::default(), field: element.clone() };
        let common = supertype(&[value.clone(), element]).ok_or_else(mismatch)?;
        let array = self.coerce(array.clone(), &types::array_of(&common), syntax)?;
        let value = self.coerce(value, &common, syntax)?;
        let found = self.internal(env, "$in_array", vec![value.expr, array.expr], syntax)?.expr;
        Ok(boolean(if negated { Expr::Not(Box::new(found)) } else { found }))
    }
}
