//! `ERROR(message)`, which stands for a value of any type.

use std::sync::Arc;

use datafusion::arrow::array::{Array, AsArray, new_null_array};
use datafusion::arrow::datatypes::DataType;

use super::Function;
use super::function_error::FunctionError;
use super::generic::{Call, generic_volatile, plain};
use super::kind::Kind;

/// The entry of `FUNCTIONS`. Its type is that of an untyped NULL, which can be made into any.
pub(crate) fn functions() -> Vec<(&'static str, Function)> {
    vec![generic_volatile("error", |given| {
        let [(message, _)] = given else { return None };
        (Kind::of(message) == Some(Kind::Text)).then(|| Call {
            parameters: vec![Arc::clone(message)],
            returns: plain(DataType::Null),
            body: |columns, _| {
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
    fn an_error_has_the_message_it_is_given() {
        assert_eq!(eval("error('no such thing')"), "Err: no such thing");
        assert_eq!(eval_over("'bad'", "CASE WHEN x = 'good' THEN 1 ELSE error(x) END"), "Err: bad");
    }

    #[test]
    fn a_branch_that_is_not_taken_fails_nothing() {
        assert_eq!(eval_over("'good'", "CASE WHEN x IS NULL OR x = 'good' THEN 'fine' ELSE error('no') END"), "fine");
    }
}
