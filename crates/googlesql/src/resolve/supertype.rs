//! Finds the common supertype of values, and coerces values to a type.
//!
//! GoogleSQL coerces INT64 to NUMERIC to BIGNUMERIC to FLOAT64, DATE to DATETIME, NULL to any type, and string literals
//! and parameters to dates, times and timestamps.
//! Reference: <https://cloud.google.com/bigquery/docs/reference/standard-sql/conversion_rules>.

use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Fields};
use datafusion::common::ScalarValue;
use datafusion::functions::core::expr_ext::FieldAccessor;
use datafusion::functions::core::named_struct;
use datafusion::logical_expr::expr::{Case, Cast, ScalarFunction};
use datafusion::logical_expr::{Expr, lit};
use datafusion::sql::sqlparser::ast::Spanned;

use super::Resolver;
use crate::QueryError;
use crate::error_location::error_at;
use crate::resolve::scope::TypedExpr;
use crate::types;

/// The common supertype of the values; `None` if there is none.
pub(crate) fn supertype(values: &[TypedExpr]) -> Option<FieldRef> {
    let mut common: Option<FieldRef> = None;
    for value in values.iter().filter(|value| !is_null(value) && !is_text_literal(value)) {
        let field = literal_type(&value.expr, &value.field);
        common = Some(match common {
            None => field,
            Some(so_far) => wider_type(&so_far, &field)?,
        });
    }
    let common = common.map(|common| replace_null_members(&common));
    let has_text = values.iter().any(is_text_literal);
    match common {
        None if has_text => Some(types::plain(DataType::Utf8)),
        None => Some(types::plain(DataType::Null)),
        Some(common) if !has_text || accepts_text_literal(common.data_type()) => Some(common),
        Some(_) => None,
    }
}

/// The type of a literal. A NULL in a STRUCT literal has no type yet.
fn literal_type(expr: &Expr, field: &FieldRef) -> FieldRef {
    let DataType::Struct(members) = field.data_type() else { return field.clone() };
    let Some(values) = struct_literal_members(expr) else { return field.clone() };
    let member = |(value, member): (&Expr, &FieldRef)| match value {
        Expr::Literal(value, _) if value.is_null() && member.data_type() == &DataType::Int64 => {
            (member.name().clone(), types::plain(DataType::Null))
        }
        value => (member.name().clone(), literal_type(value, &without_name(member))),
    };
    types::struct_of(values.into_iter().zip(members).map(member))
}

/// The member values of a STRUCT literal.
fn struct_literal_members(expr: &Expr) -> Option<Vec<&Expr>> {
    match expr {
        Expr::ScalarFunction(call) if call.func.name() == named_struct().name() => Some(call.args.iter().skip(1).step_by(2).collect()),
        _ => None,
    }
}

/// Changes untyped members of a STRUCT to INT64.
fn replace_null_members(field: &FieldRef) -> FieldRef {
    match field.data_type() {
        DataType::Struct(members) => types::struct_of(members.iter().map(|member| {
            (
                member.name().clone(),
                match member.data_type() {
                    DataType::Null => types::plain(DataType::Int64),
                    _ => replace_null_members(&without_name(member)),
                },
            )
        })),
        _ => field.clone(),
    }
}

pub(crate) fn is_null(value: &TypedExpr) -> bool {
    value.field.data_type() == &DataType::Null
}

/// Whether the value is a string literal.
pub(crate) fn is_text_literal(value: &TypedExpr) -> bool {
    !types::is_json(&value.field) && matches!(&value.expr, Expr::Literal(ScalarValue::Utf8(Some(_)), _))
}

/// Whether a string literal can be coerced to the type.
fn accepts_text_literal(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Utf8 | DataType::Date32 | DataType::Time64(_) | DataType::Timestamp(..))
}

fn wider_type(a: &FieldRef, b: &FieldRef) -> Option<FieldRef> {
    if types::same(a, b) {
        return Some(a.clone());
    }
    if let (Some(a), Some(b)) = (numeric_rank(a.data_type()), numeric_rank(b.data_type())) {
        return Some(types::plain(numeric_type(a.max(b))));
    }
    match (a.data_type(), b.data_type()) {
        (DataType::Null, _) => Some(b.clone()),
        (_, DataType::Null) => Some(a.clone()),
        (DataType::Date32, DataType::Timestamp(_, None)) => Some(b.clone()),
        (DataType::Timestamp(_, None), DataType::Date32) => Some(a.clone()),
        (DataType::Struct(first), DataType::Struct(second)) if first.len() == second.len() => {
            let members: Option<Vec<_>> = first
                .iter()
                .zip(second)
                .map(|(a, b)| wider_type(&without_name(a), &without_name(b)).map(|wider| (a.name().clone(), wider)))
                .collect();
            members.map(types::struct_of)
        }
        _ => None,
    }
}

fn without_name(field: &Field) -> FieldRef {
    Arc::new(field.clone().with_name("").with_nullable(true))
}

