//! One signature of a scalar function and its body over Rust values:
//!
//! ```text
//! Overload::binary::<Text, Int64, Text, _>(|text, times| text.repeat(times as usize))
//! ```
//!
//! If an argument is NULL, the result is NULL and the body does not run. A body returns a value, an
//! `Option` (none is NULL), or a `Result` of either.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray};
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::ColumnarValue;
use datafusion::scalar::ScalarValue;

use super::column::{Argument, Returned};
use super::function_error::FunctionError;
use super::memory_budget::MemoryBudget;
use super::sql_type::SqlType;

#[derive(Clone)]
pub(crate) struct Overload {
    pub(crate) parameters: Vec<SqlType>,
    /// The required literal value of the first argument. The result type of `EXTRACT` depends on it.
    pub(crate) first_literal: Option<&'static str>,
    pub(crate) returns: SqlType,
    /// The error for a signature that BigQuery has and this engine does not implement.
    pub(crate) unsupported: Option<FunctionError>,
    pub(crate) body: Body,
}

/// Computes a result from arguments of the declared types and the number of rows. It reserves the result's memory.
pub(crate) type Body = Arc<dyn Fn(&[ColumnarValue], usize, &mut MemoryBudget) -> Result<ColumnarValue> + Send + Sync>;

impl Overload {
    /// Creates an overload whose body receives whole columns, with NULLs.
    pub(crate) fn columns(
        parameters: &[SqlType],
        returns: SqlType,
        body: impl Fn(&[ColumnarValue], usize, &mut MemoryBudget) -> Result<ColumnarValue> + Send + Sync + 'static,
    ) -> Overload {
        Overload { parameters: parameters.to_vec(), first_literal: None, returns, unsupported: None, body: Arc::new(body) }
    }

    /// Creates an overload that returns an error. BigQuery has the signature, this engine does not.
    pub(crate) fn unsupported(parameters: &[SqlType], returns: SqlType, unsupported: FunctionError) -> Overload {
        let error = unsupported.clone();
        let overload = Overload::columns(parameters, returns, move |_, _, _| Err(error.clone().into()));
        Overload { unsupported: Some(unsupported), ..overload }
    }

    /// Restricts the overload to calls whose first argument is this string literal.
    pub(crate) fn when_first_is(self, literal: &'static str) -> Overload {
        Overload { first_literal: Some(literal), ..self }
    }

    /// Whether the overload has this number of parameters.
    pub(crate) fn accepts_count(&self, count: usize) -> bool {
        count == self.parameters.len()
    }

    /// Returns the type of the parameter at this index.
    pub(crate) fn parameter(&self, index: usize) -> Option<SqlType> {
        self.parameters.get(index).copied()
    }
}

/// Two overloads with the same body. `strict` returns its errors, `safe` returns NULL instead
/// (`SAFE_CAST`, `SAFE_ADD`).
#[derive(Clone)]
pub(crate) struct StrictAndSafe {
    pub(crate) strict: Overload,
    pub(crate) safe: Overload,
}

impl StrictAndSafe {
    pub(crate) fn unary<A: Argument, R: Returned>(
        body: impl for<'a> Fn(A::Item<'a>) -> Result<R::Owned, FunctionError> + Copy + Send + Sync + 'static,
    ) -> StrictAndSafe {
        StrictAndSafe { strict: Overload::unary::<A, R, _>(body), safe: Overload::unary::<A, R, _>(move |a| body(a).ok()) }
    }

    pub(crate) fn binary<A: Argument, B: Argument, R: Returned>(
        body: impl for<'a> Fn(A::Item<'a>, B::Item<'a>) -> Result<R::Owned, FunctionError> + Copy + Send + Sync + 'static,
    ) -> StrictAndSafe {
        StrictAndSafe { strict: Overload::binary::<A, B, R, _>(body), safe: Overload::binary::<A, B, R, _>(move |a, b| body(a, b).ok()) }
    }
}

/// The return type of a body.
pub(crate) trait BodyResult<T> {
    fn into_result(self) -> Result<Option<T>, FunctionError>;
}

impl<T> BodyResult<T> for T {
    fn into_result(self) -> Result<Option<T>, FunctionError> {
        Ok(Some(self))
    }
}

impl<T> BodyResult<T> for Option<T> {
    fn into_result(self) -> Result<Option<T>, FunctionError> {
        Ok(self)
    }
}

