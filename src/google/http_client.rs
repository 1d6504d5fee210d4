//! The HTTP client of the service, over hyper itself.
//!
//! reqwest has no setting for the buffer of a connection. hyper skips 1xx responses in a loop, and with its default buffer it
//! reads 50 MB of them before other tasks run: a server that sends them without end would hold a delivery beyond its deadline.

use std::error::Error;
use std::future::Future as _;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use reqwest::header::{HeaderValue, USER_AGENT};
use reqwest::{Request, Response};
use tokio::time::{Instant, Sleep, sleep_until, timeout_at};

use super::transport::{Transport, TransportError};
use crate::telemetry::with_causes;

/// BigQuery is a few milliseconds away.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
const POOL_IDLE_TIMEOUT: Duration = Duration::from_secs(60);
/// Detects connections that were lost without a notice, such as those of an instance that was paused.
const KEEPALIVE: Duration = Duration::from_secs(15);
const KEEPALIVE_RETRIES: u32 = 3;
/// The buffer of an HTTP/1 connection, and so the longest header of a response.
const MAX_BUFFER_BYTES: usize = 16 << 10;
/// For a request without a timeout.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(600);

/// A client with its own connections. It follows no redirect, which BigQuery does not send, and uses no proxy: Cloud Run has
/// none, and proxy variables of a shell must not redirect rows.
#[derive(Debug)]
pub struct HttpClient(legacy::Client<HttpsConnector<HttpConnector>, reqwest::Body>);

/// The time of an exchange is over.
#[derive(Debug, thiserror::Error)]
#[error("no complete answer before the deadline")]
struct TimedOut;

impl HttpClient {
    /// `unread_timeout` is the time after which a connection is closed whose peer does not read.
    pub fn new(unread_timeout: Duration) -> Self {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_connect_timeout(Some(CONNECT_TIMEOUT));
        tcp.set_keepalive(Some(KEEPALIVE));
        tcp.set_keepalive_interval(Some(KEEPALIVE));
        tcp.set_keepalive_retries(Some(KEEPALIVE_RETRIES));
        // hyper writes what it has of a cancelled request. If BigQuery does not read it, the rows are freed after this time.
        #[cfg(target_os = "linux")]
        tcp.set_tcp_user_timeout(Some(unread_timeout));
        let tls = HttpsConnectorBuilder::new().with_provider_and_webpki_roots(rustls::crypto::ring::default_provider());
        let connector = tls.expect("ring has TLS 1.2 and 1.3").https_or_http().enable_all_versions().wrap_connector(tcp);
        let client = legacy::Client::builder(TokioExecutor::new())
            .timer(TokioTimer::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(POOL_IDLE_TIMEOUT)
            .http1_max_buf_size(MAX_BUFFER_BYTES)
            .build(connector);
        Self(client)
    }
}

#[async_trait]
impl Transport for HttpClient {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        let deadline = Instant::now() + request.timeout().copied().unwrap_or(DEFAULT_TIMEOUT);
        let mut request = hyper::Request::<reqwest::Body>::try_from(request)?;
        request.headers_mut().insert(USER_AGENT, HeaderValue::from_static(concat!("pixel-pipeline/", env!("CARGO_PKG_VERSION"))));
        match timeout_at(deadline, self.0.request(request)).await {
            Ok(Ok(response)) => {
                let body = |body| reqwest::Body::wrap(TimedBody { body, deadline: Box::pin(sleep_until(deadline)) });
                Ok(response.map(body).into())
            }
            Ok(Err(error)) if error.is_connect() => Err(TransportError::Refused(with_causes(&error))),
            Ok(Err(error)) => Err(TransportError::ConnectionLost(with_causes(&error))),
            Err(_) => Err(TransportError::Unreachable(TimedOut.to_string())),
        }
    }
}

/// A body that ends with an error at the deadline.
#[derive(Debug)]
struct TimedBody {
    body: Incoming,
    deadline: Pin<Box<Sleep>>,
}

impl Body for TimedBody {
    type Data = Bytes;
    type Error = Box<dyn Error + Send + Sync>;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(cx) {
            return Poll::Ready(frame.map(|frame| frame.map_err(Into::into)));
        }
        ready!(self.deadline.as_mut().poll(cx));
        Poll::Ready(Some(Err(TimedOut.into())))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
