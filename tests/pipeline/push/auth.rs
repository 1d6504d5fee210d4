//! Push authentication: valid tokens, the answers to all others, and no token in answers, log and metrics.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};

use crate::support::issuer::{self, ACCOUNT, AUDIENCE, claims, claims_with, jwk, signed, token, unsigned};
use crate::support::service::{Push, TIMEOUT, command};
use crate::support::{Entry, Issuer, Service, TestBigQuery};

/// `Authorization: Bearer TOKEN`.
async fn push(service: &Service, token: &str) -> Push {
    service.push_with_headers(Entry::of_query("user_id=u").pushed(), &[("authorization", &format!("Bearer {token}"))]).await
}

async fn unauthorized(service: &Service, cause: &str) -> f64 {
    let outcome = service.metric(&format!("pixel_pipeline_deliveries_total{{outcome=\"unauthorized\",reason=\"{cause}\"}}")).await;
    let counted = service.metric(&format!("pixel_pipeline_unauthorized_total{{cause=\"{cause}\"}}")).await;
    assert_eq!(outcome, counted, "{cause}");
    counted
}

/// The answer to every invalid token.
fn rejected() -> Push {
    Push { status: 401, body: "a valid token is required\n".to_owned() }
}

/// A description of a bad token, the reason in the metrics, and the token.
type Bad = (&'static str, &'static str, String);

fn now() -> i64 {
    jiff::Timestamp::now().as_second()
}

/// Tokens with a valid signature and wrong or missing claims.
fn wrong_claims() -> Vec<Bad> {
    let of = |what, cause, name, value| (what, cause, signed("first", "first", &claims_with(name, value)));
    vec![
        of("no exp", "claims", "exp", Value::Null),
        of("exp as text", "claims", "exp", json!("99999999999")),
        of("expired", "expired", "exp", json!(now() - 60)),
        of("expired long ago", "expired", "exp", json!(0)),
        of("issued in the future", "not_yet_valid", "iat", json!(now() + 600)),
        of("not valid before", "not_yet_valid", "nbf", json!(now() + 600)),
        of("no iss", "claims", "iss", Value::Null),
        of("another issuer", "issuer", "iss", json!("https://accounts.example.com")),
        of("issuer with a slash", "issuer", "iss", json!("https://accounts.google.com/")),
        of("no aud", "claims", "aud", Value::Null),
        of("another audience", "audience", "aud", json!("https://other-x.a.run.app")),
        of("audience with a slash", "audience", "aud", json!(format!("{AUDIENCE}/"))),
        of("audience in capitals", "audience", "aud", json!(AUDIENCE.to_uppercase())),
        of("audience in a list", "claims", "aud", json!([AUDIENCE])),
        of("no email", "claims", "email", Value::Null),
        of("email in a list", "claims", "email", json!([ACCOUNT])),
        of("no email_verified", "claims", "email_verified", Value::Null),
        of("email_verified as text", "claims", "email_verified", json!("true")),
        ("no claims", "claims", signed("first", "first", &json!({}))),
        ("claims that are not an object", "claims", signed("first", "first", &json!("claims"))),
    ]
}

