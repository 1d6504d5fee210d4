//! The headers of a push, and whether its token is accepted: PUSH_AUTH=oidc and PUSH_AUTH=iam.
//!
//! Input: two characters choose the header and the signature. For a generated token, two lines are its header and its
//! claims, and the rest is the signature, unless the target signs it. Otherwise the rest is the header value.

#![no_main]

use std::sync::LazyLock;
use std::time::Duration;

use axum::Router;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::routing::get;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jiff::Timestamp;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey};
use libfuzzer_sys::fuzz_target;
use pixel_pipeline::ack::Outcome;
use pixel_pipeline::source::auth::{Gate, PushAuth};
use pixel_pipeline::source::http::server;
use pixel_pipeline_fuzz::fields::Fields;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};
use tokio::time::Instant;

const AUDIENCE: &str = "https://p";
const ACCOUNT: &str = "a@p.iam";
/// The time of every push, in seconds of the epoch.
const NOW: i64 = 1_800_000_000;
/// Google's key, and another key.
const PEMS: [&str; 2] = [include_str!("../../tests/fixtures/auth/first.pem"), include_str!("../../tests/fixtures/auth/second.pem")];

static KEYS: LazyLock<[EncodingKey; 2]> = LazyLock::new(|| {
    PEMS.map(|pem| {
        let base64: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
        EncodingKey::from_rsa_der(&STANDARD.decode(base64).expect("a key"))
    })
});

/// The gates, and the runtime that fetches the key set: once, and again for an unknown key id.
struct Gates {
    runtime: Runtime,
    oidc: Gate,
    iam: Gate,
}

static GATES: LazyLock<Gates> = LazyLock::new(|| {
    let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
    let oidc = runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let jwks_url = format!("http://{}/", listener.local_addr().expect("an address"));
        let mut jwk = serde_json::to_value(Jwk::from_encoding_key(&KEYS[0], Algorithm::RS256).expect("a public key")).expect("JSON");
        jwk["kid"] = json!("first");
        let keys = json!({"keys": [jwk]}).to_string();
        let router = Router::new().route("/", get(async move || ([("cache-control", "max-age=86400")], keys.clone())));
        tokio::spawn(server::serve(listener, router, std::future::pending()));
        let settings = PushAuth::Oidc { audience: AUDIENCE.to_owned(), account: ACCOUNT.to_owned(), jwks_url };
        let (gate, fetcher) = Gate::new(settings).expect("a client");
        tokio::spawn(fetcher.expect("keys are fetched").run());
        gate
    });
    let settings = PushAuth::Iam { audience: Some(AUDIENCE.to_owned()), account: Some(ACCOUNT.to_owned()) };
    let (iam, _) = Gate::new(settings).expect("a client");
    Gates { runtime, oidc, iam }
});

/// The contents of a token that are JSON.
struct TokenContents {
    is_signed_by_google: bool,
    header: Option<Value>,
    claims: Option<Value>,
    /// Whether no member is duplicated. `Value` reads only the last of duplicates.
    is_plain: bool,
}

fuzz_target!(|input: &[u8]| {
    let mut fields = Fields(input);
    let (name, kind) = (fields.choice() % 4, fields.choice() % 4);
    if kind == 3 {
        let admitted = push(name, fields.0);
        // A generated signature is never valid.
        return assert!(!admitted.oidc && (!admitted.iam || fields.0.contains(&b'.')));
    }
    let (header, claims) = (fields.line(), fields.line());
    let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(&*header), URL_SAFE_NO_PAD.encode(&*claims));
    let signature = match KEYS.get(kind) {
        Some(key) => jsonwebtoken::crypto::sign(signed.as_bytes(), key, Algorithm::RS256).expect("a signature"),
        None => fields.rest().into_owned(),
    };
    let [header_value, claims_value] = [&header, &claims].map(|json| serde_json::from_str::<Value>(json).ok());
    let is_written_by = |text: &str, value: &Option<Value>| serde_json::to_string(value).is_ok_and(|json| json == text);
    let says = TokenContents {
        is_signed_by_google: kind == 0,
        is_plain: is_written_by(&header, &header_value) && is_written_by(&claims, &claims_value),
        header: header_value,
        claims: claims_value,
    };
    let token = format!("Bearer {signed}.{signature}");
    let admitted = push(name, token.as_bytes());
    // Cloud Run's header is used only with PUSH_AUTH=iam, and duplicate headers are ignored.
    let has_room = token.len() <= 4096 && !signature.contains('.') && signature.is_ascii();
    let (may_oidc, may_iam) = (name == 0 && has_room && says.is_good_for_us(), name != 3 && has_room && says.is_good_for_cloud_run());
    assert!(!admitted.oidc || may_oidc, "{header} {claims} was accepted");
    assert!(!admitted.iam || may_iam, "{header} {claims} was accepted");
    if says.is_plain && signature.bytes().all(|byte| byte.is_ascii_graphic()) {
        assert_eq!((admitted.oidc, admitted.iam), (may_oidc, may_iam), "{header} {claims}");
    }
    if admitted.oidc {
        check_changed(name, &token, claims.len());
    }
});

