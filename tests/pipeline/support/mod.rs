//! What the tests speak with: a service process, a BigQuery, and Pub/Sub's side of a push.

pub mod bigquery;
pub mod entry;
pub mod external;
pub mod gate;
pub mod google;
pub mod issuer;
pub mod ledger;
pub mod local;
pub mod metadata;
pub mod pubsub;
pub mod pull;
pub mod service;

pub use bigquery::TestBigQuery;
pub use entry::{Entry, fixture, wrapped};
pub use issuer::Issuer;
pub use service::Service;
