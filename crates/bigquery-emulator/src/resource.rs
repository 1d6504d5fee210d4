//! The members of a dataset or table resource.
//!
//! The store keeps the members that a client sent. The server computes other members (id, times, etag), ignores them in
//! requests and adds them to responses.

use serde_json::{Map, Value};

/// The members of a resource, or of a part of it.
pub(crate) type Members = Map<String, Value>;

/// Removes the members with these names.
pub(crate) fn remove_members(mut members: Members, names: &[&str]) -> Members {
    members.retain(|name, _| !names.contains(&name.as_str()));
    members
}

/// Removes all members except those with these names.
pub(crate) fn keep_members(mut members: Members, names: &[&str]) -> Members {
    members.retain(|name, _| names.contains(&name.as_str()));
    members
}

/// Adds members, and replaces members of the same name.
pub(crate) fn add_members(mut members: Members, more: Value) -> Members {
    if let Value::Object(more) = more {
        members.extend(more);
    }
    members
}
