//! Numbers as text and across types.

pub(crate) mod decimal;
pub(crate) mod floating;
