//! Literals: numbers, text, bytes, dates.

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
use crate::resolve::scope::Typed;
use crate::syntax::escapes;
use crate::types;

impl Resolver<'_> {
    pub(crate) fn value(&self, value: &ast::ValueWithSpan) -> Result<Typed, QueryError> {
        match &value.value {
            Value::Number(text, _) => number(text).ok_or_else(|| error_at_span(format!("Invalid integer literal: {text}"), value.span)),
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
                let bytes =
                    bytes(text).ok_or_else(|| error_at_span("Syntax error: Illegal escape sequence in bytes literal", value.span))?;
                Ok(Typed { expr: lit(ScalarValue::Binary(Some(bytes))), field: types::plain(DataType::Binary) })
            }
            Value::HexStringLiteral(digits) => match i64::from_str_radix(digits, 16) {
                Ok(number) => Ok(int64(number)),
                Err(_) => Err(error_at_span(format!("Invalid integer literal: 0x{digits}"), value.span)),
            },
            Value::Boolean(truth) => Ok(Typed { expr: lit(*truth), field: types::plain(DataType::Boolean) }),
            Value::Null => Ok(Typed { expr: lit(ScalarValue::Null), field: types::plain(DataType::Null) }),
            Value::Placeholder(text) if text == "?" => self.positional_parameter(value.span),
            other => Err(error_at_span(format!("Syntax error: Unexpected {other}"), value.span)),
        }
    }

    /// `DATE '2026-11-01'` and its kin.
    pub(crate) fn typed_string(&self, text: &ast::TypedString, syntax: &ast::Expr) -> Result<Typed, QueryError> {
        let to = self.data_type(&text.data_type)?;
        let value = self.value(&text.value)?;
        if !super::supertype::is_text_literal(&value) {
            return Err(error_at("Syntax error: Expected a string literal", syntax));
        }
        let kind = types::of(&to);
        if types::is_json(&to) {
            return self.json_literal(value, text.value.span);
        }
        self.cast_to(value, &to, false, syntax).map_err(|error| match error {
            QueryError::Invalid(_) => error_at_span(format!("Invalid {kind} literal"), text.value.span),
            other => other,
        })
    }

    /// `JSON '{"a": 1}'`: parsed, as PARSE_JSON does.
    fn json_literal(&self, text: Typed, span: Span) -> Result<Typed, QueryError> {
        let Some(Function::Scalar { udf, .. }) = self.function("parse_json") else {
            return Err(unsupported_at("JSON literals", span));
        };
        let parsed = Expr::ScalarFunction(ScalarFunction::new_udf(udf, vec![text.expr, lit("exact")]));
        let value = self.evaluate(&parsed).map_err(|_| error_at_span("Invalid JSON literal", span))?;
        let field = types::json();
        Ok(Typed { expr: Expr::Literal(value, Some(FieldMetadata::from(field.metadata()))), field })
    }
}

pub(crate) fn int64(number: i64) -> Typed {
    Typed { expr: lit(number), field: types::plain(DataType::Int64) }
}

pub(crate) fn text_literal(text: &str) -> Typed {
    Typed { expr: lit(text), field: types::plain(DataType::Utf8) }
}

/// An INT64 where it is written as one, else a FLOAT64.
fn number(text: &str) -> Option<Typed> {
    if let Some(hex) = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        return i64::from_str_radix(hex, 16).ok().map(int64);
    }
    if text.bytes().all(|b| b.is_ascii_digit()) {
        return text.parse().ok().map(int64);
    }
    let number: f64 = text.parse().ok()?;
    Some(Typed { expr: Expr::Literal(ScalarValue::Float64(Some(number)), None), field: types::plain(DataType::Float64) })
}

/// What the text between the quotes of `b'…'` stands for; the parser leaves the escapes in it.
fn bytes(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let (byte, length) = match (first, after) {
            (b'\\', [b'x' | b'X', ..]) => (coded(rest.get(2..4)?, 16)?, 4),
            (b'\\', [b'0'..=b'3', ..]) => (coded(rest.get(1..4)?, 8)?, 4),
            (b'\\', [letter, ..]) => (escapes::simple(*letter)?, 2),
            (b'\\', []) => return None,
            (plain, _) => (*plain, 1),
        };
        bytes.push(byte);
        rest = &rest[length..];
    }
    Some(bytes)
}

fn coded(digits: &[u8], radix: u32) -> Option<u8> {
    u8::from_str_radix(std::str::from_utf8(digits).ok()?, radix).ok()
}
