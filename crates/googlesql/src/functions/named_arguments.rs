//! Optional arguments that a call can pass by name: `wide_number_mode => 'round'`.
//!
//! The resolver fills in the defaults. The function receives all named arguments in the declared
//! order, after the positional ones.

use datafusion::common::ScalarValue;

/// An optional argument and its default.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OptionalArgument {
    /// In lower case.
    pub(crate) name: &'static str,
    default: DefaultValue,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum DefaultValue {
    Bool(bool),
    Int64(i64),
    Text(&'static str),
}

impl OptionalArgument {
    /// Returns the default value.
    pub(crate) fn default(&self) -> ScalarValue {
        match self.default {
            DefaultValue::Bool(value) => ScalarValue::Boolean(Some(value)),
            DefaultValue::Int64(value) => ScalarValue::Int64(Some(value)),
            DefaultValue::Text(value) => ScalarValue::Utf8(Some(value.to_owned())),
        }
    }
}

/// The named arguments of a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NamedArguments {
    pub(crate) arguments: &'static [OptionalArgument],
    /// The position of the first named argument, if a call can also pass them by position.
    pub(crate) first: Option<usize>,
}

/// Returns the named arguments of the function. `function` is in lower case.
pub(crate) fn named_arguments(function: &str) -> Option<NamedArguments> {
    const APPEND: &[OptionalArgument] = &[boolean("append_each_element", true)];
    const INSERT: &[OptionalArgument] = &[boolean("insert_each_element", true)];
    const SET: &[OptionalArgument] = &[boolean("create_if_missing", true)];
    const STRIP: &[OptionalArgument] = &[text("path", "$"), boolean("include_arrays", true), boolean("remove_empty", false)];
    const PARSE: &[OptionalArgument] = &[text("wide_number_mode", "exact")];
    const TO_JSON: &[OptionalArgument] = &[boolean("stringify_wide_numbers", false)];
    const TO_TEXT: &[OptionalArgument] = &[boolean("pretty_print", false)];
    const KEYS: &[OptionalArgument] = &[int64("max_depth", i64::MAX), text("mode", "strict")];
    const INTERVAL: &[OptionalArgument] =
        &[int64("year", 0), int64("month", 0), int64("day", 0), int64("hour", 0), int64("minute", 0), int64("second", 0)];
    let (arguments, first) = match function {
        "json_array_append" => (APPEND, None),
        "json_array_insert" => (INSERT, None),
        "json_set" => (SET, None),
        "json_strip_nulls" => (STRIP, Some(1)),
        "parse_json" => (PARSE, Some(1)),
        "to_json" => (TO_JSON, Some(1)),
        "to_json_string" => (TO_TEXT, Some(1)),
        "json_keys" => (KEYS, Some(1)),
        "make_interval" => (INTERVAL, Some(0)),
        _ => return None,
    };
    Some(NamedArguments { arguments, first })
}

const fn boolean(name: &'static str, value: bool) -> OptionalArgument {
    OptionalArgument { name, default: DefaultValue::Bool(value) }
}

const fn int64(name: &'static str, value: i64) -> OptionalArgument {
    OptionalArgument { name, default: DefaultValue::Int64(value) }
}

const fn text(name: &'static str, value: &'static str) -> OptionalArgument {
    OptionalArgument { name, default: DefaultValue::Text(value) }
}
