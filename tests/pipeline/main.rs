//! The pipeline, through the front door: real processes, real sockets, the real client against the
//! embedded BigQuery. Each module is a part of the specification.

mod batching;
mod check;
mod clients;
mod config;
mod console;
mod cost;
mod credentials;
mod dead_letters;
mod deliveries;
mod emulator;
mod explain;
mod faults;
mod googlesql;
mod hostile;
mod http;
mod identity;
mod jobs;
mod load_balancers;
mod local;
mod local_demo;
mod local_emulator;
mod local_pixel;
mod local_subscription;
mod local_views;
mod logs;
mod new_tables;
mod original;
mod outcomes;
mod query;
mod reports;
mod schema;
mod shipped_views;
mod shutdown;
mod support;
mod views;
