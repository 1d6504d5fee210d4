//! The one type that several values have, or can be brought to.
//!
//! GoogleSQL coerces little: INT64 to NUMERIC to BIGNUMERIC to FLOAT64, DATE to DATETIME, a NULL
//! to anything, and text that stands in the query itself (or is a parameter) to a date, a time, a
//! timestamp.

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
use crate::resolve::scope::Typed;
use crate::types;

/// The type that all of them can have; `None` if there is none.
pub(crate) fn supertype(values: &[Typed]) -> Option<FieldRef> {
    let mut common: Option<FieldRef> = None;
    for value in values.iter().filter(|value| !is_null(value) && !is_text_literal(value)) {
        let field = written(&value.expr, &value.field);
        common = Some(match common {
            None => field,
            Some(so_far) => wider(&so_far, &field)?,
        });
    }
    let common = common.map(|common| without_null(&common));
    let has_text = values.iter().any(is_text_literal);
    match common {
        None if has_text => Some(types::plain(DataType::Utf8)),
        None => Some(types::plain(DataType::Null)),
        Some(common) if !has_text || takes_text(common.data_type()) => Some(common),
        Some(_) => None,
    }
}

/// The type as it is written: a NULL in a STRUCT that stands in the query is of no type yet.
fn written(expr: &Expr, field: &FieldRef) -> FieldRef {
    let DataType::Struct(members) = field.data_type() else { return field.clone() };
    let Some(values) = members_of(expr) else { return field.clone() };
    let member = |(value, member): (&Expr, &FieldRef)| match value {
        Expr::Literal(value, _) if value.is_null() && member.data_type() == &DataType::Int64 => {
            (member.name().clone(), types::plain(DataType::Null))
        }
        value => (member.name().clone(), written(value, &unnamed(member))),
    };
    types::struct_of(values.into_iter().zip(members).map(member))
}

/// The values of a STRUCT that stands in the query.
fn members_of(expr: &Expr) -> Option<Vec<&Expr>> {
    match expr {
        Expr::ScalarFunction(call) if call.func.name() == named_struct().name() => Some(call.args.iter().skip(1).step_by(2).collect()),
        _ => None,
    }
}

/// What is of no type in the end is INT64.
fn without_null(field: &FieldRef) -> FieldRef {
    match field.data_type() {
        DataType::Struct(members) => types::struct_of(members.iter().map(|member| {
            (
                member.name().clone(),
                match member.data_type() {
                    DataType::Null => types::plain(DataType::Int64),
                    _ => without_null(&unnamed(member)),
                },
            )
        })),
        _ => field.clone(),
    }
}

pub(crate) fn is_null(value: &Typed) -> bool {
    value.field.data_type() == &DataType::Null
}

/// Text that stands in the query itself.
pub(crate) fn is_text_literal(value: &Typed) -> bool {
    !types::is_json(&value.field) && matches!(&value.expr, Expr::Literal(ScalarValue::Utf8(Some(_)), _))
}

/// What a text in the query can stand for.
fn takes_text(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Utf8 | DataType::Date32 | DataType::Time64(_) | DataType::Timestamp(..))
}

fn wider(a: &FieldRef, b: &FieldRef) -> Option<FieldRef> {
    if types::same(a, b) {
        return Some(a.clone());
    }
    if let (Some(a), Some(b)) = (rank(a.data_type()), rank(b.data_type())) {
        return Some(types::plain(number(a.max(b))));
    }
    match (a.data_type(), b.data_type()) {
        (DataType::Null, _) => Some(b.clone()),
        (_, DataType::Null) => Some(a.clone()),
        (DataType::Date32, DataType::Timestamp(_, None)) => Some(b.clone()),
        (DataType::Timestamp(_, None), DataType::Date32) => Some(a.clone()),
        (DataType::Struct(first), DataType::Struct(second)) if first.len() == second.len() => {
            let members: Option<Vec<_>> =
                first.iter().zip(second).map(|(a, b)| wider(&unnamed(a), &unnamed(b)).map(|wider| (a.name().clone(), wider))).collect();
            members.map(types::struct_of)
        }
        _ => None,
    }
}

fn unnamed(field: &Field) -> FieldRef {
    Arc::new(field.clone().with_name("").with_nullable(true))
}

fn rank(data_type: &DataType) -> Option<usize> {
    match data_type {
        DataType::Int64 => Some(0),
        DataType::Decimal128(..) => Some(1),
        DataType::Decimal256(..) => Some(2),
        DataType::Float64 => Some(3),
        _ => None,
    }
}

