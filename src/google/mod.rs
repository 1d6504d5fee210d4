//! Google's REST APIs: one client, with credentials, retries, pagination and errors.
//!
//! ```text
//!     endpoints, credentials ─▶ client ─▶ bigquery (schemas), statement (jobs.query), storage (objects)
//!    transport, retry, error ──┤
//!       body, resource, list ──┤
//!           error_body, role ──┘
//! ```
//!
//! Reading has three results: a resource, its absence, or an error. Absence is an explicit statement of the API. An answer
//! that cannot be read is an error, and never an empty list, a zero or an absent resource.
//!
//! `config` fills in the addresses. The sink, `check`, `forget` and `replay` send requests through [`Client`].
//! `insertAll` is not here: the sink sends it itself and the batcher retries it.

pub mod bigquery;
pub mod body;
mod client;
mod credentials;
mod endpoints;
mod error;
mod error_body;
mod http_client;
pub(crate) mod list;
mod resource;
mod retry;
mod role;
#[cfg(test)]
pub(crate) mod scripted;
pub mod statement;
pub mod storage;
pub mod transport;

pub use client::Client;
pub(crate) use credentials::gcloud;
pub use credentials::{CredentialsSource, TokenError, Tokens};
pub use endpoints::{Api, Endpoints};
pub use error::{ApiError, ApiResult, Lookup};
pub use error_body::ErrorBody;
pub use http_client::HttpClient;
pub use retry::RetryPolicy;
pub use transport::{Transport, TransportError};
