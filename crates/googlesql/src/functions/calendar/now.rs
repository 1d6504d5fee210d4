//! `CURRENT_DATE` and its sisters: one moment for the whole query.
//!
//! They never run. Planning replaces `CURRENT_DATE(zone)` by `DATE(now, zone)`, with now as a
//! literal.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::simplify::{ExprSimplifyResult, SimplifyContext};
use datafusion::logical_expr::{ColumnarValue, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility};
use datafusion::scalar::ScalarValue;

use super::super::kind::Kind;
use super::super::{FUNCTIONS, Function, coerce};

pub(crate) fn functions() -> Vec<(&'static str, Function)> {
    [
        ("current_timestamp", "timestamp", Kind::Timestamp),
        ("current_datetime", "datetime", Kind::Datetime),
        ("current_date", "date", Kind::Date),
        ("current_time", "time", Kind::Time),
    ]
    .map(|(name, of, kind)| {
        let now = Now { name, of, kind, signature: Signature::user_defined(Volatility::Stable) };
        (name, Function::Scalar { udf: Arc::new(ScalarUDF::new_from_impl(now)), part: None })
    })
    .to_vec()
}

/// One of them; equality and hash go by its name.
#[derive(Debug)]
struct Now {
    name: &'static str,
    /// The function that makes it of a timestamp and a zone.
    of: &'static str,
    kind: Kind,
    signature: Signature,
}

impl ScalarUDFImpl for Now {
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
        Ok(self.kind.data_type())
    }

    fn return_field_from_args(&self, arguments: ReturnFieldArgs) -> Result<FieldRef> {
        let fields: Vec<&Field> = arguments.arg_fields.iter().map(AsRef::as_ref).collect();
        let fits = match (self.kind, fields.as_slice()) {
            (_, []) => true,
            (Kind::Timestamp, _) => false,
            (_, [zone]) => coerce::distance(zone, false, Kind::Text).is_some(),
            _ => false,
        };
        match fits {
            true => Ok(self.kind.field(self.name)),
            false => Err(coerce::no_signature(self.name, &fields).into()),
        }
    }

    fn simplify(&self, mut arguments: Vec<Expr>, context: &SimplifyContext) -> Result<ExprSimplifyResult> {
        let Some(now) = context.query_execution_start_time() else {
            return Ok(ExprSimplifyResult::Original(arguments));
        };
        let Some(Function::Scalar { udf, .. }) = FUNCTIONS.get(self.of) else {
            return Err(DataFusionError::Internal(format!("{} is not registered", self.of)));
        };
        let now = ScalarValue::TimestampMicrosecond(Some(now.timestamp_micros()), Some("+00:00".into()));
        arguments.insert(0, Expr::Literal(now, None));
        Ok(ExprSimplifyResult::Simplified(Expr::ScalarFunction(ScalarFunction::new_udf(Arc::clone(udf), arguments))))
    }

    fn invoke_with_args(&self, _call: ScalarFunctionArgs) -> Result<ColumnarValue> {
        Err(DataFusionError::Internal(format!("{} was not replaced in planning", self.name)))
    }
}

impl PartialEq for Now {
    fn eq(&self, other: &Now) -> bool {
        self.name == other.name
    }
}

impl Eq for Now {}

impl Hash for Now {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}
