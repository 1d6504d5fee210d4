//! Access tokens that expire, or cannot be had.

use std::sync::Arc;

use tokio::net::TcpListener;

use super::trial::{FILTERED, SICK, Trial, WELL, settings, unconcerned};
use crate::support::metadata::Metadata;
use crate::support::service::command;
use crate::support::{Service, TestBigQuery};

/// A service that needs tokens, under load.
async fn start() -> (Trial, Arc<Metadata>) {
    let (metadata, address) = Metadata::start().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let bigquery = TestBigQuery::serve_behind(listener, |router| metadata.gate(router));
    let mut serve = command("serve");
    serve.env("BIGQUERY_ENDPOINT", &bigquery.url).env("GCE_METADATA_HOST", &address);
    let service = Service::spawn(serve, &settings(&[])).await;
    service.wait_until_ready().await;
    let trial = Trial::under_load(bigquery, service);
    trial.warm_up().await;
    assert_eq!((metadata.tokens(), metadata.refused()), (1, 0), "one token was enough until now");
    (trial, metadata)
}

#[tokio::test]
async fn a_token_that_expires_under_load_is_replaced_once_and_nobody_notices() {
    let (trial, metadata) = start().await;
    metadata.expire();
    trial.suffer(0, &[WELL, SICK]).await;
    let ledger = trial.recover().await;
    assert!(metadata.refused() >= 1, "the old token was tried");
    assert_eq!(metadata.tokens(), 2, "and replaced once");
    unconcerned(&ledger, &[WELL, SICK]);
}

#[tokio::test]
async fn a_token_server_that_is_down_matters_to_nobody_while_the_token_is_good() {
    let (trial, metadata) = start().await;
    metadata.down(true);
    trial.suffer(0, &[WELL, SICK]).await;
    let ledger = trial.recover().await;
    unconcerned(&ledger, &[WELL, SICK]);
}

#[tokio::test]
async fn a_token_server_that_is_down_when_the_token_expires_delays_everything_and_loses_nothing() {
    let (trial, metadata) = start().await;
    let ledger = trial.ledger();
    metadata.down(true);
    metadata.expire();
    ledger.until("messages are sent back", async || ledger.nacked(WELL) >= 3 && metadata.failed() >= 1 && metadata.refused() >= 1).await;
    metadata.down(false);
    let acked = ledger.acked(WELL);
    ledger.until("rows are stored again", async || ledger.acked(WELL) >= acked + 50).await;
    trial.recover().await;
    assert_eq!(ledger.nacked(FILTERED), 0, "which needs no token");
}
