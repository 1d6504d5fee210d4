//! One HTTP exchange: what lies between the clients of Google's APIs and the network.
//!
//! The program sends requests with reqwest. The simulation (`tests/simulation`) answers them itself, so that everything
//! above this file runs there without sockets and on a paused clock.

use std::time::Duration;

use async_trait::async_trait;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue, RETRY_AFTER};
use reqwest::{Body, Method, Request, Response, Url};

use crate::telemetry::with_causes;

/// Sends requests.
#[async_trait]
pub trait Transport: std::fmt::Debug + Send + Sync {
    /// Sends a request and returns its response. The exchange ends with an error when [`Request::timeout`] has passed,
    /// also while the body of the response is read.
    async fn send(&self, request: Request) -> Result<Response, TransportError>;
}

/// Why a request has no response.
#[derive(Debug, Clone, thiserror::Error)]
pub enum TransportError {
    /// It cannot be sent, or was not answered in time.
    #[error("{0}")]
    Unreachable(String),
    /// The connection to the server failed.
    #[error("{0}")]
    Refused(String),
    /// The connection was lost.
    #[error("{0}")]
    ConnectionLost(String),
}

#[async_trait]
impl Transport for reqwest::Client {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        Ok(self.execute(request).await?)
    }
}

impl From<reqwest::Error> for TransportError {
    /// Without the URL: its path may contain a table's name, and with it a user id.
    fn from(error: reqwest::Error) -> Self {
        let error = error.without_url();
        let cause = with_causes(&error);
        if error.is_timeout() || error.is_builder() {
            Self::Unreachable(cause)
        } else if error.is_connect() {
            Self::Refused(cause)
        } else {
            Self::ConnectionLost(cause)
        }
    }
}

pub(crate) fn parse_url(url: &str) -> Result<Url, TransportError> {
    Url::parse(url).map_err(|error| TransportError::Unreachable(error.to_string()))
}

/// A request without a body.
pub(crate) fn request(method: Method, url: Url, timeout: Duration) -> Request {
    let mut request = Request::new(method, url);
    *request.timeout_mut() = Some(timeout);
    request
}

/// Adds an access token.
pub(crate) fn authorize(request: &mut Request, token: &str) -> Result<(), TransportError> {
    let mut value = HeaderValue::try_from(format!("Bearer {token}"))
        .map_err(|_| TransportError::Unreachable("the access token has characters that no header can have".to_owned()))?;
    value.set_sensitive(true);
    request.headers_mut().insert(AUTHORIZATION, value);
    Ok(())
}

/// The Retry-After of an answer, in seconds. Google sends no dates.
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    headers.get(RETRY_AFTER)?.to_str().ok()?.parse().ok().map(Duration::from_secs)
}

/// Adds a body of JSON.
pub(crate) fn set_json(request: &mut Request, body: impl Into<Body>) {
    request.headers_mut().insert(reqwest::header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    *request.body_mut() = Some(body.into());
}