/// Tokens without a valid signature of Google.
fn forged() -> Vec<Bad> {
    let good = token("first", 0);
    let (message, signature) = good.rsplit_once('.').unwrap();
    let hs256 = |what, secret: &[u8]| {
        let header = Header { kid: Some("first".to_owned()), ..Header::new(Algorithm::HS256) };
        (what, "algorithm", jsonwebtoken::encode(&header, &claims(), &EncodingKey::from_secret(secret)).unwrap())
    };
    let modulus = jwk("first")["n"].as_str().unwrap().to_owned();
    let of_header = |header: Value| unsigned(&header, &claims());
    let other_algorithm = |algorithm| {
        let header = Header { kid: Some("first".to_owned()), ..Header::new(algorithm) };
        jsonwebtoken::encode(&header, &claims(), &issuer::key("first")).unwrap()
    };
    // Signed with the forger's key, which the header contains.
    let mut own_key = Header { kid: Some("second".to_owned()), ..Header::new(Algorithm::RS256) };
    own_key.jwk = Some(serde_json::from_value(jwk("second")).unwrap());
    own_key.jku = Some("http://127.0.0.1:9/certs".to_owned());
    let own_key = jsonwebtoken::encode(&own_key, &claims(), &issuer::key("second")).unwrap();
    vec![
        ("alg none without a signature", "algorithm", format!("{}.", of_header(json!({"alg": "none", "kid": "first"})))),
        ("alg None with a signature", "algorithm", format!("{}.{signature}", of_header(json!({"alg": "None", "kid": "first"})))),
        ("no alg", "algorithm", format!("{}.{signature}", of_header(json!({"kid": "first"})))),
        hs256("HS256 with the modulus as it is in the JWK set", modulus.as_bytes()),
        hs256("HS256 with the modulus", &URL_SAFE_NO_PAD.decode(&modulus).unwrap()),
        hs256("HS256 with the JWK", jwk("first").to_string().as_bytes()),
        hs256("HS256 with nothing", b""),
        ("RS512", "algorithm", other_algorithm(Algorithm::RS512)),
        ("PS256", "algorithm", other_algorithm(Algorithm::PS256)),
        ("another key under the same id", "signature", signed("first", "second", &claims())),
        ("another header under the same signature", "signature", {
            format!("{}.{signature}", of_header(json!({"alg": "RS256", "kid": "first", "typ": "at+jwt"})))
        }),
        ("other claims under the same signature", "signature", {
            format!("{}.{signature}", unsigned(&json!({"alg": "RS256", "kid": "first", "typ": "JWT"}), &claims_with("sub", json!("1"))))
        }),
        ("half a signature", "signature", format!("{message}.{}", &signature[..signature.len() / 2])),
        ("no signature", "signature", format!("{message}.")),
        ("a signature that Cloud Run has removed", "signature", format!("{message}.SIGNATURE_REMOVED_BY_GOOGLE")),
        ("a key of the forger's own", "unknown_key", own_key),
        ("a key id that is a path", "unknown_key", signed("../../etc/passwd", "first", &claims())),
        ("no key id", "malformed", { jsonwebtoken::encode(&Header::new(Algorithm::RS256), &claims(), &issuer::key("first")).unwrap() }),
        ("an extension that must be known", "malformed", {
            format!("{}.{signature}", of_header(json!({"alg": "RS256", "kid": "first", "crit": ["exp"], "exp": 1})))
        }),
        ("one part too many", "malformed", format!("{good}.AA")),
        ("two parts", "malformed", message.to_owned()),
        ("not base64", "malformed", "%%%.%%%.%%%".to_owned()),
        ("not JSON", "malformed", format!("{0}.{0}.{0}", URL_SAFE_NO_PAD.encode("hello"))),
        ("deep JSON", "malformed", format!("{}.e30.AA", URL_SAFE_NO_PAD.encode("[".repeat(2000)))),
        ("garbage", "malformed", "garbage".to_owned()),
        ("4 KiB of a good token", "malformed", signed("first", "first", &claims_with("padding", json!("a".repeat(4096))))),
    ]
}

/// The token with one character changed in the middle of that part. The last character of a part can have unused bits.
fn with_another_character(token: &str, part: usize) -> String {
    let mut parts: Vec<String> = token.split('.').map(str::to_owned).collect();
    let middle = parts[part].len() / 2;
    let other = if &parts[part][middle..=middle] == "A" { "B" } else { "A" };
    parts[part].replace_range(middle..=middle, other);
    parts.join(".")
}

#[tokio::test]
async fn a_token_of_the_subscriptions_account_is_accepted() {
    let (bigquery, issuer) = (TestBigQuery::start().await, Issuer::start().await);
    let service = Service::start(&bigquery, &issuer.settings()).await;
    assert_eq!(push(&service, &token("first", 1)).await.status, 204);
    assert_eq!(push(&service, &signed("first", "first", &claims_with("iss", json!("accounts.google.com")))).await.status, 204);
    assert_eq!(push(&service, &signed("first", "first", &claims_with("nbf", json!(now())))).await.status, 204);
    // The scheme's case and spaces around a token are ignored.
    let lenient = format!("bearer  {} ", token("first", 2));
    assert_eq!(service.push_with_headers(Entry::of_query("user_id=u").pushed(), &[("authorization", &lenient)]).await.status, 204);
    assert_eq!(bigquery.events().await.len(), 4);
}

