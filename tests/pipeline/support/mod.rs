//! What the tests use: processes of the service, the BigQuery emulator, stubs of Google's APIs, and senders in place of
//! Pub/Sub.

pub mod bigquery;
pub mod delivery_log;
pub mod entry;
pub mod external;
pub mod gate;
pub mod google;
pub mod http;
pub mod issuer;
pub mod lag;
pub mod load_generator;
pub mod local;
pub mod memory_group;
pub mod metadata;
pub mod port;
pub mod pull;
pub mod service;
pub mod wait;

pub use bigquery::TestBigQuery;
pub use entry::{Entry, fixture, wrapped};
pub use issuer::Issuer;
pub use service::Service;