impl TokenContents {
    fn is_good_for_us(&self) -> bool {
        let Some((header, claims)) = self.header.as_ref().zip(self.claims.as_ref()) else { return false };
        let seconds = |name: &str| claims[name].as_f64();
        let has_begun = |name: &str| claims[name].is_null() || seconds(name).is_some_and(|from| from <= (NOW + 10) as f64);
        self.is_signed_by_google
            && header["alg"] == "RS256"
            && header["kid"] == "first"
            && header["crit"].is_null()
            // The types that jsonwebtoken reads besides.
            && serde_json::from_value::<jsonwebtoken::Header>(header.clone()).is_ok()
            && (claims["sub"].is_null() || claims["sub"].is_string())
            && seconds("exp").is_some_and(|until| until > (NOW - 10) as f64)
            && has_begun("iat")
            && has_begun("nbf")
            && (claims["iss"] == "accounts.google.com" || claims["iss"] == "https://accounts.google.com")
            && self.is_good_for_cloud_run()
    }

    fn is_good_for_cloud_run(&self) -> bool {
        self.claims
            .as_ref()
            .is_some_and(|claims| claims["aud"] == AUDIENCE && claims["email"] == ACCOUNT && claims["email_verified"] == true)
    }
}

/// A valid token with one changed character is not valid.
fn check_changed(name: usize, token: &str, at: usize) {
    let mut changed = token.as_bytes().to_vec();
    let at = "Bearer ".len() + at * 7 % (changed.len() - "Bearer ".len());
    changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
    assert!(!push(name, &changed).oidc, "{token} with another character at {at}");
}

/// Which gates accept the push.
#[derive(Debug, PartialEq)]
struct Admitted {
    oidc: bool,
    iam: bool,
}

fn push(name: usize, value: &[u8]) -> Admitted {
    let Ok(value) = HeaderValue::from_bytes(value) else { return Admitted { oidc: false, iam: false } };
    let (own, serverless) = (HeaderName::from_static("authorization"), HeaderName::from_static("x-serverless-authorization"));
    let mut headers = HeaderMap::new();
    match name {
        0 => drop(headers.append(own, value)),
        1 => drop(headers.append(serverless, value)),
        2 => drop((headers.append(own, HeaderValue::from_static("Bearer a.b.c")), headers.append(serverless, value))),
        _ => drop((headers.append(own.clone(), value.clone()), headers.append(own, value))),
    }
    let first = admit(&headers);
    assert_eq!(admit(&headers), first, "the result is the same from the cache");
    first
}

fn admit(headers: &HeaderMap) -> Admitted {
    let gates = &*GATES;
    let now = Timestamp::from_second(NOW).expect("a time");
    let admit = |gate: &Gate| {
        let verdict = gates.runtime.block_on(gate.admit(headers, now, Instant::now() + Duration::from_secs(5)));
        assert!(matches!(verdict, Ok(()) | Err(Outcome::Unauthorized(_))), "{verdict:?}");
        verdict.is_ok()
    };
    Admitted { oidc: admit(&gates.oidc), iam: admit(&gates.iam) }
}
