//! Google's side of a token: signs them for Pub/Sub, and shows the keys to whoever asks.

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

/// What the push subscription's tokens are for, and of.
pub const AUDIENCE: &str = "https://pixel-pipeline-x.a.run.app";
pub const ACCOUNT: &str = "pixel-push@test-project.iam.gserviceaccount.com";

/// A JWK set on a port of its own.
pub struct Issuer {
    /// Of the set.
    pub url: String,
    shown: Arc<Shown>,
    server: JoinHandle<()>,
}

struct Shown {
    fetches: AtomicU32,
    answers: AtomicU32,
    ignores: AtomicBool,
    /// Status, `Cache-Control` and body.
    answer: Mutex<(StatusCode, &'static str, String)>,
    /// Each answer takes a permit along.
    permits: Semaphore,
}

/// Key pairs that exist for these tests alone.
pub fn key(name: &str) -> EncodingKey {
    let pem = fixture(&format!("auth/{name}.pem"));
    let base64: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    EncodingKey::from_rsa_der(&STANDARD.decode(base64).unwrap())
}

/// The public half, as it is in a JWK set.
pub fn jwk(name: &str) -> Value {
    let mut jwk = serde_json::to_value(Jwk::from_encoding_key(&key(name), Algorithm::RS256).unwrap()).unwrap();
    jwk["kid"] = json!(name);
    jwk["use"] = json!("sig");
    jwk
}

/// The claims of a good token.
pub fn claims() -> Value {
    let now = Timestamp::now().as_second();
    json!({
        "aud": AUDIENCE, "azp": "113774264463038321964", "email": ACCOUNT, "email_verified": true,
        "exp": now + 3600, "iat": now, "iss": "https://accounts.google.com", "sub": "113774264463038321964",
    })
}

/// The same with one more or another; null takes it away.
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

/// A token of that key and those claims, which says that its key is `kid`.
pub fn signed(kid: &str, name: &str, claims: &Value) -> String {
    let header = Header { kid: Some(kid.to_owned()), ..Header::new(Algorithm::RS256) };
    jsonwebtoken::encode(&header, claims, &key(name)).unwrap()
}

/// A good token. No two numbers make the same.
pub fn token(name: &str, number: u32) -> String {
    signed(name, name, &claims_with("number", json!(number)))
}

/// HEADER.PAYLOAD of whatever they are.
pub fn unsigned(header: &Value, claims: &Value) -> String {
    [header, claims].map(|part| URL_SAFE_NO_PAD.encode(part.to_string())).join(".")
}

impl Issuer {
    /// Shows the key `first` for six hours.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/oauth2/v3/certs", listener.local_addr().unwrap());
        let shown = Arc::new(Shown {
            fetches: AtomicU32::new(0),
            answers: AtomicU32::new(0),
            ignores: AtomicBool::new(false),
            answer: Mutex::new((StatusCode::OK, "", String::new())),
            permits: Semaphore::new(Semaphore::MAX_PERMITS / 2),
        });
        let router = Router::new().fallback(answer).with_state(Arc::clone(&shown));
        let server = tokio::spawn(server::serve(listener, router, std::future::pending()));
        let issuer = Self { url, shown, server };
        issuer.show(&["first"], "public, max-age=21600, must-revalidate");
        issuer
    }

    /// Shows these keys from now on.
    pub fn show(&self, names: &[&str], cache_control: &'static str) {
        let keys: Vec<Value> = names.iter().map(|name| jwk(name)).collect();
        *self.shown.answer.lock().unwrap() = (StatusCode::OK, cache_control, json!({"keys": keys}).to_string());
    }

    /// Answers that from now on.
    pub fn answer(&self, status: u16, body: &str) {
        *self.shown.answer.lock().unwrap() = (StatusCode::from_u16(status).unwrap(), "max-age=60", body.to_owned());
    }

    /// Answers nobody until [`Self::release`].
    pub fn hold(&self) {
        self.shown.permits.forget_permits(Semaphore::MAX_PERMITS);
    }

    /// Answers again, also those who wait.
    pub fn release(&self) {
        self.shown.permits.add_permits(Semaphore::MAX_PERMITS / 2);
    }

    /// Never answers whoever asks next, and everybody after that.
    pub fn ignore_next(&self) {
        self.shown.ignores.store(true, Ordering::SeqCst);
    }

    /// How often it answered.
    pub fn answers(&self) -> u32 {
        self.shown.answers.load(Ordering::SeqCst)
    }

    /// How often the keys were asked for.
    pub fn fetches(&self) -> u32 {
        self.shown.fetches.load(Ordering::SeqCst)
    }

    /// Waits until they were asked for that often.
    pub async fn wait_for_fetches(&self, count: u32) {
        let enough = async {
            while self.fetches() < count {
                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(super::service::PATIENCE, enough).await.unwrap_or_else(|_| panic!("{} of {count} fetches", self.fetches()));
    }

    /// What a service is told that takes these tokens.
    pub fn settings(&self) -> [(&str, &str); 4] {
        [("PUSH_AUTH", "oidc"), ("PUSH_AUDIENCE", AUDIENCE), ("PUSH_SERVICE_ACCOUNT", ACCOUNT), ("PUSH_JWKS_URL", &self.url)]
    }
}

impl Drop for Issuer {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn answer(State(shown): State<Arc<Shown>>) -> Response {
    shown.fetches.fetch_add(1, Ordering::SeqCst);
    if shown.ignores.swap(false, Ordering::SeqCst) {
        std::future::pending::<()>().await;
    }
    shown.permits.acquire().await.unwrap().forget();
    let (status, cache_control, body) = shown.answer.lock().unwrap().clone();
    shown.answers.fetch_add(1, Ordering::SeqCst);
    (status, [("cache-control", cache_control)], body).into_response()
}