#[tokio::test]
async fn all_bad_tokens_get_the_same_answer_and_store_nothing() {
    let (bigquery, issuer) = (TestBigQuery::start().await, Issuer::start().await);
    let service = Service::start(&bigquery, &issuer.settings()).await;
    for (what, cause, token) in wrong_claims().into_iter().chain(forged()) {
        let before = unauthorized(&service, cause).await;
        assert_eq!(push(&service, &token).await, rejected(), "{what}");
        assert_eq!(unauthorized(&service, cause).await, before + 1.0, "{what}: {cause}");
    }
    // The cache of valid tokens does not accept similar tokens.
    let good = token("first", 1);
    assert_eq!(push(&service, &good).await.status, 204);
    for part in 0..3 {
        assert_eq!(push(&service, &with_another_character(&good, part)).await, rejected(), "part {part}");
    }
    assert_eq!(bigquery.events().await.len(), 1);
}

#[tokio::test]
async fn requests_without_token_are_rejected() {
    let (bigquery, issuer) = (TestBigQuery::start().await, Issuer::start().await);
    let service = Service::start(&bigquery, &issuer.settings()).await;
    let good = format!("Bearer {}", token("first", 1));
    let other = format!("Bearer {}", token("first", 2));
    for (headers, cause) in [
        (&[][..], "no_token"),
        (&[("authorization", "Bearer ")], "malformed"),
        (&[("authorization", "Basic cGl4ZWw6cGl4ZWw=")], "no_token"),
        (&[("authorization", &good["Bearer ".len()..])], "malformed"),
        (&[("x-serverless-authorization", good.as_str())], "no_token"),
        (&[("authorization", good.as_str()), ("authorization", other.as_str())], "malformed"),
    ] {
        let before = unauthorized(&service, cause).await;
        assert_eq!(service.push_with_headers(Entry::of_query("user_id=u").pushed(), headers).await, rejected(), "{headers:?}");
        assert_eq!(unauthorized(&service, cause).await, before + 1.0, "{headers:?}");
    }
    assert_eq!(issuer.fetches(), 0, "no key is needed");
    assert_eq!(bigquery.events().await.len(), 0);
}

#[tokio::test]
async fn a_valid_token_of_another_account_is_answered_403() {
    let (bigquery, issuer) = (TestBigQuery::start().await, Issuer::start().await);
    let service = Service::start(&bigquery, &issuer.settings()).await;
    let others = [
        claims_with("email", json!("pixel-push@other-project.iam.gserviceaccount.com")),
        claims_with("email", json!(ACCOUNT.to_uppercase())),
        claims_with("email", json!("")),
        claims_with("email_verified", json!(false)),
    ];
    for claims in &others {
        let answer = push(&service, &signed("first", "first", claims)).await;
        assert_eq!(answer, Push { status: 403, body: "this account is not authorized to push\n".to_owned() }, "{claims}");
    }
    assert_eq!(unauthorized(&service, "account").await, others.len() as f64);
    // The account is checked last, so an expired token of another account is answered 401.
    let mut expired = others[0].clone();
    expired["exp"] = json!(now() - 60);
    assert_eq!(push(&service, &signed("first", "first", &expired)).await, rejected());
    assert_eq!(bigquery.events().await.len(), 0);
}

