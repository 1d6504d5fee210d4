//! The pipeline on one machine: everything that Google Cloud does for `serve`, in one process.
//!
//! ```text
//! demo ─▶ load_balancer ─▶ log_sink ─▶ pubsub ─▶ POST / of the service ─▶ bigquery
//! ```
//!
//! Between them are real sockets, so that the service in the middle is the very one that runs on
//! Cloud Run and cannot tell the difference. [`topology`] puts the parts together and ends them in
//! order, [`stats`] is what they tell of themselves, [`summary`] what there is to say at the end,
//! [`console`] the page on which one looks at it all. [`views`] are made beside the tables.


pub mod address;
pub mod bq;
pub mod console;
pub mod demo;
pub mod handles;
pub mod load_balancer;
pub mod log_sink;
pub mod loopback;
pub mod pubsub;
pub mod stats;
pub mod summary;
pub mod topology;
pub mod views;
