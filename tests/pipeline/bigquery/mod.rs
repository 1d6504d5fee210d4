//! The embedded BigQuery.

mod clients;
pub mod googlesql;
mod jobs;
