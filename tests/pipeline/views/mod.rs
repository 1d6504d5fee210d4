//! The views and queries of `schema/`.

mod any_schema;
mod definitions;
mod shipped;
