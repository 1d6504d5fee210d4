//! What the fuzz targets share: reading an input, and checks of every row.
//!
//! A target asserts more than the absence of panics. It computes the expected result in a second way, such as with another
//! library or by decoding an encoded value, and compares. Inputs are text where possible, so that a seed or a failing
//! input is readable.

#![forbid(unsafe_code)]

pub mod decoders;
pub mod fields;
pub mod rows;
