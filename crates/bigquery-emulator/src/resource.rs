//! A dataset or table as JSON: what was sent, and what is computed.
//!
//! What was sent is stored without being understood; the computed members (id, times, etag) are never taken from a
//! client, and added on the way out.

use serde_json::{Map, Value};

/// A resource, or the part of it that was sent.
pub(crate) type Members = Map<String, Value>;

/// Takes out the members with these names.
pub(crate) fn without(mut members: Members, names: &[&str]) -> Members {
    members.retain(|name, _| !names.contains(&name.as_str()));
    members
}

/// Leaves the members with these names.
pub(crate) fn only(mut members: Members, names: &[&str]) -> Members {
    members.retain(|name, _| names.contains(&name.as_str()));
    members
}

/// Adds members, replacing those of the same name.
pub(crate) fn with(mut members: Members, more: Value) -> Members {
    if let Value::Object(more) = more {
        members.extend(more);
    }
    members
}
