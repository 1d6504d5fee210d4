//! The local mode: the whole pipeline in one process, with what Google Cloud provides for `serve`.
//!
//! ```text
//! demo ─▶ front ─▶ log_sink ─▶ pubsub ─▶ POST / of the service ─▶ bigquery
//! ```
//!
//! [`front`] is the [`load_balancer`], or the pixel on [`cloud_run`]. The parts talk over real sockets, so the service runs the same code as on Cloud Run. [`topology`] starts the parts
//! and stops them in order. [`stats`] counts what passes, [`summary`] prints the totals at the end, [`console`] is the
//! web page that shows the pipeline at work. [`template_table`] creates the template table, [`views`] the views of
//! `schema/views/`.
//!
//! The local mode uses the service, its settings and its decoder. None of them uses the local mode.

pub(crate) mod address;
pub(crate) mod bq;
pub mod cloud_run;
pub(crate) mod console;
pub(crate) mod demo;
pub mod front;
pub(crate) mod handles;
pub mod load_balancer;
pub mod log_sink;
pub(crate) mod loopback;
pub mod pubsub;
pub(crate) mod request_log;
pub mod stats;
pub(crate) mod summary;
pub(crate) mod tables_api;
pub(crate) mod template_table;
pub(crate) mod topology;
pub(crate) mod views;
