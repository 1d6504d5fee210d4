//! Google's public keys: when they are fetched, how often, and what holds while they cannot be.

use std::time::{Duration, Instant};

use serde_json::json;
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::support::issuer::{claims, jwk, signed, token};
use crate::support::service::TIMEOUT;
use crate::support::{Entry, Issuer, Service, TestBigQuery};

/// Between two pushes of a test that waits for something.
const PAUSE: Duration = Duration::from_millis(20);

/// A push with that token.
async fn push(service: &Service, token: String) -> u16 {
    request(&client(), service, token).await
}

/// The same, by a client that can be sent away to do it.
fn request(http: &reqwest::Client, service: &Service, token: String) -> impl Future<Output = u16> + Send + use<> {
    let request = http.post(&service.url).bearer_auth(token).body(Entry::of_query("user_id=u").pushed());
    async { request.send().await.unwrap().status().as_u16() }
}

fn client() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().build().unwrap()
}

/// Until a push with such a token is acked.
async fn recovers(service: &Service, key: &str) {
    let recovered = async {
        while push(service, token(key, fastrand::u32(..))).await != 204 {
            tokio::time::sleep(PAUSE).await;
        }
    };
    tokio::time::timeout(TIMEOUT, recovered).await.expect("it recovers");
}

/// As long as that is so, pushes with new tokens are acked; each takes a look at the keys.
async fn acks_while(service: &Service, mut is_so: impl FnMut() -> bool) {
    let acked = async {
        while is_so() {
            assert_eq!(push(service, token("first", fastrand::u32(..))).await, 204);
            tokio::time::sleep(PAUSE).await;
        }
    };
    tokio::time::timeout(TIMEOUT, acked).await.expect("the keys are asked for again");
}

async fn retries(service: &Service) -> f64 {
    service.metric("pixel_pipeline_deliveries_total{outcome=\"retry\",reason=\"no_keys\"}").await
}

#[tokio::test]
async fn sixty_four_callers_on_a_cold_cache_make_one_fetch() {
    let (bigquery, issuer) = (TestBigQuery::start().await, Issuer::start().await);
    let service = Service::start(&bigquery, &issuer.settings()).await;
    let http = client();
    let requests: Vec<_> = (0..64).map(|number| request(&http, &service, token("first", number))).collect();
    issuer.hold();
    let callers: JoinSet<u16> = requests.into_iter().collect();
    // All of them wait for the one.
    service.wait_for_in_flight(64).await;
    issuer.wait_for_fetches(1).await;
    issuer.release();
    assert_eq!(callers.join_all().await, [204; 64]);
    assert_eq!(issuer.fetches(), 1);
}

#[tokio::test]
async fn a_token_that_is_used_again_and_again_is_checked_without_keys() {
    let (bigquery, issuer) = (TestBigQuery::start().await, Issuer::start().await);
    // For a second each time.
    issuer.show(&["first"], "max-age=0");
    let service = Service::start(&bigquery, &issuer.settings()).await;
    let token = token("first", 1);
    let started = Instant::now();
    while started.elapsed() < Duration::from_millis(1500) {
        assert_eq!(push(&service, token.clone()).await, 204);
        tokio::time::sleep(PAUSE).await;
    }
    assert_eq!(push(&service, token.clone()).await, 204, "after that second");
    assert_eq!(issuer.fetches(), 1);
}

#[tokio::test]
async fn made_up_key_ids_make_one_fetch_in_half_a_minute() {
    let (bigquery, issuer) = (TestBigQuery::start().await, Issuer::start().await);
    let service = Service::start(&bigquery, &issuer.settings()).await;
    assert_eq!(push(&service, token("first", 0)).await, 204);
    let (started, http) = (Instant::now(), client());
    for round in 0..4 {
        let forged = (0..25).map(|number| signed(&format!("made-up-{round}-{number}"), "second", &claims()));
        let callers: JoinSet<u16> = forged.map(|token| request(&http, &service, token)).collect();
        assert_eq!(callers.join_all().await, [401; 25]);
    }
    let cool_downs = started.elapsed().as_secs() as u32 / 30;
    assert!((2..=2 + cool_downs).contains(&issuer.fetches()), "one at first and one for them: {}", issuer.fetches());
    assert_eq!(push(&service, token("first", 1)).await, 204, "who has a key that is known does not notice");
}

