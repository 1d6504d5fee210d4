//! The pipeline, through the front door: real processes, real sockets, the real client against the
//! embedded BigQuery. Each module is a part of the specification.

mod outcomes;
mod support;
