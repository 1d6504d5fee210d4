//! The function that implements `WITH OFFSET`: it pairs each element of an array with its offset.
//!
//! Reference: <https://cloud.google.com/bigquery/docs/reference/standard-sql/query-syntax#unnest_operator>.

use std::sync::{Arc, LazyLock};

use datafusion::arrow::array::{Array, ArrayRef, AsArray, Int64Array, ListArray, StructArray};
use datafusion::arrow::datatypes::{DataType, Field, Fields};
use datafusion::common::{Result, plan_err};
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility};

pub(crate) const ITEM: &str = "item";
pub(crate) const OFFSET: &str = "offset";

/// `ARRAY<T>` → `ARRAY<STRUCT<item T, offset INT64>>`.
pub(crate) fn with_offset() -> Arc<ScalarUDF> {
    static FUNCTION: LazyLock<Arc<ScalarUDF>> =
        LazyLock::new(|| Arc::new(ScalarUDF::from(WithOffset { signature: Signature::any(1, Volatility::Immutable) })));
    Arc::clone(&FUNCTION)
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct WithOffset {
    signature: Signature,
}

fn element(list: &DataType) -> Result<DataType> {
    match list {
        DataType::List(item) => {
            let item = item.as_ref().clone().with_name(ITEM).with_nullable(true);
            Ok(DataType::Struct(Fields::from(vec![item, Field::new(OFFSET, DataType::Int64, true)])))
        }
        other => plan_err!("UNNEST takes an array, not {other}"),
    }
}

impl ScalarUDFImpl for WithOffset {
    fn name(&self) -> &str {
        "$with_offset"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, arg_types: &[DataType]) -> Result<DataType> {
        Ok(DataType::List(Arc::new(Field::new(ITEM, element(&arg_types[0])?, true))))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let arrays = ColumnarValue::values_to_arrays(&args.args)?;
        let list: &ListArray = arrays[0].as_list();
        let DataType::Struct(members) = element(list.data_type())? else {
            return plan_err!("UNNEST takes an array");
        };
        let (_, offsets, values, nulls) = list.clone().into_parts();
        let mut numbers = vec![0; values.len()];
        for bounds in offsets.windows(2) {
            let (from, to) = (bounds[0] as usize, bounds[1] as usize);
            for (index, offset) in numbers[from..to].iter_mut().enumerate() {
                *offset = index as i64;
            }
        }
        let numbers: ArrayRef = Arc::new(Int64Array::from(numbers));
        let elements = StructArray::try_new(members.clone(), vec![values, numbers], None)?;
        let field = Arc::new(Field::new(ITEM, DataType::Struct(members), true));
        Ok(ColumnarValue::Array(Arc::new(ListArray::try_new(field, offsets, Arc::new(elements), nulls)?)))
    }
}
