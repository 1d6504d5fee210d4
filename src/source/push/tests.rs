//! The push endpoint with a scripted BigQuery.

use axum::body::{Body, to_bytes};
use hyper::service::Service as _;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;

use super::*;
use crate::pipeline::tests::{Parts, entry, start, stores};
use crate::source::http::server;

const DEADLINE: Duration = Duration::from_secs(8);

/// An endpoint, and what its pipeline works with.
struct Test {
    push: Arc<Push>,
    _parts: Parts,
}

fn test(gate: Gate, deadline: Duration) -> Test {
    test_with(gate, deadline, start("", 1, stores))
}

fn test_with(gate: Gate, deadline: Duration, (pipeline, parts): (Pipeline, Parts)) -> Test {
    Test { push: Arc::new(Push::new(pipeline, gate, Admission::new(10, usize::MAX, DELIVERY_BYTES), deadline)), _parts: parts }
}

impl Test {
    /// The status, the challenge and the body of the answer.
    async fn send(&self, method: &str, path: &str, body: impl Into<Body>) -> (u16, String, String) {
        let request = Request::builder().method(method).uri(path).body(body.into()).unwrap();
        let response = TowerToHyperService::new(router(Arc::clone(&self.push))).call(request).await.unwrap();
        let (axum::http::response::Parts { status, headers, .. }, body) = response.into_parts();
        let challenge = headers.get(WWW_AUTHENTICATE).map_or("", |value| value.to_str().unwrap()).to_owned();
        let body = to_bytes(body, usize::MAX).await.unwrap();
        (status.as_u16(), challenge, String::from_utf8(body.to_vec()).unwrap())
    }

    async fn status(&self, method: &str, path: &str, body: impl Into<Body>) -> u16 {
        self.send(method, path, body).await.0
    }
}

fn count(outcome: &'static str, reason: &'static str) -> u64 {
    crate::telemetry::stats().deliveries.get(&(outcome, reason)).copied().unwrap_or(0)
}

#[tokio::test]
async fn a_panic_is_answered_503_and_counted() {
    let before = count("retry", "panic");
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    // Beyond the clock's range, so that each delivery panics when it computes its own.
    let test = test(Gate::Open, Duration::MAX);
    let server = tokio::spawn(server::serve(listener, router(Arc::clone(&test.push)), std::future::pending()));
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    for _ in 0..3 {
        // Not 429: what was in flight is not any more.
        assert_eq!(http.post(&url).body("{}").send().await.unwrap().status(), 503);
        assert_eq!(http.get(format!("{url}/health")).send().await.unwrap().status(), 200);
    }
    assert_eq!(test.push.admission.messages(), 0);
    assert_eq!(count("retry", "panic") - before, 3);
    server.abort();
}

#[tokio::test(start_paused = true)]
async fn an_event_is_acknowledged_and_nothing_after_shutdown_began() {
    let test = test(Gate::Open, DEADLINE);
    assert_eq!(test.status("POST", "/", entry("user_id=u")).await, 204);
    test.push.shut_down();
    let before = count("saturated", "shutting_down");
    assert_eq!(test.status("POST", "/", entry("user_id=u")).await, 429);
    assert!(count("saturated", "shutting_down") > before);
}

#[tokio::test(start_paused = true)]
async fn a_delivery_is_answered_at_its_deadline() {
    let hangs = start("", 1, |call| stores(call).after(10 * DEADLINE));
    let (test, began) = (test_with(Gate::Open, DEADLINE, hangs), Instant::now());
    assert_eq!(test.status("POST", "/", entry("user_id=u")).await, 503);
    assert!((DEADLINE..DEADLINE + Duration::from_secs(1)).contains(&began.elapsed()), "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn an_invalid_push_is_told_why() {
    let test = test(Gate::Open, DEADLINE);
    let (status, _, body) = test.send("POST", "/", "{}").await;
    assert_eq!(status, 400);
    assert!(body.starts_with("the body has no member `message`"), "{body}");
    let before = count("invalid_request", "wrong_path");
    let (status, _, body) = test.send("POST", "/push?user=u", "{}").await;
    assert_eq!(status, 404);
    assert!(body.starts_with(r#""/push" is not the path of the push endpoint"#), "{body}");
    assert!(count("invalid_request", "wrong_path") > before);
    assert_eq!(test.send("GET", "/push", "").await, (404, String::new(), String::new()));
}

#[tokio::test(start_paused = true)]
async fn an_unauthorized_push_gets_a_challenge() {
    let test = test(Gate::Iam { audience: Some("a".to_owned()), account: None }, DEADLINE);
    let (status, challenge, body) = test.send("POST", "/", entry("user_id=u")).await;
    assert_eq!((status, &*challenge, &*body), (401, r#"Bearer realm="push""#, "a valid token is required\n"));
    for (reason, expected, text) in [
        (UnauthorizedReason::Account, r#"Bearer realm="push", error="insufficient_scope""#, "this account is not authorized to push\n"),
        (UnauthorizedReason::Expired, r#"Bearer realm="push", error="invalid_token""#, "a valid token is required\n"),
    ] {
        let response = unauthorized(StatusCode::FORBIDDEN, reason);
        assert_eq!(response.headers()[WWW_AUTHENTICATE], expected);
        assert_eq!(to_bytes(response.into_body(), usize::MAX).await.unwrap(), text);
    }
}

#[tokio::test(start_paused = true)]
async fn the_service_is_ready_when_the_template_is_read() {
    let test = test(Gate::Open, DEADLINE);
    assert_eq!(test.status("GET", "/ready", "").await, 503);
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(test.status("GET", "/ready", "").await, 200);
}

#[tokio::test(start_paused = true)]
async fn the_metrics_have_what_is_in_flight() {
    let test = test(Gate::Open, DEADLINE);
    let mut admitted: Vec<_> = std::iter::from_fn(|| test.push.admission.admit()).take(7).collect();
    admitted.iter_mut().for_each(|admitted| admitted.reserve_body(1).unwrap());
    let (_, _, metrics) = test.send("GET", "/metrics", "").await;
    assert!(metrics.contains("\npixel_pipeline_in_flight 7\n"), "{metrics}");
    assert!(metrics.contains(&format!("\npixel_pipeline_in_flight_bytes {}\n", 7 * (DELIVERY_BYTES + 1))), "{metrics}");
}

/// A large body is decoded before its row is made, and a small one is not. Both are the same event.
#[tokio::test(start_paused = true)]
async fn a_body_of_any_size_is_an_event() {
    let test = test(Gate::Open, DEADLINE);
    for length in [0, LARGE_BODY_BYTES, 2 * LARGE_BODY_BYTES] {
        let parameters = format!("user_id=u&other={}", "x".repeat(length));
        assert_eq!(test.status("POST", "/", entry(&parameters)).await, 204, "{length}");
    }
}
