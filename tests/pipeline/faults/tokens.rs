//! Access tokens that expire, are revoked, or cannot be fetched.

use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use tokio::net::TcpListener;

use super::scenario::{FAILING, FILTERED, HEALTHY, Scenario, settings};
use crate::support::metadata::Metadata;
use crate::support::service::command;
use crate::support::{Service, TestBigQuery};

/// Lifetime of Google's tokens.
const AN_HOUR: Duration = Duration::from_secs(3600);
/// Tokens are refreshed this long before they expire, ...
const REFRESH_BEFORE_EXPIRY: Duration = Duration::from_secs(240);
/// ... and at most this often.
const MIN_REFRESH_INTERVAL: Duration = Duration::from_secs(10);

/// A service under load that needs tokens with this lifetime.
async fn start(lifetime: Duration) -> (Scenario, Arc<Metadata>) {
    let (metadata, address) = Metadata::start(lifetime).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let bigquery = TestBigQuery::serve_behind(listener, |router| metadata.gate(router));
    let mut serve = command("serve");
    serve.env("BIGQUERY_ENDPOINT", &bigquery.url).env("GCE_METADATA_HOST", &address);
    let service = Service::spawn(serve, &settings(&[])).await;
    service.wait_until_ready().await;
    let scenario = Scenario::under_load(bigquery, service);
    scenario.warm_up().await;
    (scenario, metadata)
}

#[tokio::test]
async fn a_token_is_refreshed_before_it_expires() {
    let (scenario, metadata) = start(MIN_REFRESH_INTERVAL + Duration::from_secs(2)).await;
    let deliveries = scenario.deliveries();
    deliveries.wait_until("the first token has expired", async || metadata.is_expired(1)).await;
    scenario.wait_for_failures(0, &[HEALTHY, FAILING]).await;
    scenario.finish().await.assert_unaffected(&[HEALTHY, FAILING]);
    assert_eq!(metadata.refused(), 0, "the expired token was not used");
    assert!(metadata.tokens() >= 2);
}

#[tokio::test]
async fn a_revoked_token_is_replaced_once_and_delays_no_message() {
    let (scenario, metadata) = start(AN_HOUR).await;
    assert_eq!((metadata.tokens(), metadata.refused()), (1, 0), "one token was fetched");
    metadata.revoke_all();
    scenario.wait_for_failures(0, &[HEALTHY, FAILING]).await;
    scenario.finish().await.assert_unaffected(&[HEALTHY, FAILING]);
    assert!(metadata.refused() >= 1, "the revoked token was used");
    assert_eq!(metadata.tokens(), 2, "the revoked token was replaced once");
}

#[tokio::test]
async fn a_token_server_outage_has_no_effect_while_a_token_is_valid() {
    // The token is refreshed after two seconds, and is valid for four minutes more.
    let (scenario, metadata) = start(REFRESH_BEFORE_EXPIRY + Duration::from_secs(2)).await;
    metadata.set_down(true);
    let deliveries = scenario.deliveries();
    deliveries.wait_until("a token request fails", async || metadata.failed() >= 1).await;
    scenario.wait_for_failures(0, &[HEALTHY, FAILING]).await;
    scenario.finish().await.assert_unaffected(&[HEALTHY, FAILING]);
}

#[tokio::test]
async fn a_token_server_outage_after_a_revocation_loses_no_messages() {
    let (scenario, metadata) = start(AN_HOUR).await;
    let deliveries = scenario.deliveries();
    metadata.set_down(true);
    metadata.revoke_all();
    deliveries
        .wait_until("messages are nacked", async || deliveries.nacked(HEALTHY) >= 3 && metadata.failed() >= 1 && metadata.refused() >= 1)
        .await;
    metadata.set_down(false);
    let acked = deliveries.acked(HEALTHY);
    deliveries.wait_until("rows are stored again", async || deliveries.acked(HEALTHY) >= acked + 50).await;
    scenario.finish().await;
    assert_eq!(deliveries.nacked(FILTERED), 0, "filtered messages need no token");
}

/// Google's library keeps a 404 of the metadata server as its result and sends no further request.
#[tokio::test]
async fn a_token_server_that_returned_404_is_asked_again() {
    let (scenario, metadata) = start(AN_HOUR).await;
    let deliveries = scenario.deliveries();
    metadata.set_failure(StatusCode::NOT_FOUND);
    metadata.revoke_all();
    deliveries.wait_until("messages are nacked", async || deliveries.nacked(HEALTHY) >= 3 && metadata.failed() >= 2).await;
    metadata.set_down(false);
    let acked = deliveries.acked(HEALTHY);
    deliveries.wait_until("rows are stored again", async || deliveries.acked(HEALTHY) >= acked + 50).await;
    scenario.finish().await;
}
