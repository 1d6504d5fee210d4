//! The way into BigQuery: batches, credentials, the template table, dead letters.

mod batching;
mod credentials;
mod dead_letters;
mod foreign_tables;
mod schema;
mod shutdown;
mod table_limit;
mod template_changes;
