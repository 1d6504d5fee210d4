//! `JSON_STRIP_NULLS(json, path, include_arrays, remove_empty)`.

use super::super::Function;
use super::super::adapter::scalar;
use super::super::column::{Bool, Json, Parsed};
use super::super::function_error::FunctionError;
use super::super::overload::Overload;
use super::path::JsonPath;
use super::tree::JsonTree;

/// The function always receives all four arguments.
pub(crate) fn functions() -> Vec<(&'static str, Function)> {
    vec![scalar(
        "json_strip_nulls",
        vec![Overload::quaternary::<Json, Parsed<JsonPath>, Bool, Bool, Json, _>(
            |json, path, include_arrays, remove_empty| -> Result<String, FunctionError> {
                let mut tree = JsonTree::from_json(json)?;
                if let Some(target) = tree.get_mut(&path.0) {
                    let options = StripOptions { include_arrays, remove_empty };
                    options.strip(target);
                    if options.is_removed(target) {
                        *target = JsonTree::Null;
                    }
                }
                Ok(tree.to_text())
            },
        )],
    )]
}

struct StripOptions {
    /// Whether NULL elements are removed from arrays.
    include_arrays: bool,
    /// Whether empty objects and arrays are removed.
    remove_empty: bool,
}

impl StripOptions {
    fn strip(&self, tree: &mut JsonTree) {
        match tree {
            JsonTree::Object(members) => {
                members.values_mut().for_each(|member| self.strip(member));
                members.retain(|_, member| !self.is_removed(member));
            }
            JsonTree::Array(elements) => {
                elements.iter_mut().for_each(|element| self.strip(element));
                if self.include_arrays {
                    elements.retain(|element| !self.is_removed(element));
                }
            }
            JsonTree::Null | JsonTree::Bool(_) | JsonTree::Number(_) | JsonTree::Text(_) => {}
        }
    }

    fn is_removed(&self, tree: &JsonTree) -> bool {
        match tree {
            JsonTree::Null => true,
            JsonTree::Object(members) => self.remove_empty && members.is_empty(),
            JsonTree::Array(elements) => self.remove_empty && self.include_arrays && elements.is_empty(),
            JsonTree::Bool(_) | JsonTree::Number(_) | JsonTree::Text(_) => false,
        }
    }
}
