//! A metadata server, and a gate before BigQuery that knows its tokens.
//!
//! The embedded BigQuery lets everybody in, and so does the gate whoever is not the service: tests look inside.

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

/// Hands out tokens, each one higher than the last.
pub struct Metadata {
    /// For how long they are good.
    lifetime: Duration,
    /// When each of them was handed out.
    tokens: Mutex<Vec<Instant>>,
    valid_from: AtomicU32,
    /// 0 if it is well.
    fails_with: AtomicU16,
    failed: AtomicU32,
    refused: AtomicU32,
}

impl Metadata {
    /// The server and its HOST:PORT.
    pub async fn start(lifetime: Duration) -> (Arc<Self>, String) {
        let (valid_from, fails_with, failed, refused) = Default::default();
        let metadata = Arc::new(Self { lifetime, tokens: Mutex::default(), valid_from, fails_with, failed, refused });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let router = Router::new().fallback(answer).with_state(Arc::clone(&metadata));
        tokio::spawn(server::serve(listener, router, std::future::pending()));
        (metadata, address)
    }

    /// Lets the service in if its token is valid.
    pub fn gate(self: &Arc<Self>, router: Router) -> Router {
        router.layer(middleware::from_fn_with_state(Arc::clone(self), check))
    }

    /// No token that was handed out until now is valid any more.
    pub fn expire(&self) {
        self.valid_from.store(self.tokens() + 1, Ordering::SeqCst);
    }

    /// Whether it answers 503 to everybody.
    pub fn down(&self, down: bool) {
        self.fails_with.store(if down { 503 } else { 0 }, Ordering::SeqCst);
    }

    /// Answers that to everybody, until it is not [`down`](Self::down).
    pub fn fails_with(&self, status: StatusCode) {
        self.fails_with.store(status.as_u16(), Ordering::SeqCst);
    }

    /// A new token, which is good from now on.
    pub fn hand_out(&self) -> String {
        let mut tokens = self.tokens.lock().unwrap();
        tokens.push(Instant::now());
        format!("token-{}", tokens.len())
    }

    /// How many tokens it handed out.
    pub fn tokens(&self) -> u32 {
        self.tokens.lock().unwrap().len() as u32
    }

    /// Whether the time of that token is over.
    pub fn is_over(&self, token: u32) -> bool {
        self.tokens.lock().unwrap().get(token as usize - 1).is_some_and(|since| since.elapsed() >= self.lifetime)
    }

    /// Whether it was handed out, its time is not over, and it was not made invalid.
    fn is_valid(&self, token: u32) -> bool {
        (1..=self.tokens()).contains(&token) && !self.is_over(token) && token >= self.valid_from.load(Ordering::SeqCst)
    }

    /// How often it was asked while it was down.
    pub fn failed(&self) -> u32 {
        self.failed.load(Ordering::SeqCst)
    }

    /// How many requests to BigQuery came without a valid token.
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
    let token = json!({"access_token": metadata.hand_out(), "expires_in": lifetime, "token_type": "Bearer"});
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
