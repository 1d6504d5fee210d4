//! BigQuery refuses rows: good rows are not held up by bad ones.

use std::time::Duration;

use bigquery_emulator::Fault;

use super::trial::{POISON, REJECTED, SICK, SICK_TABLES, Trial, WELL, unaffected};
use crate::support::ledger::Place;
use crate::support::pubsub::Message;

/// A steady stream of rows that their table refuses, among good ones of the same table.
async fn poison(stops_others: bool) {
    let mut trial = Trial::start().await;
    trial.bigquery.faults().always_on(SICK_TABLES, Fault::RowsInvalid { containing: "poison".to_owned(), stops_others });
    trial.player.send(POISON, 10, Duration::from_millis(5), || Message::event("sick", "poison").to(Place::DeadLetters));
    trial.suffer(50, &[WELL, SICK, POISON]).await;
    let count = trial.bigquery.faults().insert_all_requests();
    assert!(count.mixed > 10, "good rows and bad ones went side by side: {count:?}");
    assert_eq!(count.stopped > 10, stops_others, "{count:?}");
    let ledger = trial.recover().await;
    unaffected(&ledger, &[WELL, SICK, POISON]);
    assert_eq!(ledger.nacked(REJECTED), 0);
}

#[tokio::test]
async fn a_poison_row_in_every_batch_becomes_a_dead_letter_and_holds_up_no_other() {
    poison(false).await;
}

#[tokio::test]
async fn rows_that_are_stopped_because_of_a_poison_row_are_stored_without_it() {
    poison(true).await;
}
