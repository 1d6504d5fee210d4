//! Test helper: evaluates expressions in a session with this crate's functions.
//!
//! Expressions are close to GoogleSQL: typed literals (`DATE '2024-01-01'`) become casts and `$names`
//! are quoted. Date parts are strings.

use datafusion::error::{DataFusionError, Result};
use datafusion::execution::context::SessionContext;
use datafusion::logical_expr::{AggregateUDF, ScalarUDF, WindowUDF};
use datafusion::prelude::SessionConfig;

use datafusion::arrow::array::AsArray;

use super::function_error::FunctionError;
use super::{FUNCTIONS, Function};

/// Returns the value of an expression as CAST AS STRING formats it, `NULL`, or the error.
pub(crate) fn eval(expression: &str) -> String {
    run(&format!("SELECT $cast_string({expression})"))
}

/// Evaluates an expression over a column `x` of this value, so that constant folding does not apply.
pub(crate) fn eval_over(x: &str, expression: &str) -> String {
    run(&format!("SELECT $cast_string({expression}) FROM (SELECT x FROM (VALUES ({x}), (NULL)) AS t(x)) LIMIT 1"))
}

/// Returns the elements of an ARRAY, each as CAST AS STRING formats it.
pub(crate) fn eval_array(expression: &str) -> String {
    run(&format!("SELECT $cast_string(unnest) FROM (SELECT unnest({expression}) AS unnest)"))
}

/// Asserts the values of the expressions.
pub(crate) fn check(cases: &[(&str, &str)]) {
    let wrong: Vec<String> = cases
        .iter()
        .filter_map(|(expression, expected)| {
            let actual = eval(expression);
            (actual != *expected).then(|| format!("{expression}\n    actual   {actual}\n    expected {expected}"))
        })
        .collect();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

fn run(expression: &str) -> String {
    match query(&quote_names(expression)) {
        Ok(values) => values.join(", "),
        Err(error) => format!("error: {}", message(&error)),
    }
}

/// Replaces `DATE '…'` by `"$cast_date"('…')` and `$name` by `"$name"`.
fn quote_names(expression: &str) -> String {
    let mut sql = expression.to_owned();
    for kind in ["BIGNUMERIC", "NUMERIC", "DATETIME", "TIMESTAMP", "DATE", "TIME", "BYTES", "FLOAT64"] {
        while let Some(start) = sql.find(&format!("{kind} '")) {
            let text = start + kind.len() + 2;
            let end = text + sql[text..].find('\'').expect("a literal's end");
            let literal = format!("$cast_{}('{}')", kind.to_lowercase(), &sql[text..end]);
            sql.replace_range(start..=end, &literal);
        }
    }
    let mut quoted = String::new();
    let mut rest = sql.as_str();
    while let Some(start) = rest.find('$') {
        let length = rest[start + 1..].find(|c: char| !c.is_ascii_alphanumeric() && c != '_').expect("an argument list");
        let end = start + 1 + length;
        let name = &rest[start..end];
        quoted += &rest[..start];
        quoted += &if rest[end..].starts_with('(') { format!("\"{name}\"") } else { name.to_owned() };
        rest = &rest[end..];
    }
    quoted + rest
}

/// Returns the message of the [`FunctionError`] in the error chain.
fn message(error: &DataFusionError) -> String {
    let mut source: &dyn std::error::Error = error;
    loop {
        if let Some(error) = source.downcast_ref::<FunctionError>() {
            return error.to_string();
        }
        match source.source() {
            Some(inner) => source = inner,
            None => return format!("(not a FunctionError) {source}"),
        }
    }
}

fn query(sql: &str) -> Result<Vec<String>> {
    let mut config = SessionConfig::new();
    config.options_mut().sql_parser.map_string_types_to_utf8view = false;
    let session = SessionContext::new_with_config(config);
    for function in FUNCTIONS.values() {
        match function {
            Function::Scalar { udf, .. } => session.register_udf(ScalarUDF::clone(udf)),
            Function::Aggregate(udf) => session.register_udaf(AggregateUDF::clone(udf)),
            Function::Window(udf) => session.register_udwf(WindowUDF::clone(udf)),
        }
    }
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let batches = runtime.block_on(async { session.sql(sql).await?.collect().await })?;
    let columns = batches.iter().map(|batch| batch.column(0).as_string::<i32>());
    Ok(columns.flat_map(|column| column.iter().map(|value| value.unwrap_or("NULL").to_owned()).collect::<Vec<_>>()).collect())
}
