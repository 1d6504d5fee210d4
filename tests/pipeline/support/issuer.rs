//! The issuer of Pub/Sub's push tokens: signs tokens and serves the JWK set.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jiff::Timestamp;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use pixel_pipeline::source::http::server;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

use super::entry::fixture;
use super::wait::wait_until;

/// Audience and service account of the push subscription's tokens.
pub const AUDIENCE: &str = "https://pixel-pipeline-x.a.run.app";
pub const ACCOUNT: &str = "pixel-push@test-project.iam.gserviceaccount.com";

/// A JWK set on its own port.
pub struct Issuer {
    /// URL of the JWK set.
    pub url: String,
    key_set: Arc<KeySet>,
    server: JoinHandle<()>,
}

struct KeySet {
    fetches: AtomicU32,
    answers: AtomicU32,
    ignores_next: AtomicBool,
    /// Status, `Cache-Control` and body.
    answer: Mutex<(StatusCode, &'static str, String)>,
    /// Each response takes a permit.
    permits: Semaphore,
}

/// A key pair of tests/fixtures/auth, which is used by these tests only.
pub fn key(name: &str) -> EncodingKey {
    let pem = fixture(&format!("auth/{name}.pem"));
    let base64: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    EncodingKey::from_rsa_der(&STANDARD.decode(base64).unwrap())
}

/// The public key, as in a JWK set.
pub fn jwk(name: &str) -> Value {
    let mut jwk = serde_json::to_value(Jwk::from_encoding_key(&key(name), Algorithm::RS256).unwrap()).unwrap();
    jwk["kid"] = json!(name);
    jwk["use"] = json!("sig");
    jwk
}

/// The claims of a valid token.
pub fn claims() -> Value {
    let now = Timestamp::now().as_second();
    json!({
        "aud": AUDIENCE, "azp": "113774264463038321964", "email": ACCOUNT, "email_verified": true,
        "exp": now + 3600, "iat": now, "iss": "https://accounts.google.com", "sub": "113774264463038321964",
    })
}

/// The claims of a valid token with one claim added or replaced; null removes it.
pub fn claims_with(name: &str, value: Value) -> Value {
    let mut claims = claims();
    let members = claims.as_object_mut().unwrap();
    if value.is_null() {
        members.remove(name);
    } else {
        members.insert(name.to_owned(), value);
    }
    claims
}

/// A token with these claims, signed with this key; `kid` is the key id in its header.
pub fn signed(kid: &str, name: &str, claims: &Value) -> String {
    let header = Header { kid: Some(kid.to_owned()), ..Header::new(Algorithm::RS256) };
    jsonwebtoken::encode(&header, claims, &key(name)).unwrap()
}

/// A valid token. Each number makes a different token.
pub fn token(name: &str, number: u32) -> String {
    signed(name, name, &claims_with("number", json!(number)))
}

/// HEADER.PAYLOAD, without a signature.
pub fn unsigned(header: &Value, claims: &Value) -> String {
    [header, claims].map(|part| URL_SAFE_NO_PAD.encode(part.to_string())).join(".")
}

impl Issuer {
    /// Serves the key `first`, to be cached for six hours.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/oauth2/v3/certs", listener.local_addr().unwrap());
        let key_set = Arc::new(KeySet {
            fetches: AtomicU32::new(0),
            answers: AtomicU32::new(0),
            ignores_next: AtomicBool::new(false),
            answer: Mutex::new((StatusCode::OK, "", String::new())),
            permits: Semaphore::new(Semaphore::MAX_PERMITS / 2),
        });
        let router = Router::new().fallback(answer).with_state(Arc::clone(&key_set));
        let server = tokio::spawn(server::serve(listener, router, std::future::pending()));
        let issuer = Self { url, key_set, server };
        issuer.show(&["first"], "public, max-age=21600, must-revalidate");
        issuer
    }

    /// Serves these keys from now on.
    pub fn show(&self, names: &[&str], cache_control: &'static str) {
        let keys: Vec<Value> = names.iter().map(|name| jwk(name)).collect();
        *self.key_set.answer.lock().unwrap() = (StatusCode::OK, cache_control, json!({"keys": keys}).to_string());
    }

    /// Responds with this from now on.
    pub fn answer(&self, status: u16, body: &str) {
        *self.key_set.answer.lock().unwrap() = (StatusCode::from_u16(status).unwrap(), "max-age=60", body.to_owned());
    }

    /// Delays all responses until [`Self::release`].
    pub fn hold(&self) {
        self.key_set.permits.forget_permits(Semaphore::MAX_PERMITS);
    }

    /// Sends the delayed responses and stops delaying.
    pub fn release(&self) {
        self.key_set.permits.add_permits(Semaphore::MAX_PERMITS / 2);
    }

    /// Never responds to the next request. Later requests are served.
    pub fn ignore_next(&self) {
        self.key_set.ignores_next.store(true, Ordering::SeqCst);
    }

    /// Number of responses.
    pub fn answers(&self) -> u32 {
        self.key_set.answers.load(Ordering::SeqCst)
    }

    /// Number of requests for the keys.
    pub fn fetches(&self) -> u32 {
        self.key_set.fetches.load(Ordering::SeqCst)
    }

    /// Waits until the keys were requested at least `count` times.
    pub async fn wait_for_fetches(&self, count: u32) {
        wait_until(&format!("the keys are fetched {count} times"), async || self.fetches() >= count).await;
    }

    /// Settings of a service that accepts these tokens.
    pub fn settings(&self) -> [(&str, &str); 4] {
        [("PUSH_AUTH", "oidc"), ("PUSH_AUDIENCE", AUDIENCE), ("PUSH_SERVICE_ACCOUNT", ACCOUNT), ("PUSH_JWKS_URL", &self.url)]
    }
}

impl Drop for Issuer {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn answer(State(key_set): State<Arc<KeySet>>) -> Response {
    key_set.fetches.fetch_add(1, Ordering::SeqCst);
    if key_set.ignores_next.swap(false, Ordering::SeqCst) {
        std::future::pending::<()>().await;
    }
    key_set.permits.acquire().await.unwrap().forget();
    let (status, cache_control, body) = key_set.answer.lock().unwrap().clone();
    key_set.answers.fetch_add(1, Ordering::SeqCst);
    (status, [("cache-control", cache_control)], body).into_response()
}
