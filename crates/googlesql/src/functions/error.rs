//! `ERROR(message)`, which has every result type.

use std::sync::Arc;

use datafusion::arrow::array::{Array, AsArray, new_null_array};
use datafusion::arrow::datatypes::DataType;

use super::Function;
use super::function_error::FunctionError;
use super::generic::{ScalarCall, generic_volatile, nullable_field};
use super::sql_type::SqlType;

/// The entries of `FUNCTIONS`. The result type is the untyped NULL, which coerces to every type.
pub(crate) fn functions() -> Vec<(&'static str, Function)> {
    vec![generic_volatile("error", |arguments| {
        let [(message, _)] = arguments else { return None };
        (SqlType::of(message) == Some(SqlType::Text)).then(|| ScalarCall {
            parameters: vec![Arc::clone(message)],
            returns: nullable_field(DataType::Null),
            body: |columns, _, _| {
                let messages = columns[0].as_string::<i32>();
                match messages.iter().next() {
                    None => Ok(new_null_array(&DataType::Null, messages.len())),
                    Some(message) => Err(FunctionError::new(message.unwrap_or("NULL")).into()),
                }
            },
        })
    })]
}

#[cfg(test)]
mod tests {
    use super::super::test_eval::{eval, eval_over};

    #[test]
    fn error_returns_the_given_message() {
        assert_eq!(eval("error('no such thing')"), "Err: no such thing");
        assert_eq!(eval_over("'bad'", "CASE WHEN x = 'good' THEN 1 ELSE error(x) END"), "Err: bad");
    }

    #[test]
    fn error_in_an_untaken_case_branch_is_ignored() {
        assert_eq!(eval_over("'good'", "CASE WHEN x IS NULL OR x = 'good' THEN 'fine' ELSE error('no') END"), "fine");
    }
}
