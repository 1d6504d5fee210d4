//! STRUCTs: `STRUCT(1 AS a, b)`, `STRUCT<a INT64>(1)`, `(1, 2)`.

use datafusion::common::ScalarValue;
use datafusion::logical_expr::{Expr, lit};
use datafusion::sql::sqlparser::ast;
use datafusion::sql::sqlparser::tokenizer::Span;

use super::Resolver;
use crate::QueryError;
use crate::error_location::{error_at, error_at_span};
use crate::resolve::scope::{Env, Typed};
use crate::types;

impl Resolver<'_> {
    /// `STRUCT(…)` with or without the types of its members.
    pub(crate) fn struct_literal(
        &self,
        env: &Env<'_>,
        values: &[ast::Expr],
        declared: &[ast::StructField],
        syntax: &ast::Expr,
    ) -> Result<Typed, QueryError> {
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
            let mut resolved = self.expr(env, value)?;
            let mut name = written;
            if let Some(declared) = declared.get(index) {
                let field = self.data_type(&declared.field_type)?;
                resolved = self.coerce(resolved, &field, value)?;
                name = declared.field_name.as_ref().map(|name| name.value.clone());
            }
            members.push((name.unwrap_or_else(|| types::anonymous(index)), resolved));
        }
        use ast::Spanned;
        self.structure(members, syntax.span())
    }

    pub(crate) fn structure(&self, members: Vec<(String, Typed)>, span: Span) -> Result<Typed, QueryError> {
        for (index, (name, _)) in members.iter().enumerate() {
            if members[..index].iter().any(|(other, _)| other.eq_ignore_ascii_case(name)) {
                let message = format!("The local BigQuery does not support STRUCTs with two members of one name: {name}");
                return Err(error_at_span(message, span));
            }
        }
        let members: Vec<(String, Typed)> = members.into_iter().map(|(name, value)| (name, self.without_null_type(value))).collect();
        let field = types::struct_of(members.iter().map(|(name, value)| (name.clone(), value.field.clone())));
        let args = members.into_iter().flat_map(|(name, value)| [lit(name), value.expr]).collect();
        let function = datafusion::functions::core::named_struct();
        Ok(Typed { expr: Expr::ScalarFunction(datafusion::logical_expr::expr::ScalarFunction::new_udf(function, args)), field })
    }

    /// An untyped NULL is an INT64 where nothing else says what it is.
    pub(crate) fn without_null_type(&self, value: Typed) -> Typed {
        match value.field.data_type() {
            datafusion::arrow::datatypes::DataType::Null => {
                let field = types::plain(datafusion::arrow::datatypes::DataType::Int64);
                match value.expr {
                    Expr::Literal(..) => Typed { expr: lit(ScalarValue::Int64(None)), field },
                    expr => Typed { expr: super::supertype::arrow_cast(expr, &field), field },
                }
            }
            _ => value,
        }
    }
}
