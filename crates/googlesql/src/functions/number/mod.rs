//! Number formats and conversions between numeric types.

pub(crate) mod decimal;
pub(crate) mod floating;
