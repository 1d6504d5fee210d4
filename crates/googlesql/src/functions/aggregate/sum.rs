//! SUM and AVG of INT64, NUMERIC and BIGNUMERIC. DataFusion implements FLOAT64.
//!
//! The sum has a wider type, so that overflow depends on the result and not on the order of rows.

use std::fmt::{self, Debug, Formatter};

use datafusion::arrow::array::{ArrayRef, ArrowNativeTypeOp, Int64Array, PrimitiveArray};
use datafusion::arrow::datatypes::{ArrowNativeType, ArrowPrimitiveType, DataType, Decimal128Type, Decimal256Type, Int64Type, i256};
use datafusion::common::Result;

use super::super::function_error::FunctionError;
use super::group_state::{GroupState, array, columns, downcast};

/// A numeric type and the wider type of its sums.
pub(crate) trait SummedType: ArrowPrimitiveType {
    type Wide: ArrowPrimitiveType<Native: From<Self::Native>>;

    const TYPE: DataType;
    const WIDE: DataType;

    fn overflow() -> FunctionError;
    fn narrow(sum: <Self::Wide as ArrowPrimitiveType>::Native) -> Option<Self::Native>;
}

impl SummedType for Int64Type {
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

impl SummedType for Decimal128Type {
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

impl SummedType for Decimal256Type {
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

/// A sum and a row count. The result is AVG if `IS_AVG` is true, else SUM.
pub(crate) struct SumState<T: SummedType, const IS_AVG: bool> {
    sum: <T::Wide as ArrowPrimitiveType>::Native,
    count: i64,
}

impl<T: SummedType, const IS_AVG: bool> Default for SumState<T, IS_AVG> {
    fn default() -> Self {
        SumState { sum: <T::Wide as ArrowPrimitiveType>::Native::ZERO, count: 0 }
    }
}

impl<T: SummedType, const IS_AVG: bool> Debug for SumState<T, IS_AVG> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} of {}", self.sum, self.count)
    }
}

impl<T: SummedType, const IS_AVG: bool> SumState<T, IS_AVG> {
    fn add_sum(&mut self, sum: <T::Wide as ArrowPrimitiveType>::Native, count: i64) -> Result<()> {
        self.sum = self.sum.add_checked(sum).map_err(|_| T::overflow())?;
        self.count += count;
        Ok(())
    }

    fn result(&self) -> Result<Option<T::Native>> {
        if self.count == 0 {
            return Ok(None);
        }
        let value = if IS_AVG { mean::<T::Wide>(self.sum, self.count)? } else { self.sum };
        Ok(Some(T::narrow(value).ok_or_else(T::overflow)?))
    }
}

/// Divides and rounds half away from zero, as NUMERIC division does.
fn mean<W: ArrowPrimitiveType>(sum: W::Native, count: i64) -> Result<W::Native> {
    let (create_accumulator, zero) = (W::Native::ONE, W::Native::ZERO);
    let count = W::Native::usize_as(usize::try_from(count).expect("a row count is not negative"));
    let (quotient, rest) = (sum.div_checked(count)?, sum.mod_checked(count)?);
    let rest = if rest.is_lt(zero) { rest.neg_wrapping() } else { rest };
    let up = rest.is_ge(count.sub_wrapping(rest));
    Ok(match (up, sum.is_lt(zero)) {
        (false, _) => quotient,
        (true, false) => quotient.add_wrapping(create_accumulator),
        (true, true) => quotient.sub_wrapping(create_accumulator),
    })
}

impl<T: SummedType, const IS_AVG: bool> GroupState for SumState<T, IS_AVG> {
    type Column = PrimitiveArray<T>;

    fn add(&mut self, column: &Self::Column, row: usize) -> Result<()> {
        self.add_sum(column.value(row).into(), 1)
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
        let sums: &PrimitiveArray<T::Wide> = downcast(&states[0])?;
        let counts: &Int64Array = downcast(&states[1])?;
        self.add_sum(sums.value(row), counts.value(row))
    }

    fn results(groups: Vec<Self>) -> Result<ArrayRef> {
        let results = groups.iter().map(Self::result).collect::<Result<PrimitiveArray<T>>>()?;
        Ok(array(results.with_data_type(T::TYPE)))
    }
}
