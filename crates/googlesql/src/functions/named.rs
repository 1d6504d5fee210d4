//! The arguments that a call may leave out and may give by name: `wide_number_mode => 'round'`.
//!
//! The functions themselves know nothing of it: they get all of these, in this order, after the
//! others.

use datafusion::common::ScalarValue;

/// One of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Named {
    /// In lower case.
    pub(crate) name: &'static str,
    default: Default,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Default {
    Bool(bool),
    Int64(i64),
    Text(&'static str),
}

impl Named {
    /// What stands for it in a call without it.
    pub(crate) fn default(&self) -> ScalarValue {
        match self.default {
            Default::Bool(value) => ScalarValue::Boolean(Some(value)),
            Default::Int64(value) => ScalarValue::Int64(Some(value)),
            Default::Text(value) => ScalarValue::Utf8(Some(value.to_owned())),
        }
    }
}

/// Those of a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NamedArguments {
    pub(crate) arguments: &'static [Named],
    /// The place of the first of them where they may be given without a name, too.
    pub(crate) first: Option<usize>,
}

/// Of the function of this name, in lower case; there are few that have any.
pub(crate) fn named_arguments(function: &str) -> Option<NamedArguments> {
    const APPEND: &[Named] = &[boolean("append_each_element", true)];
    const INSERT: &[Named] = &[boolean("insert_each_element", true)];
    const SET: &[Named] = &[boolean("create_if_missing", true)];
    const STRIP: &[Named] = &[text("path", "$"), boolean("include_arrays", true), boolean("remove_empty", false)];
    const PARSE: &[Named] = &[text("wide_number_mode", "exact")];
    const TO_JSON: &[Named] = &[boolean("stringify_wide_numbers", false)];
    const TO_TEXT: &[Named] = &[boolean("pretty_print", false)];
    const KEYS: &[Named] = &[int64("max_depth", i64::MAX), text("mode", "strict")];
    const INTERVAL: &[Named] =
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

const fn boolean(name: &'static str, value: bool) -> Named {
    Named { name, default: Default::Bool(value) }
}

const fn int64(name: &'static str, value: i64) -> Named {
    Named { name, default: Default::Int64(value) }
}

const fn text(name: &'static str, value: &'static str) -> Named {
    Named { name, default: Default::Text(value) }
}
