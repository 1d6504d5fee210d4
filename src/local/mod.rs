//! The pipeline on one machine: everything that Google Cloud does for `serve`, in one process.
//!
//! [`pixel`] stands for load balancer, CDN and bucket, [`subscription`] for topic and push
//! subscription, [`bigquery`] for BigQuery. Between them are real sockets, so that the service
//! in the middle is the very one that runs on Cloud Run and cannot tell the difference.

pub mod activity;
pub mod bigquery;
pub mod pixel;
pub mod subscription;
