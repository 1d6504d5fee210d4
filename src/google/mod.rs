//! Google's REST APIs: one client, with credentials, retries, pagination and errors.
//!
//! ```text
//! endpoints, credentials ─▶ client ─▶ bigquery (schemas), statement (jobs.query), storage (objects)
//!              retry, error ──┘
//! ```
//!
//! `config` fills in the addresses. The sink, `check`, `forget` and `replay` send requests through [`Client`].
//! `insertAll` is not here: the sink sends it itself and the batcher retries it.

pub mod bigquery;
mod client;
mod credentials;
mod endpoints;
mod error;
mod retry;
pub mod statement;
pub mod storage;

pub use client::Client;
pub(crate) use credentials::gcloud;
pub use credentials::{TokenError, Tokens};
pub use endpoints::{Api, Endpoints};
pub use error::{ApiError, ApiResult, Lookup};
pub use retry::RetryPolicy;
