//! The push endpoint: accepted and rejected requests, and their answers.

mod auth;
mod auth_keys;
mod cloud_run;
mod connections;
mod deliveries;
mod hostile;
mod hostile_bodies;
mod http;
mod identity;
mod invalid_requests;
mod load_balancers;
mod memory;
mod original;
mod outcomes;
mod planted;
mod privacy;
mod signing;
