//! SUM and AVG where every digit counts: INT64, NUMERIC, BIGNUMERIC. (FLOAT64 is DataFusion's.)
//!
//! Summed in a wider type, so that only a result that does not fit is an error, whatever the
//! order of the rows.

use std::fmt::{self, Debug, Formatter};

use datafusion::arrow::array::{ArrayRef, ArrowNativeTypeOp, Int64Array, PrimitiveArray};
use datafusion::arrow::datatypes::{ArrowNativeType, ArrowPrimitiveType, DataType, Decimal128Type, Decimal256Type, Int64Type, i256};
use datafusion::common::Result;

use super::super::function_error::FunctionError;
use super::fold::{Fold, array, columns, typed};

/// A type that is summed, and what is wide enough for its sums.
pub(crate) trait Summed: ArrowPrimitiveType {
    type Wide: ArrowPrimitiveType<Native: From<Self::Native>>;

    const TYPE: DataType;
    const WIDE: DataType;

    fn overflow() -> FunctionError;
    fn narrow(sum: <Self::Wide as ArrowPrimitiveType>::Native) -> Option<Self::Native>;
}

impl Summed for Int64Type {
    type Wide = Decimal128Type;

    const TYPE: DataType = DataType::Int64;
    const WIDE: DataType = DataType::Decimal128(38, 0);

    fn overflow() -> FunctionError {
        FunctionError::new("int64 overflow")
    }

    fn narrow(sum: i128) -> Option<i64> {
        sum.try_into().ok()
    }
}

impl Summed for Decimal128Type {
    type Wide = Decimal128Type;

    const TYPE: DataType = DataType::Decimal128(38, 9);
    const WIDE: DataType = DataType::Decimal128(38, 9);

    fn overflow() -> FunctionError {
        FunctionError::new("numeric overflow")
    }

    fn narrow(sum: i128) -> Option<i128> {
        (sum.unsigned_abs() < 10u128.pow(38)).then_some(sum)
    }
}

impl Summed for Decimal256Type {
    type Wide = Decimal256Type;

    const TYPE: DataType = DataType::Decimal256(76, 38);
    const WIDE: DataType = DataType::Decimal256(76, 38);

    fn overflow() -> FunctionError {
        FunctionError::new("bignumeric overflow")
    }

    fn narrow(sum: i256) -> Option<i256> {
        Some(sum)
    }
}

/// A sum and of how many; `MEAN` says which of SUM and AVG is the result.
pub(crate) struct Total<T: Summed, const MEAN: bool> {
    sum: <T::Wide as ArrowPrimitiveType>::Native,
    count: i64,
}

impl<T: Summed, const MEAN: bool> Default for Total<T, MEAN> {
    fn default() -> Self {
        Total { sum: <T::Wide as ArrowPrimitiveType>::Native::ZERO, count: 0 }
    }
}

impl<T: Summed, const MEAN: bool> Debug for Total<T, MEAN> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} of {}", self.sum, self.count)
    }
}

impl<T: Summed, const MEAN: bool> Total<T, MEAN> {
    fn more(&mut self, sum: <T::Wide as ArrowPrimitiveType>::Native, count: i64) -> Result<()> {
        self.sum = self.sum.add_checked(sum).map_err(|_| T::overflow())?;
        self.count += count;
        Ok(())
    }

    fn result(&self) -> Result<Option<T::Native>> {
        if self.count == 0 {
            return Ok(None);
        }
        let value = if MEAN { mean::<T::Wide>(self.sum, self.count)? } else { self.sum };
        Ok(Some(T::narrow(value).ok_or_else(T::overflow)?))
    }
}

/// Rounds half away from zero, as NUMERIC does.
fn mean<W: ArrowPrimitiveType>(sum: W::Native, count: i64) -> Result<W::Native> {
    let (one, zero) = (W::Native::ONE, W::Native::ZERO);
    let count = W::Native::usize_as(usize::try_from(count).unwrap_or(usize::MAX));
    let (quotient, rest) = (sum.div_checked(count)?, sum.mod_checked(count)?);
    let rest = if rest.is_lt(zero) { rest.neg_wrapping() } else { rest };
    let up = rest.is_ge(count.sub_wrapping(rest));
    Ok(match (up, sum.is_lt(zero)) {
        (false, _) => quotient,
        (true, false) => quotient.add_wrapping(one),
        (true, true) => quotient.sub_wrapping(one),
    })
}

impl<T: Summed, const MEAN: bool> Fold for Total<T, MEAN> {
    type Column = PrimitiveArray<T>;

    fn add(&mut self, column: &Self::Column, row: usize) -> Result<()> {
        self.more(column.value(row).into(), 1)
    }

    fn state_types() -> Vec<DataType> {
        vec![T::WIDE, DataType::Int64]
    }

    fn states(groups: Vec<Self>) -> Result<Vec<ArrayRef>> {
        let sums = PrimitiveArray::<T::Wide>::from_iter_values(groups.iter().map(|group| group.sum));
        let counts = Int64Array::from_iter_values(groups.iter().map(|group| group.count));
        Ok(columns([array(sums.with_data_type(T::WIDE)), array(counts)]))
    }

    fn merge(&mut self, states: &[ArrayRef], row: usize) -> Result<()> {
        let sums: &PrimitiveArray<T::Wide> = typed(&states[0])?;
        let counts: &Int64Array = typed(&states[1])?;
        self.more(sums.value(row), counts.value(row))
    }

    fn results(groups: Vec<Self>) -> Result<ArrayRef> {
        let results = groups.iter().map(Self::result).collect::<Result<PrimitiveArray<T>>>()?;
        Ok(array(results.with_data_type(T::TYPE)))
    }
}
