//! A transport for unit tests, without a network. A script makes its answers, and it keeps the requests.

use std::fmt::{self, Debug, Formatter};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use axum::body::{Body, to_bytes};
use reqwest::header::RETRY_AFTER;
use reqwest::{Method, Request, Response};
use tokio::time::{Instant, sleep, timeout};

use super::transport::{Transport, TransportError};

/// A request.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) at: Instant,
    pub(crate) method: Method,
    pub(crate) url: String,
    pub(crate) body: String,
}

/// The answer to it.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    after: Duration,
    status: u16,
    retry_after: Option<u64>,
    body: String,
}

/// Sends nothing.
pub(crate) struct Scripted {
    script: Box<dyn Fn(&Call) -> Answer + Send + Sync>,
    calls: Mutex<Vec<Call>>,
}

impl Call {
    /// Whether it is a request with this method to a path that ends like this.
    pub(crate) fn is(&self, method: &Method, end: &str) -> bool {
        self.method == *method && self.url.split('?').next().is_some_and(|url| url.ends_with(end))
    }
}

impl Answer {
    /// At once.
    pub(crate) fn new(status: u16, body: impl Into<String>) -> Self {
        Self { after: Duration::ZERO, status, retry_after: None, body: body.into() }
    }

    pub(crate) fn after(self, after: Duration) -> Self {
        Self { after, ..self }
    }

    pub(crate) fn with_retry_after(self, seconds: u64) -> Self {
        Self { retry_after: Some(seconds), ..self }
    }
}

impl Scripted {
    pub(crate) fn new(script: impl Fn(&Call) -> Answer + Send + Sync + 'static) -> Arc<Self> {
        Arc::new(Self { script: Box::new(script), calls: Mutex::default() })
    }

    /// The requests so far.
    pub(crate) fn calls(&self) -> MutexGuard<'_, Vec<Call>> {
        self.calls.lock().unwrap()
    }

    /// When requests with this method to a path that ends like this came.
    pub(crate) fn times(&self, method: &Method, end: &str) -> Vec<Instant> {
        self.calls().iter().filter(|call| call.is(method, end)).map(|call| call.at).collect()
    }
}

impl Debug for Scripted {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        formatter.write_str("Scripted")
    }
}

#[async_trait]
impl Transport for Scripted {
    async fn send(&self, mut request: Request) -> Result<Response, TransportError> {
        let body = match request.body_mut().take() {
            Some(body) => to_bytes(Body::new(body), usize::MAX).await.unwrap().to_vec(),
            None => Vec::new(),
        };
        let body = String::from_utf8_lossy(&body).into_owned();
        let call = Call { at: Instant::now(), method: request.method().clone(), url: request.url().to_string(), body };
        let answer = (self.script)(&call);
        self.calls().push(call);
        let limit = request.timeout().copied().expect("each request has a timeout");
        timeout(limit, sleep(answer.after)).await.map_err(|_| TransportError::Unreachable("timeout".to_owned()))?;
        let mut response = axum::http::Response::builder().status(answer.status);
        if let Some(seconds) = answer.retry_after {
            response = response.header(RETRY_AFTER, seconds);
        }
        Ok(response.body(answer.body).unwrap().into())
    }
}
