//! Resolves CAST, SAFE_CAST and the names of types.
//!
//! Reference: <https://cloud.google.com/bigquery/docs/reference/standard-sql/conversion_functions#cast>.

use datafusion::arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::logical_expr::Expr;
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::sql::sqlparser::ast::{self, Spanned};
use datafusion::sql::sqlparser::tokenizer::Span;

use super::Resolver;
use super::supertype::arrow_cast;
use crate::QueryError;
use crate::error_location::{error_at, error_at_span};
use crate::functions::Function;
use crate::resolve::scope::{Env, TypedExpr};
use crate::types;

impl Resolver<'_> {
    pub(crate) fn resolve_cast(
        &self,
        env: &Env<'_>,
        kind: &ast::CastKind,
        of: &ast::Expr,
        to: &ast::DataType,
        format: Option<&ast::CastFormat>,
        syntax: &ast::Expr,
    ) -> Result<TypedExpr, QueryError> {
        let safe = match kind {
            ast::CastKind::Cast => false,
            ast::CastKind::SafeCast => true,
            ast::CastKind::TryCast | ast::CastKind::DoubleColon => {
                return Err(error_at("Syntax error: GoogleSQL supports only CAST and SAFE_CAST", syntax));
            }
        };
        let to = self.resolve_type(to).map_err(|error| match error {
            QueryError::Invalid(message) => error_at(message, syntax),
            other => other,
        })?;
        if let Some(format) = format {
            return self.resolve_cast_with_format(env, of, &to, format, safe, syntax);
        }
        if let (ast::Expr::Array(array), Some(element)) = (of, types::element(&to)) {
            let element = element.as_ref().clone().with_name("").into();
            return self.resolve_array_literal(env, &array.elem, Some(&element), syntax);
        }
        let value = self.resolve_expr(env, of)?;
        if types::is_json(&value.field) != types::is_json(&to) && !super::supertype::is_null(&value) {
            let message = format!("Invalid cast from {} to {}", types::of(&value.field), types::of(&to));
            return Err(error_at(message, syntax));
        }
        self.cast_to(value, &to, safe, syntax)
    }

    /// `CAST(… AS … FORMAT '…' AT TIME ZONE '…')`.
    fn resolve_cast_with_format(
        &self,
        env: &Env<'_>,
        of: &ast::Expr,
        to: &FieldRef,
        format: &ast::CastFormat,
        safe: bool,
        syntax: &ast::Expr,
    ) -> Result<TypedExpr, QueryError> {
        let value = self.resolve_expr(env, of)?;
        if super::supertype::is_null(&value) {
            return self.cast_null(value, to);
        }
        let (format, zone) = match format {
            ast::CastFormat::Value(format) => (format, None),
            ast::CastFormat::ValueAtTimeZone(format, zone) => (format, Some(zone)),
        };
        let mut args = vec![value.expr, self.resolve_value(format)?.expr];
        args.extend(zone.map(|zone| self.resolve_value(zone)).transpose()?.map(|zone| zone.expr));
        let name = format!("{}_{}_format", if safe { "$safe_cast" } else { "$cast" }, function_suffix(to).unwrap_or("none"));
        match self.find_function(&name) {
            Some(Function::Scalar { udf, .. }) => self.call_udf(env, udf, args, syntax.span()).map_err(|error| match error {
                QueryError::Invalid(message) if message.starts_with("No matching signature") => {
                    invalid_cast_with_format_error(&value.field, to, syntax.span())
                }
                other => other,
            }),
            _ => Err(invalid_cast_with_format_error(&value.field, to, syntax.span())),
        }
    }

    /// Casts a value by GoogleSQL's rules for CAST.
    pub(crate) fn cast_to(&self, value: TypedExpr, to: &FieldRef, safe: bool, syntax: &impl Spanned) -> Result<TypedExpr, QueryError> {
        if super::supertype::is_null(&value) {
            return self.cast_null(value, to);
        }
        if types::same(&value.field, to) {
            return Ok(TypedExpr { field: to.clone(), ..value });
        }
        let Some(suffix) = function_suffix(to) else {
            return match self.can_coerce(&value, to) || self.can_coerce_elements(&value, to) {
                true => Ok(TypedExpr { expr: arrow_cast(value.expr, to), field: to.clone() }),
                false => Err(invalid_cast_error(&value.field, to, syntax.span())),
            };
        };
        let name = if safe { format!("$safe_cast_{suffix}") } else { format!("$cast_{suffix}") };
        let is_literal = matches!(value.expr, Expr::Literal(..));
        let from = value.field.clone();
        let expr = match self.find_function(&name) {
            Some(Function::Scalar { udf, .. }) => Expr::ScalarFunction(ScalarFunction::new_udf(udf, vec![value.expr])),
            _ => return Err(invalid_cast_error(&value.field, to, syntax.span())),
        };
        // The cast of a literal is evaluated here, so that its error has a location.
        {
            use datafusion::common::DFSchema;
            use datafusion::logical_expr::ExprSchemable;
            if is_literal {
                expr.to_field(&DFSchema::empty()).map_err(|_| invalid_cast_error(&from, to, syntax.span()))?;
                let folded = self.evaluate(&expr).map_err(|error| match error {
                    QueryError::Invalid(message) => error_at(message, syntax),
                    other => other,
                })?;
                let metadata = (!to.metadata().is_empty()).then(|| datafusion::common::metadata::FieldMetadata::from(to.metadata()));
                return Ok(TypedExpr { expr: Expr::Literal(folded, metadata), field: to.clone() });
            }
        }
        Ok(TypedExpr { expr, field: to.clone() })
    }

    pub(crate) fn can_coerce_elements(&self, value: &TypedExpr, to: &FieldRef) -> bool {
        match (types::element(&value.field), types::element(to)) {
            // Arrow's cast matches the members of STRUCTs by name, and GoogleSQL by position.
            (Some(_), Some(to)) if matches!(to.data_type(), DataType::Struct(_)) => false,
            (Some(from), Some(to)) => {
                let element = TypedExpr { expr: Expr::default(), field: from.clone() };
                self.can_coerce(&element, to)
            }
            _ => false,
        }
    }

    /// Resolves the name of a type.
    pub(crate) fn resolve_type(&self, syntax: &ast::DataType) -> Result<FieldRef, QueryError> {
        use ast::DataType as Named;
        Ok(types::plain(match syntax {
            Named::Int64 | Named::Int(None) | Named::Integer(None) | Named::BigInt(None) | Named::SmallInt(None) | Named::TinyInt(None) => {
                DataType::Int64
            }
            Named::Float64 => DataType::Float64,
            Named::Numeric(_) | Named::Decimal(_) => types::NUMERIC,
            Named::BigNumeric(_) | Named::BigDecimal(_) => types::BIGNUMERIC,
            Named::Bool | Named::Boolean => DataType::Boolean,
            Named::String(_) => DataType::Utf8,
            Named::Bytes(_) => DataType::Binary,
            Named::Date => DataType::Date32,
            Named::Datetime(None) => types::DATETIME,
            Named::Time(None, _) => types::TIME,
            Named::Timestamp(None, _) => types::timestamp(),
            Named::Interval { .. } => types::INTERVAL,
            Named::JSON => return Ok(types::json()),
            Named::Array(ast::ArrayElemTypeDef::AngleBracket(element)) => return Ok(types::array_of(self.resolve_type(element)?.as_ref())),
            Named::Struct(members, _) => {
                let members = members.iter().enumerate().map(|(index, member)| {
                    let name = member.field_name.as_ref().map_or_else(|| types::anonymous(index), |name| name.value.clone());
                    Ok((name, self.resolve_type(&member.field_type)?))
                });
                return Ok(types::struct_of(members.collect::<Result<Vec<_>, QueryError>>()?));
            }
            Named::Custom(name, arguments) if arguments.is_empty() => match name.to_string().to_uppercase().as_str() {
                "BYTEINT" => DataType::Int64,
                _ => return Err(QueryError::Invalid(format!("Type not found: {name}"))),
            },
            other => return Err(QueryError::Invalid(format!("Type not found: {other}"))),
        }))
    }
}

fn invalid_cast_error(from: &Field, to: &Field, span: Span) -> QueryError {
    error_at_span(format!("Invalid cast from {} to {}", types::of(from), types::of(to)), span)
}

fn invalid_cast_with_format_error(from: &Field, to: &Field, span: Span) -> QueryError {
    error_at_span(format!("FORMAT is not allowed for cast from {} to {}", types::of(from), types::of(to)), span)
}

/// The suffix in the names of the functions that cast to this type.
fn function_suffix(to: &Field) -> Option<&'static str> {
    Some(match to.data_type() {
        _ if types::is_json(to) => "json",
        DataType::Int64 => "int64",
        DataType::Float64 => "float64",
        DataType::Decimal128(..) => "numeric",
        DataType::Decimal256(..) => "bignumeric",
        DataType::Boolean => "bool",
        DataType::Utf8 => "string",
        DataType::Binary => "bytes",
        DataType::Date32 => "date",
        DataType::Timestamp(_, None) => "datetime",
        DataType::Time64(_) => "time",
        DataType::Timestamp(_, Some(_)) => "timestamp",
        DataType::Interval(_) => "interval",
        _ => return None,
    })
}
