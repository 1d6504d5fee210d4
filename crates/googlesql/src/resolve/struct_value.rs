//! Resolves STRUCT constructors: `STRUCT(1 AS a, b)`, `STRUCT<a INT64>(1)` and `(1, 2)`.
//!
//! Reference: <https://cloud.google.com/bigquery/docs/reference/standard-sql/data-types#constructing_a_struct>.

use std::collections::HashSet;

use datafusion::common::ScalarValue;
use datafusion::logical_expr::{Expr, lit};
use datafusion::sql::sqlparser::ast;
use datafusion::sql::sqlparser::tokenizer::Span;

use super::Resolver;
use crate::QueryError;
use crate::error_location::{error_at, error_at_span};
use crate::resolve::scope::{Env, TypedExpr};
use crate::types;

impl Resolver<'_> {
    /// Resolves `STRUCT(…)` and `STRUCT<…>(…)`.
    pub(crate) fn resolve_struct_literal(
        &self,
        env: &Env<'_>,
        values: &[ast::Expr],
        declared: &[ast::StructField],
        syntax: &ast::Expr,
    ) -> Result<TypedExpr, QueryError> {
        if !declared.is_empty() && declared.len() != values.len() {
            let message = format!("STRUCT type has {} fields but constructor call has {} fields", declared.len(), values.len());
            return Err(error_at(message, syntax));
        }
        let mut members = Vec::new();
        for (index, value) in values.iter().enumerate() {
            let (written, value) = match value {
                ast::Expr::Named { expr, name } => (Some(name.value.clone()), expr.as_ref()),
                other => (super::select::implied_name(other), other),
            };
            let mut resolved = self.resolve_expr(env, value)?;
            let mut name = written;
            if let Some(declared) = declared.get(index) {
                let field = self.resolve_type(&declared.field_type)?;
                resolved = self.coerce(resolved, &field, value)?;
                name = declared.field_name.as_ref().map(|name| name.value.clone());
            }
            members.push((name.unwrap_or_else(|| types::anonymous(index)), resolved));
        }
        use ast::Spanned;
        self.build_struct(members, syntax.span())
    }

    pub(crate) fn build_struct(&self, members: Vec<(String, TypedExpr)>, span: Span) -> Result<TypedExpr, QueryError> {
        let mut seen = HashSet::new();
        for (name, _) in &members {
            if !seen.insert(name.to_ascii_lowercase()) {
                let message = format!("The BigQuery emulator does not support STRUCTs with two members of the same name: {name}");
                return Err(error_at_span(message, span));
            }
        }
        let members: Vec<(String, TypedExpr)> = members.into_iter().map(|(name, value)| (name, self.replace_null_type(value))).collect();
        let field = types::struct_of(members.iter().map(|(name, value)| (name.clone(), value.field.clone())));
        let args = members.into_iter().flat_map(|(name, value)| [lit(name), value.expr]).collect();
        let function = datafusion::functions::core::named_struct();
        Ok(TypedExpr { expr: Expr::ScalarFunction(datafusion::logical_expr::expr::ScalarFunction::new_udf(function, args)), field })
    }

    /// Changes an untyped NULL to INT64.
    pub(crate) fn replace_null_type(&self, value: TypedExpr) -> TypedExpr {
        match value.field.data_type() {
            datafusion::arrow::datatypes::DataType::Null => {
                let field = types::plain(datafusion::arrow::datatypes::DataType::Int64);
                match value.expr {
                    Expr::Literal(..) => TypedExpr { expr: lit(ScalarValue::Int64(None)), field },
                    expr => TypedExpr { expr: super::supertype::arrow_cast(expr, &field), field },
                }
            }
            _ => value,
        }
    }
}