impl<T> BodyResult<T> for Result<T, FunctionError> {
    fn into_result(self) -> Result<Option<T>, FunctionError> {
        self.map(Some)
    }
}

impl<T> BodyResult<T> for Result<Option<T>, FunctionError> {
    fn into_result(self) -> Result<Option<T>, FunctionError> {
        self
    }
}

/// The column of an argument. A constant has one row, which applies to all rows.
struct ArgumentColumn<A: Argument> {
    array: ArrayRef,
    column: A::Column,
    constant: bool,
}

impl<A: Argument> ArgumentColumn<A> {
    fn of(argument: Option<&ColumnarValue>) -> Result<ArgumentColumn<A>> {
        let (array, constant) = match argument {
            Some(ColumnarValue::Array(array)) => (Arc::clone(array), false),
            Some(ColumnarValue::Scalar(value)) => (value.to_array()?, true),
            None => return Err(DataFusionError::Internal(format!("missing argument of type {:?}", A::SQL_TYPE))),
        };
        let column = A::column(&array).ok_or_else(|| {
            DataFusionError::Internal(format!("expected an argument of type {:?}, got {}", A::SQL_TYPE, array.data_type()))
        })?;
        Ok(ArgumentColumn { array, column, constant })
    }

    fn index(&self, row: usize) -> usize {
        if self.constant { 0 } else { row }
    }

    fn is_null(&self, row: usize) -> bool {
        self.array.is_null(self.index(row))
    }

    fn item(&self, row: usize) -> Result<A::Item<'_>, FunctionError> {
        A::item(&self.column, self.index(row))
    }
}

/// Returns the value of a one-row array. `ScalarValue::try_from_array` loses the metadata of ARRAY
/// elements (JSON).
pub(crate) fn scalar_from_array(array: &ArrayRef) -> Result<ScalarValue> {
    match array.as_list_opt::<i32>() {
        Some(list) if list.len() == 1 => Ok(ScalarValue::List(Arc::new(list.clone()))),
        _ => ScalarValue::try_from_array(array, 0),
    }
}

macro_rules! arities {
    ($($(#[$doc:meta])* $name:ident $growing_name:ident($($argument:ident $input:ident $index:literal),*);)*) => {
        impl Overload {$(
            $(#[$doc])*
            pub(crate) fn $name<$($argument: Argument,)* R: Returned, O: BodyResult<R::Owned>>(
                body: impl for<'a> Fn($($argument::Item<'a>),*) -> O + Send + Sync + 'static,
            ) -> Overload {
                Overload::$growing_name::<$($argument,)* R, O>(move |_, $($input),*| body($($input),*))
            }

            /// The same for a function whose result can be much larger than its arguments. The body reserves the memory
            /// of its result before it allocates it.
            pub(crate) fn $growing_name<$($argument: Argument,)* R: Returned, O: BodyResult<R::Owned>>(
                body: impl for<'a> Fn(&mut MemoryBudget, $($argument::Item<'a>),*) -> O + Send + Sync + 'static,
            ) -> Overload {
                Overload::columns(&[$($argument::SQL_TYPE),*], R::SQL_TYPE, move |arguments, rows, budget| {
                    $(let $input = ArgumentColumn::<$argument>::of(arguments.get($index))?;)*
                    let constant = true $(&& $input.constant)*;
                    let values = (0..if constant { 1 } else { rows }).map(|row| {
                        if false $(|| $input.is_null(row))* {
                            return Ok(None);
                        }
                        let value = body(budget, $($input.item(row)?),*).into_result()?;
                        budget.finish_value(value.as_ref())?;
                        Ok(value)
                    });
                    let array = R::collect(values)?;
                    Ok(match constant {
                        true => ColumnarValue::Scalar(scalar_from_array(&array)?),
                        false => ColumnarValue::Array(array),
                    })
                })
            }
        )*}
    };
}

arities! {
    /// Creates an overload with one parameter.
    unary growing_unary(A a 0);
    /// Creates an overload with two parameters.
    binary growing_binary(A a 0, B b 1);
    /// Creates an overload with three parameters.
    ternary growing_ternary(A a 0, B b 1, C c 2);
    /// Creates an overload with four parameters.
    quaternary growing_quaternary(A a 0, B b 1, C c 2, D d 3);
    /// Creates an overload with five parameters.
    quinary growing_quinary(A a 0, B b 1, C c 2, D d 3, E e 4);
    /// Creates an overload with six parameters.
    senary growing_senary(A a 0, B b 1, C c 2, D d 3, E e 4, F f 5);
}
