//! One signature of a function and what it does, written over plain Rust values:
//!
//! ```text
//! Overload::binary::<Text, Int64, Text, _>(|text, times| text.repeat(times as usize))
//! ```
//!
//! NULL in any argument gives NULL without the body being called. A body returns its value, an
//! `Option` of it (NULL), a `Result` of either.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray};
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::ColumnarValue;
use datafusion::scalar::ScalarValue;

use super::column::{Argument, Returned};
use super::function_error::FunctionError;
use super::kind::Kind;
use super::memory_budget::MemoryBudget;

/// A signature with its body.
#[derive(Clone)]
pub(crate) struct Overload {
    pub(crate) parameters: Vec<Kind>,
    /// What the first argument must be, literally: the type of `EXTRACT` depends on its part.
    pub(crate) first: Option<&'static str>,
    pub(crate) returns: Kind,
    /// Why a query with such a call is refused: BigQuery has the signature, and this has not.
    pub(crate) refusal: Option<FunctionError>,
    pub(crate) body: Body,
}

/// Over arguments of exactly the declared types, and the number of rows.
pub(crate) type Body = Arc<dyn Fn(&[ColumnarValue], usize) -> Result<ColumnarValue> + Send + Sync>;

impl Overload {
    /// One that sees whole columns, and NULLs.
    pub(crate) fn columns(
        parameters: &[Kind],
        returns: Kind,
        body: impl Fn(&[ColumnarValue], usize) -> Result<ColumnarValue> + Send + Sync + 'static,
    ) -> Overload {
        Overload { parameters: parameters.to_vec(), first: None, returns, refusal: None, body: Arc::new(body) }
    }

    /// One that BigQuery has and this has not.
    pub(crate) fn refused(parameters: &[Kind], returns: Kind, refusal: FunctionError) -> Overload {
        let again = refusal.clone();
        let overload = Overload::columns(parameters, returns, move |_, _| Err(again.clone().into()));
        Overload { refusal: Some(refusal), ..overload }
    }

    /// Only if the first argument is this string literal.
    pub(crate) fn if_first_is(self, literal: &'static str) -> Overload {
        Overload { first: Some(literal), ..self }
    }

    /// Whether so many arguments fit.
    pub(crate) fn takes(&self, count: usize) -> bool {
        count == self.parameters.len()
    }

    /// The type of the argument at this index.
    pub(crate) fn parameter(&self, index: usize) -> Option<Kind> {
        self.parameters.get(index).copied()
    }
}

/// The same body twice: its errors are errors, or NULLs (`SAFE_CAST`, `SAFE_ADD`).
#[derive(Clone)]
pub(crate) struct Both {
    pub(crate) strict: Overload,
    pub(crate) safe: Overload,
}

impl Both {
    pub(crate) fn unary<A: Argument, R: Returned>(
        body: impl for<'a> Fn(A::Item<'a>) -> Result<R::Owned, FunctionError> + Copy + Send + Sync + 'static,
    ) -> Both {
        Both { strict: Overload::unary::<A, R, _>(body), safe: Overload::unary::<A, R, _>(move |a| body(a).ok()) }
    }

    pub(crate) fn binary<A: Argument, B: Argument, R: Returned>(
        body: impl for<'a> Fn(A::Item<'a>, B::Item<'a>) -> Result<R::Owned, FunctionError> + Copy + Send + Sync + 'static,
    ) -> Both {
        Both { strict: Overload::binary::<A, B, R, _>(body), safe: Overload::binary::<A, B, R, _>(move |a, b| body(a, b).ok()) }
    }
}

/// What a body returns.
pub(crate) trait Outcome<T> {
    fn outcome(self) -> Result<Option<T>, FunctionError>;
}

impl<T> Outcome<T> for T {
    fn outcome(self) -> Result<Option<T>, FunctionError> {
        Ok(Some(self))
    }
}

impl<T> Outcome<T> for Option<T> {
    fn outcome(self) -> Result<Option<T>, FunctionError> {
        Ok(self)
    }
}

impl<T> Outcome<T> for Result<T, FunctionError> {
    fn outcome(self) -> Result<Option<T>, FunctionError> {
        self.map(Some)
    }
}

impl<T> Outcome<T> for Result<Option<T>, FunctionError> {
    fn outcome(self) -> Result<Option<T>, FunctionError> {
        self
    }
}

/// An argument's column; a constant is a column of one row, which stands for all.
struct Input<A: Argument> {
    array: ArrayRef,
    column: A::Column,
    constant: bool,
}

impl<A: Argument> Input<A> {
    fn of(argument: Option<&ColumnarValue>) -> Result<Input<A>> {
        let (array, constant) = match argument {
            Some(ColumnarValue::Array(array)) => (Arc::clone(array), false),
            Some(ColumnarValue::Scalar(value)) => (value.to_array()?, true),
            None => return Err(DataFusionError::Internal(format!("an argument of type {:?} is missing", A::KIND))),
        };
        let column = A::column(&array)
            .ok_or_else(|| DataFusionError::Internal(format!("{:?} was declared but {} came", A::KIND, array.data_type())))?;
        Ok(Input { array, column, constant })
    }

    fn slot(&self, row: usize) -> usize {
        if self.constant { 0 } else { row }
    }

    fn is_null(&self, row: usize) -> bool {
        self.array.is_null(self.slot(row))
    }

    fn item(&self, row: usize) -> Result<A::Item<'_>, FunctionError> {
        A::item(&self.column, self.slot(row))
    }
}

/// The one row of the array. DataFusion would forget that the elements of an ARRAY are JSON.
pub(crate) fn constant_of(array: &ArrayRef) -> Result<ScalarValue> {
    match array.as_list_opt::<i32>() {
        Some(list) if list.len() == 1 => Ok(ScalarValue::List(Arc::new(list.clone()))),
        _ => ScalarValue::try_from_array(array, 0),
    }
}

macro_rules! arities {
    ($($(#[$doc:meta])* $name:ident($($argument:ident $input:ident $index:literal),*);)*) => {
        impl Overload {$(
            $(#[$doc])*
            pub(crate) fn $name<$($argument: Argument,)* R: Returned, O: Outcome<R::Owned>>(
                body: impl for<'a> Fn($($argument::Item<'a>),*) -> O + Send + Sync + 'static,
            ) -> Overload {
                Overload::columns(&[$($argument::KIND),*], R::KIND, move |arguments, rows| {
                    $(let $input = Input::<$argument>::of(arguments.get($index))?;)*
                    let constant = true $(&& $input.constant)*;
                    let mut budget = MemoryBudget::for_batch();
                    let values = (0..if constant { 1 } else { rows }).map(|row| {
                        if false $(|| $input.is_null(row))* {
                            return Ok(None);
                        }
                        let value = body($($input.item(row)?),*).outcome()?;
                        budget.reserve(value.as_ref())?;
                        Ok(value)
                    });
                    let array = R::collect(values)?;
                    Ok(match constant {
                        true => ColumnarValue::Scalar(constant_of(&array)?),
                        false => ColumnarValue::Array(array),
                    })
                })
            }
        )*}
    };
}

arities! {
    /// Of one argument.
    unary(A a 0);
    /// Of two arguments.
    binary(A a 0, B b 1);
    /// Of three arguments.
    ternary(A a 0, B b 1, C c 2);
    /// Of four arguments.
    quaternary(A a 0, B b 1, C c 2, D d 3);
    /// Of five arguments.
    quinary(A a 0, B b 1, C c 2, D d 3, E e 4);
    /// Of six arguments.
    senary(A a 0, B b 1, C c 2, D d 3, E e 4, F f 5);
}
