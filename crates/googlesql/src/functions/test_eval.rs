//! Test helper: evaluates SQL in a session with DataFusion's functions and this crate's functions.
//! The result is Arrow's display text. It supports arrays and queries over several rows.

use std::sync::{Arc, LazyLock};

use datafusion::arrow::array::Array;
use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};
use datafusion::execution::context::SessionContext;
use datafusion::logical_expr::{AggregateUDF, ScalarUDF, WindowUDF};
use datafusion::prelude::SessionConfig;

use super::{FUNCTIONS, Function};

/// Returns the value of an expression in Arrow's display format, or `Err: ` and the error message.
pub(crate) fn eval(expression: &str) -> String {
    let result = query(&format!("SELECT {expression}"));
    result.unwrap_or_else(|error| format!("Err: {}", message(&error)))
}

/// Evaluates an expression over a column `x`, so that constant folding does not apply.
pub(crate) fn eval_over(x: &str, expression: &str) -> String {
    let result = query(&format!("SELECT {expression} FROM (VALUES ({x}), (NULL)) AS t(x) LIMIT 1"));
    result.unwrap_or_else(|error| format!("Err: {}", message(&error)))
}

fn message(error: &datafusion::error::DataFusionError) -> String {
    let mut source: &dyn std::error::Error = error;
    while let Some(inner) = source.source() {
        source = inner;
    }
    source.to_string()
}

static SESSION: LazyLock<SessionContext> = LazyLock::new(|| {
    let mut config = SessionConfig::new().with_target_partitions(2);
    config.options_mut().sql_parser.map_string_types_to_utf8view = false;
    let session = SessionContext::new_with_config(config);
    // A DataFusion function of the same name but of another kind would take precedence.
    for name in FUNCTIONS.keys() {
        session.deregister_udf(name);
        session.deregister_udaf(name);
        session.deregister_udwf(name);
    }
    for function in FUNCTIONS.values() {
        match function {
            Function::Scalar { udf, .. } => {
                session.register_udf(ScalarUDF::clone(udf));
                let safe = super::safe(udf);
                session.register_udf(ScalarUDF::clone(&safe));
            }
            Function::Aggregate(udf) => session.register_udaf(AggregateUDF::clone(udf)),
            Function::Window(udf) => session.register_udwf(WindowUDF::clone(udf)),
        }
    }
    session
});

fn query(sql: &str) -> datafusion::error::Result<String> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let batches = runtime.block_on(async { SESSION.sql(sql).await?.collect().await })?;
    let column = Arc::clone(batches[0].column(0));
    let options = FormatOptions::default().with_null("NULL");
    Ok(match column.is_null(0) {
        true => "NULL".to_owned(),
        false => ArrayFormatter::try_new(&column, &options)?.value(0).to_string(),
    })
}

#[test]
fn function_names_are_unique_and_lower_case() {
    let all = super::all();
    assert_eq!(all.len(), FUNCTIONS.len());
    assert!(all.iter().all(|(name, _)| *name == name.to_lowercase()));
}
