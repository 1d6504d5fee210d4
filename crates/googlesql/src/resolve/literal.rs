//! Resolves literals: numbers, strings, bytes, dates, times and JSON.
//!
//! Reference: <https://cloud.google.com/bigquery/docs/reference/standard-sql/lexical#literals>.

use datafusion::arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use datafusion::common::metadata::FieldMetadata;
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::{Expr, lit};
use datafusion::sql::sqlparser::ast::{self, Value};
use datafusion::sql::sqlparser::tokenizer::Span;

use super::Resolver;
use crate::QueryError;
use crate::error_location::{error_at, error_at_span, unsupported_at};
use crate::functions::Function;
use crate::resolve::scope::TypedExpr;
use crate::syntax::escapes;
use crate::types;

impl Resolver<'_> {
    pub(crate) fn resolve_value(&self, value: &ast::ValueWithSpan) -> Result<TypedExpr, QueryError> {
        match &value.value {
            Value::Number(text, _) => {
                parse_number(text).ok_or_else(|| error_at_span(format!("Invalid integer literal: {text}"), value.span))
            }
            Value::SingleQuotedString(text)
            | Value::DoubleQuotedString(text)
            | Value::TripleSingleQuotedString(text)
            | Value::TripleDoubleQuotedString(text)
            | Value::SingleQuotedRawStringLiteral(text)
            | Value::DoubleQuotedRawStringLiteral(text)
            | Value::TripleSingleQuotedRawStringLiteral(text)
            | Value::TripleDoubleQuotedRawStringLiteral(text) => Ok(text_literal(text)),
            Value::SingleQuotedByteStringLiteral(text)
            | Value::DoubleQuotedByteStringLiteral(text)
            | Value::TripleSingleQuotedByteStringLiteral(text)
            | Value::TripleDoubleQuotedByteStringLiteral(text) => {
                let bytes = unescape_bytes(text)
                    .ok_or_else(|| error_at_span("Syntax error: Illegal escape sequence in bytes literal", value.span))?;
                Ok(TypedExpr { expr: lit(ScalarValue::Binary(Some(bytes))), field: types::plain(DataType::Binary) })
            }
            Value::HexStringLiteral(digits) => match i64::from_str_radix(digits, 16) {
                Ok(number) => Ok(int64(number)),
                Err(_) => Err(error_at_span(format!("Invalid integer literal: 0x{digits}"), value.span)),
            },
            Value::Boolean(truth) => Ok(TypedExpr { expr: lit(*truth), field: types::plain(DataType::Boolean) }),
            Value::Null => Ok(TypedExpr { expr: lit(ScalarValue::Null), field: types::plain(DataType::Null) }),
            Value::Placeholder(text) if text == "?" => self.resolve_positional_parameter(value.span),
            other => Err(error_at_span(format!("Syntax error: Unexpected {other}"), value.span)),
        }
    }

    /// Resolves a literal with a type: `DATE '2026-11-01'`.
    pub(crate) fn resolve_typed_literal(&self, text: &ast::TypedString, syntax: &ast::Expr) -> Result<TypedExpr, QueryError> {
        let to = self.resolve_type(&text.data_type)?;
        let value = self.resolve_value(&text.value)?;
        if !super::supertype::is_text_literal(&value) {
            return Err(error_at("Syntax error: Expected a string literal", syntax));
        }
        let kind = types::of(&to);
        if types::is_json(&to) {
            return self.resolve_json_literal(value, text.value.span);
        }
        self.cast_to(value, &to, false, syntax).map_err(|error| match error {
            QueryError::Invalid(_) => error_at_span(format!("Invalid {kind} literal"), text.value.span),
            other => other,
        })
    }

    /// Resolves `JSON '{"a": 1}'` like PARSE_JSON.
    fn resolve_json_literal(&self, text: TypedExpr, span: Span) -> Result<TypedExpr, QueryError> {
        let Some(Function::Scalar { udf, .. }) = self.find_function("parse_json") else {
            return Err(unsupported_at("JSON literals", span));
        };
        let parsed = Expr::ScalarFunction(ScalarFunction::new_udf(udf, vec![text.expr, lit("exact")]));
        let value = self.evaluate(&parsed).map_err(|_| error_at_span("Invalid JSON literal", span))?;
        let field = types::json();
        Ok(TypedExpr { expr: Expr::Literal(value, Some(FieldMetadata::from(field.metadata()))), field })
    }
}

pub(crate) fn int64(number: i64) -> TypedExpr {
    TypedExpr { expr: lit(number), field: types::plain(DataType::Int64) }
}

pub(crate) fn text_literal(text: &str) -> TypedExpr {
    TypedExpr { expr: lit(text), field: types::plain(DataType::Utf8) }
}

/// Parses an INT64 if the text has only digits, otherwise a FLOAT64.
fn parse_number(text: &str) -> Option<TypedExpr> {
    if let Some(hex) = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        return i64::from_str_radix(hex, 16).ok().map(int64);
    }
    if text.bytes().all(|b| b.is_ascii_digit()) {
        return text.parse().ok().map(int64);
    }
    let number: f64 = text.parse().ok()?;
    Some(TypedExpr { expr: Expr::Literal(ScalarValue::Float64(Some(number)), None), field: types::plain(DataType::Float64) })
}

/// Unescapes the text between the quotes of `b'…'`.
fn unescape_bytes(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let (byte, length) = match (first, after) {
            (b'\\', [b'x' | b'X', ..]) => (parse_code(rest.get(2..4)?, 16)?, 4),
            (b'\\', [b'0'..=b'3', ..]) => (parse_code(rest.get(1..4)?, 8)?, 4),
            (b'\\', [letter, ..]) => (escapes::parse_simple_escape(*letter)?, 2),
            (b'\\', []) => return None,
            (plain, _) => (*plain, 1),
        };
        bytes.push(byte);
        rest = &rest[length..];
    }
    Some(bytes)
}

fn parse_code(digits: &[u8], radix: u32) -> Option<u8> {
    u8::from_str_radix(std::str::from_utf8(digits).ok()?, radix).ok()
}
