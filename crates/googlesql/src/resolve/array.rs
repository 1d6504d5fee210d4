//! Resolves ARRAY literals, `arr[OFFSET(i)]`, `x IN UNNEST(arr)` and access chains such as `a[0].b`.
//!
//! Reference: <https://cloud.google.com/bigquery/docs/reference/standard-sql/operators#array_subscript_operator>.

use datafusion::arrow::datatypes::FieldRef;
use datafusion::common::ScalarValue;
use datafusion::logical_expr::{Expr, lit};
use datafusion::sql::sqlparser::ast::{self, AccessExpr, FunctionArguments, Subscript};

use super::Resolver;
use super::call::positional_argument;
use super::expression::typed_bool;
use super::supertype::supertype;
use crate::QueryError;
use crate::error_location::{error_at, unsupported};
use crate::resolve::scope::{Env, TypedExpr};
use crate::types;
use datafusion::arrow::datatypes::DataType;

impl Resolver<'_> {
    /// `[1, 2]`, `ARRAY<INT64>[]`.
    pub(crate) fn resolve_array_literal(
        &self,
        env: &Env<'_>,
        elements: &[ast::Expr],
        declared: Option<&FieldRef>,
        syntax: &ast::Expr,
    ) -> Result<TypedExpr, QueryError> {
        let values = elements.iter().map(|element| self.resolve_expr(env, element)).collect::<Result<Vec<_>, _>>()?;
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
            return Ok(TypedExpr { expr: lit(ScalarValue::List(empty)), field });
        }
        let values = values.into_iter().map(|value| self.coerce(value, &common, syntax).map(|value| value.expr));
        let expr = datafusion::functions_nested::make_array::make_array(values.collect::<Result<_, _>>()?);
        Ok(TypedExpr { expr, field })
    }

    /// `root.member[subscript]…`.
    pub(crate) fn resolve_access(
        &self,
        env: &Env<'_>,
        root: &ast::Expr,
        chain: &[AccessExpr],
        syntax: &ast::Expr,
    ) -> Result<TypedExpr, QueryError> {
        // The names before the first subscript are one path, as in `t.tags[0]`.
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
            true => self.resolve_expr(env, root)?,
            false => self.resolve_path(env, &path)?,
        };
        chain[names..].iter().try_fold(first, |value, step| match step {
            AccessExpr::Dot(ast::Expr::Identifier(name)) => self.resolve_member(value, name),
            AccessExpr::Subscript(Subscript::Index { index }) => self.resolve_subscript(env, value, index, syntax),
            _ => Err(unsupported("this kind of access", syntax)),
        })
    }

    fn resolve_subscript(&self, env: &Env<'_>, array: TypedExpr, index: &ast::Expr, syntax: &ast::Expr) -> Result<TypedExpr, QueryError> {
        let (function, index) = match index {
            ast::Expr::Function(call) => match (call.name.to_string().to_lowercase().as_str(), &call.args) {
                (name @ ("offset" | "safe_offset" | "ordinal" | "safe_ordinal"), FunctionArguments::List(list)) if list.args.len() == 1 => {
                    (format!("${name}"), positional_argument(&list.args[0], &call.name)?)
                }
                _ => ("$offset".to_owned(), index),
            },
            _ => ("$offset".to_owned(), index),
        };
        let index = self.resolve_expr(env, index)?;
        if types::is_json(&array.field) {
            return self.call_json_get(array, index.expr);
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
        let found = self.call_internal(env, &function, vec![array.expr, index.expr], syntax)?;
        Ok(TypedExpr { field, ..found })
    }

    pub(crate) fn access_json_member(&self, json: TypedExpr, member: &ast::Ident) -> Result<TypedExpr, QueryError> {
        self.call_json_get(json, lit(member.value.clone()))
    }

    fn call_json_get(&self, json: TypedExpr, key: Expr) -> Result<TypedExpr, QueryError> {
        use crate::functions::Function;
        match self.find_function("$json_get") {
            Some(Function::Scalar { udf, .. }) => {
                let expr = Expr::ScalarFunction(datafusion::logical_expr::expr::ScalarFunction::new_udf(udf, vec![json.expr, key]));
                Ok(TypedExpr { expr, field: types::json() })
            }
            _ => Err(QueryError::Invalid("The BigQuery emulator does not support access to members of JSON".to_owned())),
        }
    }

    /// `x IN UNNEST(arr)`.
    pub(crate) fn resolve_in_unnest(
        &self,
        env: &Env<'_>,
        of: &ast::Expr,
        array: &ast::Expr,
        negated: bool,
        syntax: &ast::Expr,
    ) -> Result<TypedExpr, QueryError> {
        let (value, array) = (self.resolve_expr(env, of)?, self.resolve_expr(env, array)?);
        self.build_in_array(env, value, array, negated, syntax)
    }

    pub(crate) fn build_in_array(
        &self,
        env: &Env<'_>,
        value: TypedExpr,
        array: TypedExpr,
        negated: bool,
        syntax: &ast::Expr,
    ) -> Result<TypedExpr, QueryError> {
        let mismatch = || {
            let message = format!(
                "No matching signature for operator IN UNNEST for argument types: {}, {}",
                types::of(&value.field),
                types::of(&array.field)
            );
            error_at(message, syntax)
        };
        let element = types::element(&array.field).ok_or_else(mismatch)?;
        let element = TypedExpr { expr: Expr::default(), field: element.clone() };
        let common = supertype(&[value.clone(), element]).ok_or_else(mismatch)?;
        let array = self.coerce(array.clone(), &types::array_of(&common), syntax)?;
        let value = self.coerce(value, &common, syntax)?;
        let found = self.call_internal(env, "$in_array", vec![value.expr, array.expr], syntax)?.expr;
        Ok(typed_bool(if negated { Expr::Not(Box::new(found)) } else { found }))
    }
}
