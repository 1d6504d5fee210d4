//! Query parameters: `@name` and `?`.
//!
//! <https://cloud.google.com/bigquery/docs/reference/rest/v2/QueryParameter>: a value is text, an
//! ARRAY's `arrayValues`, a STRUCT's `structValues`; the type says how to read it. A parameter
//! becomes a literal.

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
use crate::resolve::scope::Typed;
use crate::types;

impl Resolver<'_> {
    pub(crate) fn named_parameter(&self, name: &Ident) -> Result<Typed, QueryError> {
        if name.value.starts_with("@@") {
            return Err(error_at_span(format!("The local BigQuery does not support system variables: {}", name.value), name.span));
        }
        let wanted = &name.value[1..];
        let found =
            self.query.parameters.iter().find(|parameter| parameter["name"].as_str().is_some_and(|name| name.eq_ignore_ascii_case(wanted)));
        match found {
            Some(parameter) => self.parameter(parameter, name.span),
            None => Err(error_at_span(format!("Query parameter '{wanted}' not found"), name.span)),
        }
    }

    pub(crate) fn positional_parameter(&self, span: Span) -> Result<Typed, QueryError> {
        // The syntax may be looked at more than once; the place tells which parameter it is.
        let index = self.placeholders.iter().position(|place| *place == span.start);
        match index.and_then(|index| self.query.parameters.get(index)) {
            Some(parameter) if parameter["name"].as_str().unwrap_or_default().is_empty() => self.parameter(parameter, span),
            _ => Err(error_at_span("Query parameter number is out of range: not enough positional parameters were given", span)),
        }
    }

    fn parameter(&self, parameter: &Value, span: Span) -> Result<Typed, QueryError> {
        let field = self.parameter_type(&parameter["parameterType"], span)?;
        self.parameter_value(&field, &parameter["parameterValue"], span)
    }

    fn parameter_type(&self, stated: &Value, span: Span) -> Result<FieldRef, QueryError> {
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
            "ARRAY" => return Ok(types::array_of(self.parameter_type(&stated["arrayType"], span)?.as_ref())),
            "STRUCT" | "RECORD" => {
                let members = stated["structTypes"].as_array().ok_or_else(unknown)?;
                let members = members.iter().enumerate().map(|(index, member)| {
                    let name = member["name"].as_str().filter(|name| !name.is_empty());
                    Ok((name.map_or_else(|| types::anonymous(index), str::to_owned), self.parameter_type(&member["type"], span)?))
                });
                return Ok(types::struct_of(members.collect::<Result<Vec<_>, QueryError>>()?));
            }
            _ => return Err(unknown()),
        }))
    }

    fn parameter_value(&self, field: &FieldRef, value: &Value, span: Span) -> Result<Typed, QueryError> {
        let bad = || error_at_span(format!("Invalid value for query parameter of type {}: {value}", types::of(field)), span);
        match field.data_type() {
            DataType::List(element) => {
                let element: FieldRef = element.as_ref().clone().with_name("").into();
                let values = match &value["arrayValues"] {
                    Value::Array(values) => values.as_slice(),
                    _ => &[],
                };
                let values = values.iter().map(|value| {
                    let value = self.parameter_value(&element, value, span)?;
                    self.evaluate(&value.expr)
                });
                let values = values.collect::<Result<Vec<_>, _>>()?;
                let list = ScalarValue::new_list_nullable(&values, element.data_type());
                Ok(Typed { expr: lit(ScalarValue::List(list)), field: field.clone() })
            }
            DataType::Struct(members) => {
                let values = members.iter().map(|member| {
                    let of: FieldRef = member.as_ref().clone().with_name("").into();
                    Ok((member.name().clone(), self.parameter_value(&of, &value["structValues"][member.name()], span)?))
                });
                let structure = self.structure(values.collect::<Result<_, QueryError>>()?, span)?;
                let folded = self.evaluate(&structure.expr)?;
                Ok(Typed { expr: lit(folded), field: field.clone() })
            }
            _ => match &value["value"] {
                Value::Null => self.null(field),
                Value::String(text) => self.parameter_scalar(field, text, span).map_err(|_| bad()),
                Value::Number(number) => self.parameter_scalar(field, &number.to_string(), span).map_err(|_| bad()),
                Value::Bool(truth) => self.parameter_scalar(field, &truth.to_string(), span).map_err(|_| bad()),
                _ => Err(bad()),
            },
        }
    }

    fn parameter_scalar(&self, field: &FieldRef, text: &str, span: Span) -> Result<Typed, QueryError> {
        use base64::Engine;
        if field.data_type() == &DataType::Binary {
            let bytes = base64::prelude::BASE64_STANDARD.decode(text);
            let bytes = bytes.map_err(|_| error_at_span("Invalid base64", span))?;
            return Ok(Typed { expr: lit(ScalarValue::Binary(Some(bytes))), field: field.clone() });
        }
        if types::is_json(field) {
            let metadata = datafusion::common::metadata::FieldMetadata::from(field.metadata());
            return Ok(Typed { expr: Expr::Literal(ScalarValue::Utf8(Some(text.to_owned())), Some(metadata)), field: field.clone() });
        }
        self.cast_to(text_literal(text), field, false, &ast::Expr::Identifier(Ident::with_span(span, "")))
    }
}
