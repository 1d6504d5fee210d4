//! The cache of Google's public keys: when they are fetched, how often, and which keys are valid while fetches fail.

use std::time::{Duration, Instant};

use serde_json::json;
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::support::issuer::{claims, jwk, signed, token};
use crate::support::service::TIMEOUT;
use crate::support::{Entry, Issuer, Service, TestBigQuery};

/// Between two pushes of a test that polls a condition.
const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// The status of a push with that token.
async fn push(service: &Service, token: String) -> u16 {
    request(&client(), service, token).await
}

/// The same as a future that can be spawned.
fn request(http: &reqwest::Client, service: &Service, token: String) -> impl Future<Output = u16> + Send + use<> {
    let request = http.post(&service.url).bearer_auth(token).body(Entry::of_query("user_id=u").pushed());
    async { request.send().await.unwrap().status().as_u16() }
}

fn client() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().build().unwrap()
}

/// Pushes until a token with that key is accepted.
async fn recovers(service: &Service, key: &str) {
    let recovered = async {
        while push(service, token(key, fastrand::u32(..))).await != 204 {
            tokio::time::sleep(POLL_INTERVAL).await;
        }
    };
    tokio::time::timeout(TIMEOUT, recovered).await.expect("it recovers");
}

/// Pushes new tokens while the condition holds. Each of them needs a key, and must be accepted.
async fn accepts_while(service: &Service, mut condition: impl FnMut() -> bool) {
    let acked = async {
        while condition() {
            assert_eq!(push(service, token("first", fastrand::u32(..))).await, 204);
            tokio::time::sleep(POLL_INTERVAL).await;
        }
    };
    tokio::time::timeout(TIMEOUT, acked).await.expect("the condition changes");
}

async fn retries(service: &Service) -> f64 {
    service.metric("pixel_pipeline_deliveries_total{outcome=\"retry\",reason=\"no_keys\"}").await
}

#[tokio::test]
async fn concurrent_requests_without_keys_cause_one_fetch() {
    let (bigquery, issuer) = (TestBigQuery::start().await, Issuer::start().await);
    let service = Service::start(&bigquery, &issuer.settings()).await;
    let http = client();
    let requests: Vec<_> = (0..64).map(|number| request(&http, &service, token("first", number))).collect();
    issuer.hold();
    let callers: JoinSet<u16> = requests.into_iter().collect();
    // All requests wait for one fetch.
    service.wait_for_key_waiters(64).await;
    issuer.wait_for_fetches(1).await;
    issuer.release();
    assert_eq!(callers.join_all().await, [204; 64]);
    assert_eq!(issuer.fetches(), 1);
}

#[tokio::test]
async fn callers_with_unknown_keys_are_not_in_flight() {
    let (bigquery, issuer) = (TestBigQuery::start().await, Issuer::start().await);
    let settings = [&issuer.settings()[..], &[("MAX_IN_FLIGHT", "1")]].concat();
    let service = Service::start(&bigquery, &settings).await;
    assert_eq!(push(&service, token("first", 0)).await, 204);
    let http = client();
    issuer.hold();
    let strangers = (0..50).map(|number| signed(&format!("made-up-{number}"), "second", &claims()));
    let strangers: JoinSet<u16> = strangers.map(|token| request(&http, &service, token)).collect();
    service.wait_for_key_waiters(50).await;
    for number in 1..10 {
        assert_eq!(push(&service, token("first", number)).await, 204, "its key is known");
    }
    assert_eq!(service.metric("pixel_pipeline_in_flight").await, 0.0);
    issuer.release();
    assert_eq!(strangers.join_all().await, [401; 50]);
}

#[tokio::test]
async fn a_cached_token_needs_no_key() {
    let (bigquery, issuer) = (TestBigQuery::start().await, Issuer::start().await);
    // The minimum freshness is one second, so the keys become stale during the test.
    issuer.show(&["first"], "max-age=0");
    let service = Service::start(&bigquery, &issuer.settings()).await;
    let token = token("first", 1);
    let started = Instant::now();
    while started.elapsed() < Duration::from_millis(1500) {
        assert_eq!(push(&service, token.clone()).await, 204);
        tokio::time::sleep(POLL_INTERVAL).await;
    }
    assert_eq!(push(&service, token.clone()).await, 204, "with stale keys");
    assert_eq!(issuer.fetches(), 1);
}

#[tokio::test]
async fn unknown_key_ids_cause_one_fetch_per_30_seconds() {
    let (bigquery, issuer) = (TestBigQuery::start().await, Issuer::start().await);
    let service = Service::start(&bigquery, &issuer.settings()).await;
    assert_eq!(push(&service, token("first", 0)).await, 204);
    let (started, http) = (Instant::now(), client());
    for round in 0..4 {
        let forged = (0..25).map(|number| signed(&format!("made-up-{round}-{number}"), "second", &claims()));
        let callers: JoinSet<u16> = forged.map(|token| request(&http, &service, token)).collect();
        assert_eq!(callers.join_all().await, [401; 25]);
    }
    let intervals = started.elapsed().as_secs() as u32 / 30;
    assert!((2..=2 + intervals).contains(&issuer.fetches()), "one for the first key and one per interval: {}", issuer.fetches());
    assert_eq!(push(&service, token("first", 1)).await, 204, "a known key is still valid");
}

