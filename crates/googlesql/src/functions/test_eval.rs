//! What a session that knows DataFusion's functions beneath ours answers, as Arrow shows it: for
//! expressions that need more than one row, and for arrays.

use std::sync::{Arc, LazyLock};

use datafusion::arrow::array::Array;
use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};
use datafusion::execution::context::SessionContext;
use datafusion::logical_expr::{AggregateUDF, ScalarUDF, WindowUDF};
use datafusion::prelude::SessionConfig;

use super::{FUNCTIONS, Function};

/// The value of an expression, as Arrow shows it; the message of what is wrong with it, after
/// `Err: `.
pub(crate) fn eval(expression: &str) -> String {
    let answer = query(&format!("SELECT {expression}"));
    answer.unwrap_or_else(|error| format!("Err: {}", message(&error)))
}

/// One that is sure to be evaluated over columns rather than folded: `x` is a column.
pub(crate) fn eval_over(x: &str, expression: &str) -> String {
    let answer = query(&format!("SELECT {expression} FROM (VALUES ({x}), (NULL)) AS t(x) LIMIT 1"));
    answer.unwrap_or_else(|error| format!("Err: {}", message(&error)))
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
    // DataFusion's function of that name may be of another kind, and would be preferred.
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
fn every_name_is_given_once_and_in_lower_case() {
    let all = super::all();
    assert_eq!(all.len(), FUNCTIONS.len());
    assert!(all.iter().all(|(name, _)| *name == name.to_lowercase()));
}
