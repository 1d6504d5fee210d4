//! Whose rows a table may have, by its name.

use super::subject::Subject;
use crate::config::Config;
use crate::decode::table_suffix::Match;

/// Whose rows a table may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ownership {
    /// Those of any user.
    Shared,
    /// The name contains this user's values, but the present settings do not make it: a former TABLE_SUFFIX or TABLE_NAME,
    /// or a name that resembles them.
    Former,
    /// The present settings make the name of this user's values or of another's.
    Possible,
    /// The present settings make the name of this user's values only.
    Certain,
}

/// The ownership of a table, and whether its name identifies the user.
pub(crate) fn ownership(table: &str, config: &Config, subject: &Subject) -> (Ownership, bool) {
    let (attributes, named) = (subject.attributes().len(), subject.attributes_in_name(table));
    let former = if named == attributes { Ownership::Former } else { Ownership::Shared };
    let Some(suffix) = table.strip_prefix(&*config.template.table) else { return (former, named > 0) };
    // A user id may be `overflow`: a table with such a name is always shared.
    if suffix.is_empty() || config.table_limits.overflow.matches(suffix) || is_default_overflow(suffix) {
        return (Ownership::Shared, false);
    }
    let in_suffix = subject.attributes_in_suffix();
    match subject.matches_suffix(suffix) {
        Match::None => (former, named > 0),
        // Rows that differ in the other attributes may arrive at any time.
        _ if in_suffix < attributes => (Ownership::Shared, in_suffix > 0),
        Match::Certain => (Ownership::Certain, true),
        Match::Possible => (Ownership::Possible, true),
    }
}

/// The default OVERFLOW_SUFFIX, which may have been in use before. `__` encodes a character of an id: `_overflow__2d2`
/// is `overflow-2`.
fn is_default_overflow(suffix: &str) -> bool {
    suffix.strip_prefix("_overflow").is_some_and(|rest| rest.is_empty() || rest.starts_with('_') && !rest.starts_with("__"))
}