#[tokio::test]
async fn new_keys_are_found_and_withdrawn_keys_are_rejected() {
    let (bigquery, issuer) = (TestBigQuery::start().await, Issuer::start().await);
    let service = Service::start(&bigquery, &issuer.settings()).await;
    assert_eq!(push(&service, token("first", 1)).await, 204);
    issuer.show(&["second"], "max-age=21600");
    assert_eq!(push(&service, token("second", 2)).await, 204);
    assert_eq!(issuer.fetches(), 2);
    assert_eq!(push(&service, token("first", 3)).await, 401);
    assert_eq!(push(&service, token("second", 4)).await, 204);
}

#[tokio::test]
async fn stale_keys_are_fetched_again() {
    let (bigquery, issuer) = (TestBigQuery::start().await, Issuer::start().await);
    issuer.show(&["first"], "max-age=1");
    let service = Service::start(&bigquery, &issuer.settings()).await;
    assert_eq!(push(&service, token("first", 0)).await, 204);
    issuer.show(&["second"], "max-age=21600");
    // The key is valid until a push after one second starts a fetch. The next push causes a fetch for an unknown key.
    let withdrawn = async {
        let mut number = 1;
        while push(&service, token("first", number)).await == 204 {
            number += 1;
            tokio::time::sleep(POLL_INTERVAL).await;
        }
    };
    tokio::time::timeout(TIMEOUT, withdrawn).await.expect("the key is withdrawn");
    assert_eq!(issuer.fetches(), 3);
    assert_eq!(push(&service, token("second", 0)).await, 204);
    assert_eq!(issuer.fetches(), 3);
}