#[tokio::test]
async fn answers_have_a_bearer_challenge() {
    let (bigquery, issuer) = (TestBigQuery::start().await, Issuer::start().await);
    let service = Service::start(&bigquery, &issuer.settings()).await;
    let expired = signed("first", "first", &claims_with("exp", json!(0)));
    let other = signed("first", "first", &claims_with("email", json!("a@example.com")));
    for (authorization, status, challenge) in [
        ("Basic AA".to_owned(), 401, r#"Bearer realm="push""#),
        (format!("Bearer {expired}"), 401, r#"Bearer realm="push", error="invalid_token""#),
        ("Bearer garbage".to_owned(), 401, r#"Bearer realm="push", error="invalid_token""#),
        (format!("Bearer {other}"), 403, r#"Bearer realm="push", error="insufficient_scope""#),
    ] {
        let request =
            format!("POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 0\r\nAuthorization: {authorization}\r\n\r\n");
        let answer = service.send_raw(request.as_bytes()).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
        assert!(answer.contains(&format!("www-authenticate: {challenge}\r\n")), "{answer}");
    }
}

/// The test does not send the body, so the answer cannot depend on it.
#[tokio::test]
async fn the_body_of_an_unauthorized_request_is_not_read() {
    let (bigquery, issuer) = (TestBigQuery::start().await, Issuer::start().await);
    let service = Service::start(&bigquery, &issuer.settings()).await;
    for token in ["garbage".to_owned(), signed("first", "second", &claims())] {
        let request = format!("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10000000\r\nAuthorization: Bearer {token}\r\n\r\n");
        let answer = service.send_raw(request.as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 401 "), "{answer}");
    }
}

#[tokio::test]
async fn probes_and_metrics_need_no_token() {
    let (bigquery, issuer) = (TestBigQuery::start().await, Issuer::start().await);
    let service = Service::start(&bigquery, &issuer.settings()).await;
    for path in ["/health", "/ready", "/metrics"] {
        assert_eq!(service.get(path).await.status, 200, "{path}");
    }
}

#[tokio::test]
async fn tokens_and_claims_are_in_neither_log_nor_metrics() {
    let (bigquery, issuer) = (TestBigQuery::start().await, Issuer::start().await);
    let settings = issuer.settings();
    let settings: Vec<_> = settings.into_iter().chain([("RUST_LOG", "info,pixel_pipeline=trace")]).collect();
    let service = Service::start(&bigquery, &settings).await;
    let planted = ["planted-subject-4711", "planted@example.com", "https://planted.example.com/", "planted-key-4712"];
    let mut claims = claims_with("sub", json!(planted[0]));
    let mut tokens = vec![signed("first", "first", &claims), signed(planted[3], "first", &claims)];
    for (name, value) in [("email", planted[1]), ("aud", planted[2]), ("iss", planted[2])] {
        claims[name] = json!(value);
        tokens.push(signed("first", "first", &claims));
    }
    tokens.extend(wrong_claims().into_iter().chain(forged()).map(|(_, _, token)| token));
    // The key fetch fails as well; its log line must not contain the body or the URL.
    issuer.answer(500, planted[0]);
    assert_eq!(push(&service, &tokens[0]).await.status, 503);
    issuer.show(&["first"], "max-age=21600");
    let recovered = async {
        while push(&service, &token("first", 1)).await.status != 204 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(TIMEOUT, recovered).await.expect("it recovers");
    for token in &tokens {
        push(&service, token).await;
    }
    let metrics = service.get("/metrics").await.body;
    let (_, log) = service.end().await;
    let log = log.join("\n");
    assert!(
        log.contains("unauthorized push request rejected") && log.contains("cannot fetch the keys"),
        "the expected lines are logged: {log}"
    );
    for secret in planted.into_iter().chain([ACCOUNT, AUDIENCE]).map(str::to_owned).chain(parts_of(&tokens)) {
        assert!(!log.contains(&secret), "{secret} in {log}");
        assert!(!metrics.contains(&secret), "{secret} in {metrics}");
    }
}

/// The beginning of each long part of the tokens.
fn parts_of(tokens: &[String]) -> impl Iterator<Item = String> {
    tokens.iter().flat_map(|token| token.split('.')).filter(|part| part.len() > 16).map(|part| part[..16].to_owned())
}

#[tokio::test]
async fn log_lines_about_bad_tokens_are_throttled() {
    let (bigquery, issuer) = (TestBigQuery::start().await, Issuer::start().await);
    let service = Service::start(&bigquery, &issuer.settings()).await;
    let started = std::time::Instant::now();
    for _ in 0..100 {
        assert_eq!(push(&service, "garbage").await, rejected());
    }
    let seconds = started.elapsed().as_secs() as usize;
    let lines = service.log().iter().filter(|line| line.contains("unauthorized push request rejected")).count();
    assert!((1..=seconds + 1).contains(&lines), "one a second, for {seconds} seconds: {lines}");
}

/// Outside of Cloud Run.
const FORCED: (&str, &str) = ("PUSH_AUTH_FORCE", "true");

/// A token as Cloud Run passes it on.
fn checked(claims: &Value) -> String {
    format!("{}.SIGNATURE_REMOVED_BY_GOOGLE", unsigned(&json!({"alg": "RS256", "kid": "k", "typ": "JWT"}), claims))
}

#[tokio::test]
async fn with_iam_only_the_claims_are_checked() {
    let bigquery = TestBigQuery::start().await;
    let settings = [FORCED, ("PUSH_AUTH", "iam"), ("PUSH_AUDIENCE", AUDIENCE), ("PUSH_SERVICE_ACCOUNT", ACCOUNT)];
    let service = Service::start(&bigquery, &settings).await;
    // Cloud Run has checked the times and the issuer.
    let good = [claims(), claims_with("exp", Value::Null), claims_with("exp", json!(now() - 60)), claims_with("iss", Value::Null)];
    for claims in &good {
        assert_eq!(push(&service, &checked(claims)).await.status, 204, "{claims}");
    }
    for (claims, cause) in [
        (claims_with("aud", json!("https://other-x.a.run.app")), "audience"),
        (claims_with("aud", Value::Null), "claims"),
        (claims_with("email", Value::Null), "claims"),
        (claims_with("email_verified", Value::Null), "claims"),
    ] {
        let before = unauthorized(&service, cause).await;
        assert_eq!(push(&service, &checked(&claims)).await, rejected(), "{claims}");
        assert_eq!(unauthorized(&service, cause).await, before + 1.0, "{claims}");
    }
    for claims in [claims_with("email", json!("other@example.com")), claims_with("email_verified", json!(false))] {
        assert_eq!(push(&service, &checked(&claims)).await.status, 403, "{claims}");
    }
    for token in ["garbage", "a.b.c", &unsigned(&json!({}), &claims())] {
        assert_eq!(push(&service, token).await, rejected(), "{token}");
    }
    assert_eq!(service.push(Entry::of_query("user_id=u").pushed()).await, rejected(), "no header at all");
    // With both headers, Cloud Run has checked X-Serverless-Authorization.
    let (mine, others) =
        (format!("Bearer {}", checked(&claims())), format!("Bearer {}", checked(&claims_with("email", json!("o@example.com")))));
    let both = [("authorization", mine.as_str()), ("x-serverless-authorization", others.as_str())];
    assert_eq!(service.push_with_headers(Entry::of_query("user_id=u").pushed(), &both).await.status, 403);
    assert_eq!(bigquery.events().await.len(), good.len());
}

#[tokio::test]
async fn with_iam_only_the_configured_claims_are_checked() {
    let bigquery = TestBigQuery::start().await;
    let body = || Entry::of_query("user_id=u").pushed();
    let service = Service::start(&bigquery, &[FORCED, ("PUSH_AUTH", "iam")]).await;
    assert_eq!(service.push(body()).await.status, 204);
    assert_eq!(push(&service, "garbage").await.status, 204);
    let service = Service::start(&bigquery, &[FORCED, ("PUSH_AUTH", "iam"), ("PUSH_SERVICE_ACCOUNT", ACCOUNT)]).await;
    assert_eq!(push(&service, &checked(&claims_with("aud", Value::Null))).await.status, 204);
    assert_eq!(service.push(body()).await, rejected());
    let service = Service::start(&bigquery, &[FORCED, ("PUSH_AUTH", "iam"), ("PUSH_AUDIENCE", AUDIENCE)]).await;
    assert_eq!(push(&service, &checked(&claims_with("email", Value::Null))).await.status, 204);
    assert_eq!(service.push(body()).await, rejected());
}

/// The exit code and the log of `serve` with these settings. Without credentials, it always exits.
async fn start(settings: &[(&str, &str)]) -> (Option<i32>, String) {
    let mut serve = command("serve");
    serve.envs([("PORT", "0"), ("GOOGLE_CLOUD_PROJECT", "p"), ("LOG_FORMAT", "text")]).envs(settings.iter().copied());
    // There are no credentials, so `serve` exits after it has checked the settings.
    serve.env("GOOGLE_APPLICATION_CREDENTIALS", "/nonexistent/key.json");
    let output = tokio::time::timeout(TIMEOUT, serve.output()).await.expect("it exits").unwrap();
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

#[tokio::test]
async fn push_auth_none_on_cloud_run_needs_force() {
    let on_cloud_run = ("K_SERVICE", "pixel-pipeline");
    let (code, log) = start(&[on_cloud_run, ("PUSH_AUTH", "none")]).await;
    assert!(code == Some(2) && log.contains("\nPUSH_AUTH: with none on Cloud Run"), "{log}");
    // Code 1: the settings are valid and the credentials are missing.
    for (settings, warned) in [
        (&[on_cloud_run, ("PUSH_AUTH", "none"), ("PUSH_AUTH_FORCE", "true")][..], true),
        (&[("PUSH_AUTH", "none")], true),
        (&[], true),
        (&[on_cloud_run], false),
        (&[on_cloud_run, ("PUSH_AUTH", ""), ("PUSH_SERVICE_ACCOUNT", ACCOUNT)], false),
    ] {
        let (code, log) = start(settings).await;
        assert!(code == Some(1) && log.contains("cannot get credentials for BigQuery"), "{settings:?}: {log}");
        assert_eq!(log.contains("every caller that reaches the port can push"), warned, "{settings:?}: {log}");
    }
}

/// Otherwise a caller could write its own claims.
#[tokio::test]
async fn iam_outside_of_cloud_run_needs_force() {
    let local_bigquery = ("BIGQUERY_EMULATOR_HOST", "http://127.0.0.1:1");
    for settings in [&[][..], &[("PUSH_SERVICE_ACCOUNT", ACCOUNT), ("PUSH_AUDIENCE", AUDIENCE)], &[local_bigquery]] {
        let (code, log) = start(&[&[("PUSH_AUTH", "iam")], settings].concat()).await;
        assert!(code == Some(2) && log.contains("\nPUSH_AUTH: with iam, Cloud Run checks"), "{settings:?}: {log}");
    }
    let (code, log) = start(&[("PUSH_AUTH", "iam"), FORCED]).await;
    assert!(code == Some(1) && log.contains("the signature of tokens is not checked"), "{log}");
    let (code, log) = start(&[("PUSH_AUTH", "iam"), ("K_SERVICE", "pixel-pipeline")]).await;
    assert!(code == Some(1) && !log.contains("the signature of tokens is not checked"), "{log}");
}

#[tokio::test]
async fn all_missing_oidc_settings_are_reported_at_once() {
    let (code, log) = start(&[("PUSH_AUTH", "oidc"), ("PUSH_JWKS_URL", "http://keys.example.com/certs")]).await;
    assert_eq!(code, Some(2), "{log}");
    for problem in [
        "\nPUSH_AUDIENCE: PUSH_AUTH=oidc needs it",
        "\nPUSH_SERVICE_ACCOUNT: PUSH_AUTH=oidc needs it",
        "\nPUSH_JWKS_URL: \"http://keys.example.com/certs\" is not https",
    ] {
        assert!(log.contains(problem), "{problem:?} in {log}");
    }
    assert_eq!(log.matches("PUSH_AUTH: ").count(), 0, "{log}");
}

/// Google writes accounts in lower case, and they are compared exactly, so no request would be authorized.
#[tokio::test]
async fn an_account_with_capitals_is_rejected_with_the_fix() {
    let account = ("PUSH_SERVICE_ACCOUNT", "Pixel-Push@Test-Project.iam.gserviceaccount.com");
    for settings in [&[("PUSH_AUTH", "iam"), account][..], &[("PUSH_AUTH", "oidc"), ("PUSH_AUDIENCE", AUDIENCE), account]] {
        let (code, log) = start(settings).await;
        assert_eq!(code, Some(2), "{log}");
        assert!(log.contains(&format!("\nPUSH_SERVICE_ACCOUNT: {:?} has capital letters", account.1)), "{log}");
        assert!(log.contains(&format!("set it to {ACCOUNT:?}")), "{log}");
        assert_eq!(log.matches("PUSH_SERVICE_ACCOUNT: ").count(), 1, "{log}");
    }
}

#[cfg(feature = "local")]
#[tokio::test]
async fn local_rejects_iam_because_its_pushes_have_no_token() {
    let mut local = command("local");
    local.envs([("PUSH_AUTH", "iam"), ("PUSH_SERVICE_ACCOUNT", ACCOUNT), ("LOG_FORMAT", "text")]).args(["--bigquery-port", "0"]);
    let output = tokio::time::timeout(TIMEOUT, local.output()).await.expect("it exits").unwrap();
    let log = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.code() == Some(2) && log.contains("PUSH_AUTH: pushes have no token here"), "{log}");
}
