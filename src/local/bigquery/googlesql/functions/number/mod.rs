//! Numbers as text and across types.

pub(super) mod decimal;
pub(super) mod floating;