fn number(rank: usize) -> DataType {
    match rank {
        0 => DataType::Int64,
        1 => types::NUMERIC,
        2 => types::BIGNUMERIC,
        _ => DataType::Float64,
    }
}

/// A cast within Arrow, for conversions that cannot fail.
pub(crate) fn arrow_cast(expr: Expr, to: &Field) -> Expr {
    Expr::Cast(Cast::new(Box::new(expr), to.data_type().clone()))
}

impl Resolver<'_> {
    /// Whether the value may become the type without being asked to.
    pub(crate) fn coerces(&self, value: &Typed, to: &FieldRef) -> bool {
        // The names of a STRUCT's members are those of the first.
        supertype(&[Typed { expr: lit(ScalarValue::Null).alias("?"), field: to.clone() }, value.clone()])
            .is_some_and(|common| types::same(&common, to))
            || (is_text_literal(value) && takes_text(to.data_type()))
    }

    /// The value as the type, or BigQuery's refusal.
    pub(crate) fn coerce(&self, value: Typed, to: &FieldRef, syntax: &impl Spanned) -> Result<Typed, QueryError> {
        if types::same(&value.field, to) {
            return Ok(Typed { field: to.clone(), ..value });
        }
        if is_null(&value) {
            return self.null_as(value, to);
        }
        if !self.coerces(&value, to) && !self.elements_coerce(&value, to) {
            let message = format!("Cannot coerce a value of type {} to {}", types::of(&value.field), types::of(to));
            return Err(error_at(message, syntax));
        }
        match to.data_type() {
            DataType::Struct(members) => self.coerce_members(value, members, to, syntax),
            DataType::List(_) | DataType::Null => Ok(Typed { expr: arrow_cast(value.expr, to), field: to.clone() }),
            DataType::Float64 if value.field.data_type() == &DataType::Int64 => {
                Ok(Typed { expr: arrow_cast(value.expr, to), field: to.clone() })
            }
            _ => self.cast_to(value, to, false, syntax),
        }
    }

    /// A STRUCT member by member, by their places.
    fn coerce_members(&self, value: Typed, members: &Fields, to: &FieldRef, syntax: &impl Spanned) -> Result<Typed, QueryError> {
        let DataType::Struct(from) = value.field.data_type() else {
            return self.null(to);
        };
        let mut args = Vec::new();
        let values = members_of(&value.expr);
        for (index, (from, member)) in from.iter().zip(members).enumerate() {
            let written = values.as_ref().and_then(|values| values.get(index)).copied();
            let field = match written {
                Some(Expr::Literal(value, _)) if value.is_null() => types::plain(DataType::Null),
                _ => unnamed(from),
            };
            let part = Typed { expr: written.cloned().unwrap_or_else(|| value.expr.clone().field(from.name().as_str())), field };
            args.extend([lit(member.name().as_str()), self.coerce(part, &unnamed(member), syntax)?.expr]);
        }
        let is_written = values.is_some();
        let whole = Expr::ScalarFunction(ScalarFunction::new_udf(named_struct(), args));
        if is_written {
            return Ok(Typed { expr: whole, field: to.clone() });
        }
        let null = lit(ScalarValue::try_from(to.data_type())?);
        let branches = vec![(Box::new(value.expr.is_null()), Box::new(null))];
        Ok(Typed { expr: Expr::Case(Case::new(None, branches, Some(Box::new(whole)))), field: to.clone() })
    }

    /// NULL of a type.
    pub(crate) fn null(&self, of: &FieldRef) -> Result<Typed, QueryError> {
        let value = ScalarValue::try_from(of.data_type())?;
        Ok(Typed { expr: lit(value), field: of.clone() })
    }

    /// A value of the type of NULL as another: a call of ERROR, too, which has yet to be evaluated.
    pub(crate) fn null_as(&self, value: Typed, to: &FieldRef) -> Result<Typed, QueryError> {
        match value.expr {
            Expr::ScalarFunction(_) => Ok(Typed { expr: arrow_cast(value.expr, to), field: to.clone() }),
            _ => self.null(to),
        }
    }

    /// All of them as the one type they can have; `None` if there is none.
    pub(crate) fn unify(&self, values: Vec<Typed>, syntax: &impl Spanned) -> Result<Option<(Vec<Typed>, FieldRef)>, QueryError> {
        let Some(common) = supertype(&values) else { return Ok(None) };
        let values = values.into_iter().map(|value| self.coerce(value, &common, syntax)).collect::<Result<_, _>>()?;
        Ok(Some((values, common)))
    }
}
