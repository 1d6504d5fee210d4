//! A session that knows the functions (which hide DataFusion's of the same names), and what it answers.
//!
//! Expressions are written as GoogleSQL where that is possible without the rewriting: typed
//! literals (`DATE '2024-01-01'`) become casts, `$names` are quoted; part names are strings.

use datafusion::error::{DataFusionError, Result};
use datafusion::execution::context::SessionContext;
use datafusion::logical_expr::{AggregateUDF, ScalarUDF, WindowUDF};
use datafusion::prelude::SessionConfig;

use datafusion::arrow::array::AsArray;

use super::function_error::FunctionError;
use super::{FUNCTIONS, Function};

/// The value of an expression as CAST AS STRING writes it, `NULL`, or its error.
pub(crate) fn eval(expression: &str) -> String {
    answer(&format!("SELECT $cast_string({expression})"))
}

/// The same with a column `x` of this value, so that nothing of it can be folded.
pub(crate) fn eval_over(x: &str, expression: &str) -> String {
    answer(&format!("SELECT $cast_string({expression}) FROM (SELECT x FROM (VALUES ({x}), (NULL)) AS t(x)) LIMIT 1"))
}

/// The elements of an ARRAY, each as CAST AS STRING writes it.
pub(crate) fn eval_array(expression: &str) -> String {
    answer(&format!("SELECT $cast_string(unnest) FROM (SELECT unnest({expression}) AS unnest)"))
}

/// Asserts what expressions give.
pub(crate) fn check(cases: &[(&str, &str)]) {
    let wrong: Vec<String> = cases
        .iter()
        .filter_map(|(expression, expected)| {
            let actual = eval(expression);
            (actual != *expected).then(|| format!("{expression}\n    is       {actual}\n    shall be {expected}"))
        })
        .collect();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

fn answer(expression: &str) -> String {
    match query(&quoted(expression)) {
        Ok(values) => values.join(", "),
        Err(error) => format!("error: {}", message(&error)),
    }
}

/// `DATE '…'` as `"$cast_date"('…')`, `$name` as `"$name"`.
fn quoted(expression: &str) -> String {
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

/// The [`FunctionError`] in an error: what the user will read.
fn message(error: &DataFusionError) -> String {
    let mut source: &dyn std::error::Error = error;
    loop {
        if let Some(failure) = source.downcast_ref::<FunctionError>() {
            return failure.to_string();
        }
        match source.source() {
            Some(inner) => source = inner,
            None => return format!("(not ours) {source}"),
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
