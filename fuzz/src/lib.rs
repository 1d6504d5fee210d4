//! What the fuzz targets have in common: how an input is read, and what must hold of every row.
//!
//! Each target asserts more than that nothing panics. It says what has to come out in a second way (another library's
//! reading, the way back, a second time) and compares. Inputs are text as far as possible, so that a seed or a find can
//! be read: lines for what is short, and all the rest for what matters.

#![forbid(unsafe_code)]

pub mod decoders;
pub mod fields;
pub mod rows;