#[tokio::test]
async fn a_new_key_is_found_at_once_and_one_that_was_taken_back_no_longer_counts() {
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
async fn keys_are_fetched_again_when_their_time_is_over() {
    let (bigquery, issuer) = (TestBigQuery::start().await, Issuer::start().await);
    issuer.show(&["first"], "max-age=1");
    let service = Service::start(&bigquery, &issuer.settings()).await;
    assert_eq!(push(&service, token("first", 0)).await, 204);
    issuer.show(&["second"], "max-age=21600");
    // Until its second is over and somebody has asked again; and then it is looked for in vain.
    let taken_back = async {
        let mut number = 1;
        while push(&service, token("first", number)).await == 204 {
            number += 1;
            tokio::time::sleep(PAUSE).await;
        }
    };
    tokio::time::timeout(TIMEOUT, taken_back).await.expect("the key is taken back");
    assert_eq!(issuer.fetches(), 3);
    assert_eq!(push(&service, token("second", 0)).await, 204);
    assert_eq!(issuer.fetches(), 3);
}

#[tokio::test]
async fn while_keys_cannot_be_fetched_the_old_ones_go_on_working() {
    let (bigquery, issuer) = (TestBigQuery::start().await, Issuer::start().await);
    issuer.show(&["first"], "max-age=1");
    let service = Service::start(&bigquery, &issuer.settings()).await;
    assert_eq!(push(&service, token("first", 0)).await, 204);
    // One after the other, whatever the answers of an outage can look like.
    for (status, body) in [(500, "oops"), (200, "<html>busy</html>"), (200, r#"{"keys":[]}"#)] {
        let answers = issuer.answers();
        issuer.answer(status, body);
        acks_while(&service, || issuer.answers() == answers).await;
    }
    assert_eq!(push(&service, token("first", 1)).await, 204);
    assert_eq!(push(&service, signed("first", "second", &claims())).await, 401, "and forged ones are none the better for it");
    assert_eq!(retries(&service).await, 0.0);
}

#[tokio::test]
async fn when_nobody_shows_keys_any_more_the_old_ones_go_on_working() {
    let (bigquery, issuer) = (TestBigQuery::start().await, Issuer::start().await);
    issuer.show(&["first"], "max-age=1");
    let service = Service::start(&bigquery, &issuer.settings()).await;
    assert_eq!(push(&service, token("first", 0)).await, 204);
    drop(issuer);
    acks_while(&service, || !service.log().iter().any(|line| line.contains("cannot fetch the keys"))).await;
    assert_eq!(push(&service, token("first", 1)).await, 204);
    assert_eq!(retries(&service).await, 0.0);
}

/// Who has a key waits for no other, which may never come.
#[tokio::test]
async fn while_a_fetch_hangs_the_old_keys_go_on_working() {
    let (bigquery, issuer) = (TestBigQuery::start().await, Issuer::start().await);
    issuer.show(&["first"], "max-age=1");
    let settings = [&issuer.settings()[..], &[("PUSH_DEADLINE", "2s")]].concat();
    let service = Service::start(&bigquery, &settings).await;
    assert_eq!(push(&service, token("first", 0)).await, 204);
    issuer.hold();
    let started = Instant::now();
    acks_while(&service, || started.elapsed() < Duration::from_secs(3)).await;
    assert_eq!(issuer.fetches(), 2, "it was asked again");
    assert_eq!(issuer.answers(), 1, "and hangs");
    assert_eq!(retries(&service).await, 0.0);
    issuer.show(&["first", "second"], "max-age=21600");
    issuer.release();
    recovers(&service, "second").await;
}

/// It may be one that Google has just begun to sign with.
#[tokio::test]
async fn a_key_that_is_not_held_is_no_ones_fault_while_keys_cannot_be_fetched() {
    let (bigquery, issuer) = (TestBigQuery::start().await, Issuer::start().await);
    let service = Service::start(&bigquery, &issuer.settings()).await;
    assert_eq!(push(&service, token("first", 0)).await, 204);
    issuer.answer(500, "oops");
    // The first makes for a fetch, and those that follow at once do not.
    for number in 0..3 {
        assert_eq!(push(&service, token("second", number)).await, 503);
    }
    assert_eq!(retries(&service).await, 3.0);
    assert_eq!(push(&service, signed("first", "second", &claims())).await, 401, "of a key that is held");
    assert_eq!(push(&service, token("first", 1)).await, 204);
    issuer.show(&["first", "second"], "max-age=21600");
    let began = Instant::now();
    recovers(&service, "second").await;
    assert!(began.elapsed() < Duration::from_secs(15), "and not only when half a minute is over: {:?}", began.elapsed());
    assert_eq!(push(&service, signed("third", "second", &claims())).await, 401, "now it is known that there is none");
}

/// As if a packet were lost for good.
#[tokio::test]
async fn a_fetch_that_is_never_answered_is_given_up_and_another_made() {
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
async fn without_any_keys_messages_are_sent_back_until_there_are_some() {
    let (bigquery, issuer) = (TestBigQuery::start().await, Issuer::start().await);
    issuer.answer(503, "");
    let mut service = Service::start(&bigquery, &issuer.settings()).await;
    for number in 0..50 {
        assert_eq!(push(&service, token("first", number)).await, 503);
    }
    assert_eq!(retries(&service).await, 50.0);
    assert!(issuer.fetches() < 10, "not for each of them: {}", issuer.fetches());
    service.wait_for_log("cannot fetch the keys for Pub/Sub's tokens (PUSH_JWKS_URL)").await;
    assert_eq!(push(&service, "garbage".to_owned()).await, 401, "for that no key is needed");
    issuer.show(&["first"], "max-age=21600");
    recovers(&service, "first").await;
    assert_eq!(bigquery.events().await.len(), 1);
}

#[tokio::test]
async fn where_nobody_listens_there_are_no_keys() {
    let bigquery = TestBigQuery::start().await;
    let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let issuer = Issuer::start().await;
    let url = format!("http://{nobody}/");
    let settings: Vec<_> = issuer.settings().into_iter().chain([("PUSH_JWKS_URL", url.as_str())]).collect();
    let service = Service::start(&bigquery, &settings).await;
    assert_eq!(push(&service, token("first", 0)).await, 503);
}

/// As a server does that takes connections and never answers.
#[tokio::test]
async fn who_waits_for_keys_waits_no_longer_than_for_the_push() {
    let (bigquery, issuer) = (TestBigQuery::start().await, Issuer::start().await);
    let settings: Vec<_> = issuer.settings().into_iter().chain([("PUSH_DEADLINE", "300ms")]).collect();
    let service = Service::start(&bigquery, &settings).await;
    issuer.hold();
    let started = Instant::now();
    assert_eq!(push(&service, token("first", 0)).await, 503);
    assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
    // And once it answers nevertheless, its keys count.
    issuer.release();
    recovers(&service, "first").await;
}

/// Else anyone could keep the keys from being there.
#[tokio::test]
async fn a_caller_who_goes_away_does_not_take_the_fetch_along() {
    let (bigquery, issuer) = (TestBigQuery::start().await, Issuer::start().await);
    let service = Service::start(&bigquery, &issuer.settings()).await;
    issuer.hold();
    let mut caller = TcpStream::connect(service.url.strip_prefix("http://").unwrap()).await.unwrap();
    let forged = signed("first", "second", &claims());
    let request = format!("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nAuthorization: Bearer {forged}\r\n\r\n");
    caller.write_all(request.as_bytes()).await.unwrap();
    issuer.wait_for_fetches(1).await;
    drop(caller);
    let gone = async {
        while service.metric("pixel_pipeline_in_flight").await > 0.0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(TIMEOUT, gone).await.expect("the service notices");
    issuer.release();
    assert_eq!(push(&service, token("first", 0)).await, 204);
    assert_eq!(issuer.fetches(), 1);
}
