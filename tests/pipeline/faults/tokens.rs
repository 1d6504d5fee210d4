//! Access tokens that expire, are taken back, or cannot be had.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::http::StatusCode;
use tokio::net::TcpListener;

use super::trial::{FILTERED, SICK, Trial, WELL, settings, unaffected};
use crate::support::metadata::Metadata;
use crate::support::service::command;
use crate::support::{Service, TestBigQuery};

/// What Google's are good for.
const AN_HOUR: Duration = Duration::from_secs(3600);
/// Tokens are renewed this long before their time is over, ...
const EARLY: Duration = Duration::from_secs(240);
/// ... and after so long if they do not have that much.
const SOON: Duration = Duration::from_secs(10);

/// A service that needs tokens, which are good for so long, under load.
async fn start(lifetime: Duration) -> (Trial, Arc<Metadata>) {
    let (metadata, address) = Metadata::start(lifetime).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let bigquery = TestBigQuery::serve_behind(listener, |router| metadata.gate(router));
    let mut serve = command("serve");
    serve.env("BIGQUERY_ENDPOINT", &bigquery.url).env("GCE_METADATA_HOST", &address);
    let service = Service::spawn(serve, &settings(&[])).await;
    service.wait_until_ready().await;
    let trial = Trial::under_load(bigquery, service);
    trial.warm_up().await;
    (trial, metadata)
}

#[tokio::test]
async fn a_token_whose_time_is_over_has_been_replaced_before_without_effect_on_messages() {
    let (trial, metadata) = start(SOON + Duration::from_secs(2)).await;
    let ledger = trial.ledger();
    ledger.until("the first token's time is over", async || metadata.is_over(1)).await;
    trial.suffer(0, &[WELL, SICK]).await;
    trial.recover().await;
    assert_eq!(metadata.refused(), 0, "the expired token was not used");
    assert!(metadata.tokens() >= 2);
    unaffected(&ledger, &[WELL, SICK]);
}

#[tokio::test]
async fn a_token_that_is_taken_back_under_load_is_replaced_once_without_effect_on_messages() {
    let (trial, metadata) = start(AN_HOUR).await;
    assert_eq!((metadata.tokens(), metadata.refused()), (1, 0), "one token was enough until now");
    metadata.expire();
    trial.suffer(0, &[WELL, SICK]).await;
    let ledger = trial.recover().await;
    assert!(metadata.refused() >= 1, "the old token was tried");
    assert_eq!(metadata.tokens(), 2, "and replaced once");
    unaffected(&ledger, &[WELL, SICK]);
}

#[tokio::test]
async fn a_token_server_that_is_down_does_not_matter_while_the_token_is_valid() {
    // It will be good for minutes when it is to be renewed, and that is in a moment.
    let (trial, metadata) = start(EARLY + Duration::from_secs(2)).await;
    metadata.down(true);
    let ledger = trial.ledger();
    ledger.until("a token is asked for in vain", async || metadata.failed() >= 1).await;
    trial.suffer(0, &[WELL, SICK]).await;
    trial.recover().await;
    unaffected(&ledger, &[WELL, SICK]);
}

#[tokio::test]
async fn a_token_server_that_is_down_when_the_token_is_taken_back_delays_everything_and_loses_nothing() {
    let (trial, metadata) = start(AN_HOUR).await;
    let ledger = trial.ledger();
    metadata.down(true);
    metadata.expire();
    ledger.until("messages are nacked", async || ledger.nacked(WELL) >= 3 && metadata.failed() >= 1 && metadata.refused() >= 1).await;
    metadata.down(false);
    let acked = ledger.acked(WELL);
    ledger.until("rows are stored again", async || ledger.acked(WELL) >= acked + 50).await;
    trial.recover().await;
    assert_eq!(ledger.nacked(FILTERED), 0, "which needs no token");
}

/// Google's library keeps such a failure for good.
#[tokio::test]
async fn a_token_server_that_refuses_for_a_moment_is_asked_again_a_second_later() {
    let (trial, metadata) = start(AN_HOUR).await;
    let ledger = trial.ledger();
    metadata.fails_with(StatusCode::NOT_FOUND);
    metadata.expire();
    ledger.until("messages are nacked", async || ledger.nacked(WELL) >= 3 && metadata.failed() >= 1).await;
    metadata.down(false);
    let (well_again, acked) = (Instant::now(), ledger.acked(WELL));
    ledger.until("rows are stored again", async || ledger.acked(WELL) >= acked + 50).await;
    assert!(well_again.elapsed() < Duration::from_secs(8), "{:?}", well_again.elapsed());
    trial.recover().await;
}
