//! `JSON_STRIP_NULLS(json, path, include_arrays, remove_empty)`: without its `null`s.

use super::super::Function;
use super::super::adapter::scalar;
use super::super::column::{Bool, Json, Parsed};
use super::super::function_error::FunctionError;
use super::super::overload::Overload;
use super::path::JsonPath;
use super::tree::Tree;

/// All four arguments are always there.
pub(crate) fn functions() -> Vec<(&'static str, Function)> {
    vec![scalar(
        "json_strip_nulls",
        vec![Overload::quaternary::<Json, Parsed<JsonPath>, Bool, Bool, Json, _>(
            |json, path, arrays, empty| -> Result<String, FunctionError> {
                let mut tree = Tree::of(json)?;
                if let Some(part) = tree.at(&path.0) {
                    let rules = Rules { arrays, empty };
                    rules.strip(part);
                    if rules.is_nothing(part) {
                        *part = Tree::Null;
                    }
                }
                Ok(tree.text())
            },
        )],
    )]
}

struct Rules {
    /// Arrays lose theirs, too.
    arrays: bool,
    /// What has become empty goes, and what has been.
    empty: bool,
}

impl Rules {
    fn strip(&self, tree: &mut Tree) {
        match tree {
            Tree::Object(members) => {
                members.values_mut().for_each(|member| self.strip(member));
                members.retain(|_, member| !self.is_nothing(member));
            }
            Tree::Array(elements) => {
                elements.iter_mut().for_each(|element| self.strip(element));
                if self.arrays {
                    elements.retain(|element| !self.is_nothing(element));
                }
            }
            Tree::Null | Tree::Bool(_) | Tree::Number(_) | Tree::Text(_) => {}
        }
    }

    fn is_nothing(&self, tree: &Tree) -> bool {
        match tree {
            Tree::Null => true,
            Tree::Object(members) => self.empty && members.is_empty(),
            Tree::Array(elements) => self.empty && self.arrays && elements.is_empty(),
            Tree::Bool(_) | Tree::Number(_) | Tree::Text(_) => false,
        }
    }
}
