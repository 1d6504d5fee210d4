//! The views and queries of `schema/`.

mod definitions;
mod shipped;
