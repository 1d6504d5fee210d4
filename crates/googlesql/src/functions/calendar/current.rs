//! `CURRENT_DATE`, `CURRENT_DATETIME`, `CURRENT_TIME` and `CURRENT_TIMESTAMP`: one time for the whole
//! query.
//!
//! The planner replaces `CURRENT_DATE(zone)` by `DATE(now, zone)`, where `now` is a literal. The
//! functions themselves are not executed.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::simplify::{ExprSimplifyResult, SimplifyContext};
use datafusion::logical_expr::{ColumnarValue, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility};
use datafusion::scalar::ScalarValue;

use super::super::sql_type::SqlType;
use super::super::{FUNCTIONS, Function, coerce};

pub(crate) fn functions() -> Vec<(&'static str, Function)> {
    [
        ("current_timestamp", "timestamp", SqlType::Timestamp),
        ("current_datetime", "datetime", SqlType::Datetime),
        ("current_date", "date", SqlType::Date),
        ("current_time", "time", SqlType::Time),
    ]
    .map(|(name, conversion, sql_type)| {
        let function = CurrentTime { name, conversion, sql_type, signature: Signature::user_defined(Volatility::Stable) };
        (name, Function::Scalar { udf: Arc::new(ScalarUDF::new_from_impl(function)), date_part: None })
    })
    .to_vec()
}

/// A CURRENT_* function. Equality and hash use the name.
#[derive(Debug)]
struct CurrentTime {
    name: &'static str,
    /// The function that converts the current timestamp and a zone.
    conversion: &'static str,
    sql_type: SqlType,
    signature: Signature,
}

impl ScalarUDFImpl for CurrentTime {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, arguments: &[DataType]) -> Result<Vec<DataType>> {
        Ok(arguments.to_vec())
    }

    fn return_type(&self, _arguments: &[DataType]) -> Result<DataType> {
        Ok(self.sql_type.data_type())
    }

    fn return_field_from_args(&self, arguments: ReturnFieldArgs) -> Result<FieldRef> {
        let fields: Vec<&Field> = arguments.arg_fields.iter().map(AsRef::as_ref).collect();
        let fits = match (self.sql_type, fields.as_slice()) {
            (_, []) => true,
            (SqlType::Timestamp, _) => false,
            (_, [zone]) => coerce::distance(zone, false, SqlType::Text).is_some(),
            _ => false,
        };
        match fits {
            true => Ok(self.sql_type.field(self.name)),
            false => Err(coerce::no_signature_error(self.name, &fields).into()),
        }
    }

    fn simplify(&self, mut arguments: Vec<Expr>, context: &SimplifyContext) -> Result<ExprSimplifyResult> {
        let Some(now) = context.query_execution_start_time() else {
            return Ok(ExprSimplifyResult::Original(arguments));
        };
        let Some(Function::Scalar { udf, .. }) = FUNCTIONS.get(self.conversion) else {
            return Err(DataFusionError::Internal(format!("{} is not registered", self.conversion)));
        };
        let now = ScalarValue::TimestampMicrosecond(Some(now.timestamp_micros()), Some("+00:00".into()));
        arguments.insert(0, Expr::Literal(now, None));
        Ok(ExprSimplifyResult::Simplified(Expr::ScalarFunction(ScalarFunction::new_udf(Arc::clone(udf), arguments))))
    }

    fn invoke_with_args(&self, _call: ScalarFunctionArgs) -> Result<ColumnarValue> {
        Err(DataFusionError::Internal(format!("{} was not replaced in planning", self.name)))
    }
}

impl PartialEq for CurrentTime {
    fn eq(&self, other: &CurrentTime) -> bool {
        self.name == other.name
    }
}

impl Eq for CurrentTime {}

impl Hash for CurrentTime {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}
