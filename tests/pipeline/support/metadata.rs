//! A metadata server, and a middleware in front of the BigQuery emulator that checks its access tokens.
//!
//! The middleware checks requests of the service only: the tests read tables without a token.

use std::sync::atomic::{AtomicU16, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use pixel_pipeline::source::http::server;
use serde_json::json;
use tokio::net::TcpListener;

/// A metadata server. It numbers the tokens that it issues.
pub struct Metadata {
    /// Lifetime of a token.
    lifetime: Duration,
    /// Time of issue of each token.
    tokens: Mutex<Vec<Instant>>,
    /// Tokens with a lower number are revoked.
    valid_from: AtomicU32,
    /// Status of every response; 0 while the server works.
    fails_with: AtomicU16,
    failed: AtomicU32,
    refused: AtomicU32,
}

impl Metadata {
    /// Starts the server. Returns it and its HOST:PORT.
    pub async fn start(lifetime: Duration) -> (Arc<Self>, String) {
        let (valid_from, fails_with, failed, refused) = Default::default();
        let metadata = Arc::new(Self { lifetime, tokens: Mutex::default(), valid_from, fails_with, failed, refused });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let router = Router::new().fallback(answer).with_state(Arc::clone(&metadata));
        tokio::spawn(server::serve(listener, router, std::future::pending()));
        (metadata, address)
    }

    /// Adds the token check to a router.
    pub fn gate(self: &Arc<Self>, router: Router) -> Router {
        router.layer(middleware::from_fn_with_state(Arc::clone(self), check))
    }

    /// Revokes all tokens that were issued until now.
    pub fn revoke_all(&self) {
        self.valid_from.store(self.tokens() + 1, Ordering::SeqCst);
    }

    /// Sets whether every response is a 503.
    pub fn set_down(&self, down: bool) {
        self.fails_with.store(if down { 503 } else { 0 }, Ordering::SeqCst);
    }

    /// Sets the status of every response, until `set_down(false)`.
    pub fn set_failure(&self, status: StatusCode) {
        self.fails_with.store(status.as_u16(), Ordering::SeqCst);
    }

    /// Issues a new token.
    pub fn issue(&self) -> String {
        let mut tokens = self.tokens.lock().unwrap();
        tokens.push(Instant::now());
        format!("token-{}", tokens.len())
    }

    /// Number of tokens issued.
    pub fn tokens(&self) -> u32 {
        self.tokens.lock().unwrap().len() as u32
    }

    /// Whether the token's lifetime has ended.
    pub fn is_expired(&self, token: u32) -> bool {
        self.tokens.lock().unwrap().get(token as usize - 1).is_some_and(|since| since.elapsed() >= self.lifetime)
    }

    /// Whether the token was issued, has not expired and was not revoked.
    fn is_valid(&self, token: u32) -> bool {
        (1..=self.tokens()).contains(&token) && !self.is_expired(token) && token >= self.valid_from.load(Ordering::SeqCst)
    }

    /// Number of token requests that failed.
    pub fn failed(&self) -> u32 {
        self.failed.load(Ordering::SeqCst)
    }

    /// Number of requests to BigQuery without a valid token.
    pub fn refused(&self) -> u32 {
        self.refused.load(Ordering::SeqCst)
    }
}

async fn answer(State(metadata): State<Arc<Metadata>>) -> Response {
    let fails_with = metadata.fails_with.load(Ordering::SeqCst);
    if fails_with != 0 {
        metadata.failed.fetch_add(1, Ordering::SeqCst);
        return StatusCode::from_u16(fails_with).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR).into_response();
    }
    let lifetime = metadata.lifetime.as_secs();
    let token = json!({"access_token": metadata.issue(), "expires_in": lifetime, "token_type": "Bearer"});
    ([("metadata-flavor", "Google"), ("content-type", "application/json")], token.to_string()).into_response()
}

async fn check(State(metadata): State<Arc<Metadata>>, request: Request, next: Next) -> Response {
    let agent = request.headers().get("user-agent").and_then(|agent| agent.to_str().ok());
    if agent.is_none_or(|agent| !agent.starts_with("pixel-pipeline/")) {
        return next.run(request).await;
    }
    let header = request.headers().get("authorization");
    let token = header.and_then(|value| value.to_str().ok()?.strip_prefix("Bearer token-")?.parse().ok());
    if token.is_some_and(|token| metadata.is_valid(token)) {
        return next.run(request).await;
    }
    metadata.refused.fetch_add(1, Ordering::SeqCst);
    let error = json!({"error": {"code": 401, "message": "Invalid Credentials", "errors": [{"reason": "authError"}]}});
    (StatusCode::UNAUTHORIZED, error.to_string()).into_response()
}