fn numeric_rank(data_type: &DataType) -> Option<usize> {
    match data_type {
        DataType::Int64 => Some(0),
        DataType::Decimal128(..) => Some(1),
        DataType::Decimal256(..) => Some(2),
        DataType::Float64 => Some(3),
        _ => None,
    }
}

fn numeric_type(rank: usize) -> DataType {
    match rank {
        0 => DataType::Int64,
        1 => types::NUMERIC,
        2 => types::BIGNUMERIC,
        _ => DataType::Float64,
    }
}

/// Casts with Arrow, for conversions that cannot fail.
pub(crate) fn arrow_cast(expr: Expr, to: &Field) -> Expr {
    Expr::Cast(Cast::new(Box::new(expr), to.data_type().clone()))
}

impl Resolver<'_> {
    /// Whether the value can be coerced to the type.
    pub(crate) fn can_coerce(&self, value: &TypedExpr, to: &FieldRef) -> bool {
        // The supertype of STRUCTs has the member names of the first one.
        supertype(&[TypedExpr { expr: lit(ScalarValue::Null).alias("?"), field: to.clone() }, value.clone()])
            .is_some_and(|common| types::same(&common, to))
            || (is_text_literal(value) && accepts_text_literal(to.data_type()))
    }

    /// Coerces the value, or fails with BigQuery's message.
    pub(crate) fn coerce(&self, value: TypedExpr, to: &FieldRef, syntax: &impl Spanned) -> Result<TypedExpr, QueryError> {
        if types::same(&value.field, to) {
            return Ok(TypedExpr { field: to.clone(), ..value });
        }
        if is_null(&value) {
            return self.cast_null(value, to);
        }
        if !self.can_coerce(&value, to) && !self.can_coerce_elements(&value, to) {
            let message = format!("Cannot coerce a value of type {} to {}", types::of(&value.field), types::of(to));
            return Err(error_at(message, syntax));
        }
        match to.data_type() {
            DataType::Struct(members) => self.coerce_members(value, members, to, syntax),
            DataType::List(_) | DataType::Null => Ok(TypedExpr { expr: arrow_cast(value.expr, to), field: to.clone() }),
            DataType::Float64 if value.field.data_type() == &DataType::Int64 => {
                Ok(TypedExpr { expr: arrow_cast(value.expr, to), field: to.clone() })
            }
            _ => self.cast_to(value, to, false, syntax),
        }
    }

    /// Coerces a STRUCT member by member, by position.
    fn coerce_members(&self, value: TypedExpr, members: &Fields, to: &FieldRef, syntax: &impl Spanned) -> Result<TypedExpr, QueryError> {
        let DataType::Struct(from) = value.field.data_type() else {
            return self.typed_null(to);
        };
        let mut args = Vec::new();
        let values = struct_literal_members(&value.expr);
        for (index, (from, member)) in from.iter().zip(members).enumerate() {
            let written = values.as_ref().and_then(|values| values.get(index)).copied();
            let field = match written {
                Some(Expr::Literal(value, _)) if value.is_null() => types::plain(DataType::Null),
                _ => without_name(from),
            };
            let part = TypedExpr { expr: written.cloned().unwrap_or_else(|| value.expr.clone().field(from.name().as_str())), field };
            args.extend([lit(member.name().as_str()), self.coerce(part, &without_name(member), syntax)?.expr]);
        }
        let is_written = values.is_some();
        let whole = Expr::ScalarFunction(ScalarFunction::new_udf(named_struct(), args));
        if is_written {
            return Ok(TypedExpr { expr: whole, field: to.clone() });
        }
        let null = lit(ScalarValue::try_from(to.data_type())?);
        let branches = vec![(Box::new(value.expr.is_null()), Box::new(null))];
        Ok(TypedExpr { expr: Expr::Case(Case::new(None, branches, Some(Box::new(whole)))), field: to.clone() })
    }

    /// A NULL of the type.
    pub(crate) fn typed_null(&self, of: &FieldRef) -> Result<TypedExpr, QueryError> {
        let value = ScalarValue::try_from(of.data_type())?;
        Ok(TypedExpr { expr: lit(value), field: of.clone() })
    }

    /// Casts a value of the NULL type to another type. A call of ERROR has this type, and it must be evaluated.
    pub(crate) fn cast_null(&self, value: TypedExpr, to: &FieldRef) -> Result<TypedExpr, QueryError> {
        match value.expr {
            Expr::ScalarFunction(_) => Ok(TypedExpr { expr: arrow_cast(value.expr, to), field: to.clone() }),
            _ => self.typed_null(to),
        }
    }

    /// Coerces all values to their common supertype. Returns `None` if there is none.
    pub(crate) fn unify(&self, values: Vec<TypedExpr>, syntax: &impl Spanned) -> Result<Option<(Vec<TypedExpr>, FieldRef)>, QueryError> {
        let Some(common) = supertype(&values) else { return Ok(None) };
        let values = values.into_iter().map(|value| self.coerce(value, &common, syntax)).collect::<Result<_, _>>()?;
        Ok(Some((values, common)))
    }
}