#[tokio::test]
async fn stale_keys_are_valid_while_fetches_fail() {
    let (bigquery, issuer) = (TestBigQuery::start().await, Issuer::start().await);
    issuer.show(&["first"], "max-age=1");
    let service = Service::start(&bigquery, &issuer.settings()).await;
    assert_eq!(push(&service, token("first", 0)).await, 204);
    // Answers of an outage.
    for (status, body) in [(500, "oops"), (200, "<html>busy</html>"), (200, r#"{"keys":[]}"#)] {
        let answers = issuer.answers();
        issuer.answer(status, body);
        accepts_while(&service, || issuer.answers() == answers).await;
    }
    assert_eq!(push(&service, token("first", 1)).await, 204);
    assert_eq!(push(&service, signed("first", "second", &claims())).await, 401, "a forged token is rejected");
    assert_eq!(retries(&service).await, 0.0);
}

#[tokio::test]
async fn stale_keys_are_valid_without_a_key_server() {
    let (bigquery, issuer) = (TestBigQuery::start().await, Issuer::start().await);
    issuer.show(&["first"], "max-age=1");
    let service = Service::start(&bigquery, &issuer.settings()).await;
    assert_eq!(push(&service, token("first", 0)).await, 204);
    drop(issuer);
    accepts_while(&service, || !service.log().iter().any(|line| line.contains("cannot fetch the keys"))).await;
    assert_eq!(push(&service, token("first", 1)).await, 204);
    assert_eq!(retries(&service).await, 0.0);
}

#[tokio::test]
async fn stale_keys_are_valid_while_a_fetch_hangs() {
    let (bigquery, issuer) = (TestBigQuery::start().await, Issuer::start().await);
    issuer.show(&["first"], "max-age=1");
    let settings = [&issuer.settings()[..], &[("PUSH_DEADLINE", "2s")]].concat();
    let service = Service::start(&bigquery, &settings).await;
    assert_eq!(push(&service, token("first", 0)).await, 204);
    issuer.hold();
    // The keys become stale after one second, and the next push starts a fetch.
    accepts_while(&service, || issuer.fetches() < 2).await;
    for number in 1..=10 {
        assert_eq!(push(&service, token("first", number)).await, 204);
    }
    assert_eq!(issuer.answers(), 1, "the second fetch has no answer");
    assert_eq!(retries(&service).await, 0.0);
    issuer.show(&["first", "second"], "max-age=21600");
    issuer.release();
    recovers(&service, "second").await;
}

/// An unknown key can be a new one while the key set cannot be fetched.
#[tokio::test]
async fn unknown_keys_are_answered_503_while_fetches_fail() {
    let (bigquery, issuer) = (TestBigQuery::start().await, Issuer::start().await);
    let service = Service::start(&bigquery, &issuer.settings()).await;
    assert_eq!(push(&service, token("first", 0)).await, 204);
    issuer.answer(500, "oops");
    // The first push starts a fetch. The next pushes are within the backoff.
    for number in 0..3 {
        assert_eq!(push(&service, token("second", number)).await, 503);
    }
    assert_eq!(retries(&service).await, 3.0);
    assert_eq!(push(&service, signed("first", "second", &claims())).await, 401, "a known key with a wrong signature");
    assert_eq!(push(&service, token("first", 1)).await, 204);
    issuer.show(&["first", "second"], "max-age=21600");
    let began = Instant::now();
    recovers(&service, "second").await;
    // The bound is the feature: the retry does not wait for the interval of unknown key ids.
    assert!(began.elapsed() < Duration::from_secs(30), "{:?}", began.elapsed());
    assert_eq!(
        push(&service, signed("third", "second", &claims())).await,
        401,
        "after a successful fetch, an unknown key is an error of the token"
    );
}

/// As if a packet were lost.
#[tokio::test]
async fn a_fetch_without_answer_times_out_and_is_retried() {
    let (bigquery, issuer) = (TestBigQuery::start().await, Issuer::start().await);
    let settings = [&issuer.settings()[..], &[("PUSH_DEADLINE", "1s")]].concat();
    let service = Service::start(&bigquery, &settings).await;
    issuer.ignore_next();
    assert_eq!(push(&service, token("first", 0)).await, 503);
    recovers(&service, "first").await;
    assert_eq!(issuer.fetches(), 2);
}

#[tokio::test]
async fn a_key_set_of_more_than_64_kib_is_not_read() {
    let (bigquery, issuer) = (TestBigQuery::start().await, Issuer::start().await);
    let padded = |kib: usize| {
        let keys = json!({"keys": [jwk("first")]}).to_string();
        format!("{keys}{}", " ".repeat((kib << 10) - keys.len()))
    };
    issuer.answer(200, &padded(70));
    let mut service = Service::start(&bigquery, &issuer.settings()).await;
    assert_eq!(push(&service, token("first", 0)).await, 503);
    let line = service.wait_for_log("cannot fetch the keys").await;
    assert!(line.contains("the answer has more than 64 KiB"), "{line}");
    issuer.answer(200, &padded(60));
    recovers(&service, "first").await;
}

#[tokio::test]
async fn without_keys_pushes_are_answered_503() {
    let (bigquery, issuer) = (TestBigQuery::start().await, Issuer::start().await);
    issuer.answer(503, "");
    let mut service = Service::start(&bigquery, &issuer.settings()).await;
    for number in 0..50 {
        assert_eq!(push(&service, token("first", number)).await, 503);
    }
    assert_eq!(retries(&service).await, 50.0);
    assert!(issuer.fetches() < 10, "fetches have a backoff: {}", issuer.fetches());
    service.wait_for_log("cannot fetch the keys for Pub/Sub's tokens (PUSH_JWKS_URL)").await;
    assert_eq!(push(&service, "garbage".to_owned()).await, 401, "a malformed token needs no key");
    issuer.show(&["first"], "max-age=21600");
    recovers(&service, "first").await;
    assert_eq!(bigquery.events().await.len(), 1);
}

#[tokio::test]
async fn an_unreachable_key_server_is_answered_503() {
    let bigquery = TestBigQuery::start().await;
    let unused = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let issuer = Issuer::start().await;
    let url = format!("http://{unused}/");
    let settings: Vec<_> = issuer.settings().into_iter().chain([("PUSH_JWKS_URL", url.as_str())]).collect();
    let service = Service::start(&bigquery, &settings).await;
    assert_eq!(push(&service, token("first", 0)).await, 503);
}

/// The key server accepts connections and does not answer.
#[tokio::test]
async fn waiting_for_keys_ends_at_the_push_deadline() {
    let (bigquery, issuer) = (TestBigQuery::start().await, Issuer::start().await);
    let settings: Vec<_> = issuer.settings().into_iter().chain([("PUSH_DEADLINE", "300ms")]).collect();
    let service = Service::start(&bigquery, &settings).await;
    issuer.hold();
    assert_eq!(push(&service, token("first", 0)).await, 503);
    assert_eq!(retries(&service).await, 1.0);
    // The fetch is still in progress: it has neither an answer nor a timeout.
    assert_eq!(issuer.answers(), 0);
    assert!(!service.log().iter().any(|line| line.contains("cannot fetch the keys")), "{:?}", service.log());
    // Its keys are used once they arrive.
    issuer.release();
    recovers(&service, "first").await;
}

/// Otherwise any client could prevent fetches.
#[tokio::test]
async fn a_disconnected_client_does_not_cancel_the_fetch() {
    let (bigquery, issuer) = (TestBigQuery::start().await, Issuer::start().await);
    let service = Service::start(&bigquery, &issuer.settings()).await;
    issuer.hold();
    let mut caller = TcpStream::connect(service.url.strip_prefix("http://").unwrap()).await.unwrap();
    let forged = signed("first", "second", &claims());
    let request = format!("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nAuthorization: Bearer {forged}\r\n\r\n");
    caller.write_all(request.as_bytes()).await.unwrap();
    issuer.wait_for_fetches(1).await;
    drop(caller);
    let disconnected = async {
        while service.metric("pixel_pipeline_in_flight").await > 0.0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(TIMEOUT, disconnected).await.expect("the service notices");
    issuer.release();
    assert_eq!(push(&service, token("first", 0)).await, 204);
    assert_eq!(issuer.fetches(), 1);
}
