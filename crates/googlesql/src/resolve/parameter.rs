//! Resolves query parameters, `@name` and `?`, to literals.
//!
//! A parameter has a type and a value. The value is text, `arrayValues` or `structValues`.
//! Reference: <https://cloud.google.com/bigquery/docs/reference/rest/v2/QueryParameter>.

use datafusion::arrow::datatypes::{DataType, FieldRef};
use datafusion::common::ScalarValue;
use datafusion::logical_expr::{Expr, lit};
use datafusion::sql::sqlparser::ast::{self, Ident};
use datafusion::sql::sqlparser::tokenizer::Span;
use serde_json::Value;

use super::Resolver;
use super::literal::text_literal;
use crate::QueryError;
use crate::error_location::error_at_span;
use crate::resolve::scope::TypedExpr;
use crate::types;

impl Resolver<'_> {
    pub(crate) fn resolve_named_parameter(&self, name: &Ident) -> Result<TypedExpr, QueryError> {
        if name.value.starts_with("@@") {
            return Err(error_at_span(format!("The BigQuery emulator does not support system variables: {}", name.value), name.span));
        }
        let wanted = &name.value[1..];
        let found =
            self.query.parameters.iter().find(|parameter| parameter["name"].as_str().is_some_and(|name| name.eq_ignore_ascii_case(wanted)));
        match found {
            Some(parameter) => self.resolve_parameter(parameter, name.span),
            None => Err(error_at_span(format!("Query parameter '{wanted}' not found"), name.span)),
        }
    }

    pub(crate) fn resolve_positional_parameter(&self, span: Span) -> Result<TypedExpr, QueryError> {
        // Syntax may be resolved more than once, so the location identifies the parameter.
        let index = self.placeholders.iter().position(|location| *location == span.start);
        match index.and_then(|index| self.query.parameters.get(index)) {
            Some(parameter) if parameter["name"].as_str().unwrap_or_default().is_empty() => self.resolve_parameter(parameter, span),
            _ => Err(error_at_span("Query parameter number is out of range: not enough positional parameters were given", span)),
        }
    }

    fn resolve_parameter(&self, parameter: &Value, span: Span) -> Result<TypedExpr, QueryError> {
        let field = self.parse_parameter_type(&parameter["parameterType"], span)?;
        self.parse_parameter_value(&field, &parameter["parameterValue"], span)
    }

    fn parse_parameter_type(&self, stated: &Value, span: Span) -> Result<FieldRef, QueryError> {
        let unknown = || error_at_span(format!("Invalid query parameter type: {stated}"), span);
        let name = stated["type"].as_str().unwrap_or_default().to_uppercase();
        Ok(types::plain(match name.as_str() {
            "STRING" => DataType::Utf8,
            "INT64" | "INTEGER" => DataType::Int64,
            "FLOAT64" | "FLOAT" => DataType::Float64,
            "BOOL" | "BOOLEAN" => DataType::Boolean,
            "BYTES" => DataType::Binary,
            "DATE" => DataType::Date32,
            "DATETIME" => types::DATETIME,
            "TIME" => types::TIME,
            "TIMESTAMP" => types::timestamp(),
            "NUMERIC" | "DECIMAL" => types::NUMERIC,
            "BIGNUMERIC" | "BIGDECIMAL" => types::BIGNUMERIC,
            "JSON" => return Ok(types::json()),
            "ARRAY" => return Ok(types::array_of(self.parse_parameter_type(&stated["arrayType"], span)?.as_ref())),
            "STRUCT" | "RECORD" => {
                let members = stated["structTypes"].as_array().ok_or_else(unknown)?;
                let members = members.iter().enumerate().map(|(index, member)| {
                    let name = member["name"].as_str().filter(|name| !name.is_empty());
                    Ok((name.map_or_else(|| types::anonymous(index), str::to_owned), self.parse_parameter_type(&member["type"], span)?))
                });
                return Ok(types::struct_of(members.collect::<Result<Vec<_>, QueryError>>()?));
            }
            _ => return Err(unknown()),
        }))
    }

    fn parse_parameter_value(&self, field: &FieldRef, value: &Value, span: Span) -> Result<TypedExpr, QueryError> {
        let bad = || error_at_span(format!("Invalid value for query parameter of type {}: {value}", types::of(field)), span);
        match field.data_type() {
            DataType::List(element) => {
                let element: FieldRef = element.as_ref().clone().with_name("").into();
                let values = match &value["arrayValues"] {
                    Value::Array(values) => values.as_slice(),
                    _ => &[],
                };
                let values = values.iter().map(|value| {
                    let value = self.parse_parameter_value(&element, value, span)?;
                    self.evaluate(&value.expr)
                });
                let values = values.collect::<Result<Vec<_>, _>>()?;
                let list = ScalarValue::new_list_nullable(&values, element.data_type());
                Ok(TypedExpr { expr: lit(ScalarValue::List(list)), field: field.clone() })
            }
            DataType::Struct(members) => {
                let values = members.iter().map(|member| {
                    let of: FieldRef = member.as_ref().clone().with_name("").into();
                    Ok((member.name().clone(), self.parse_parameter_value(&of, &value["structValues"][member.name()], span)?))
                });
                let structure = self.build_struct(values.collect::<Result<_, QueryError>>()?, span)?;
                let folded = self.evaluate(&structure.expr)?;
                Ok(TypedExpr { expr: lit(folded), field: field.clone() })
            }
            _ => match &value["value"] {
                Value::Null => self.typed_null(field),
                Value::String(text) => self.parse_parameter_scalar(field, text, span).map_err(|_| bad()),
                Value::Number(number) => self.parse_parameter_scalar(field, &number.to_string(), span).map_err(|_| bad()),
                Value::Bool(truth) => self.parse_parameter_scalar(field, &truth.to_string(), span).map_err(|_| bad()),
                _ => Err(bad()),
            },
        }
    }

    fn parse_parameter_scalar(&self, field: &FieldRef, text: &str, span: Span) -> Result<TypedExpr, QueryError> {
        use base64::Engine;
        if field.data_type() == &DataType::Binary {
            let bytes = base64::prelude::BASE64_STANDARD.decode(text);
            let bytes = bytes.map_err(|_| error_at_span("Invalid base64", span))?;
            return Ok(TypedExpr { expr: lit(ScalarValue::Binary(Some(bytes))), field: field.clone() });
        }
        if types::is_json(field) {
            let metadata = datafusion::common::metadata::FieldMetadata::from(field.metadata());
            return Ok(TypedExpr { expr: Expr::Literal(ScalarValue::Utf8(Some(text.to_owned())), Some(metadata)), field: field.clone() });
        }
        self.cast_to(text_literal(text), field, false, &ast::Expr::Identifier(Ident::with_span(span, "")))
    }
}
