//! BigQuery refuses rows. Valid rows are not delayed by invalid ones.

use std::time::Duration;

use bigquery_emulator::Fault;

use super::scenario::{FAILING, FAILING_TABLES, HEALTHY, INVALID, REJECTED, Scenario};
use crate::support::delivery_log::Destination;
use crate::support::load_generator::TestMessage;
use crate::support::wait::wait_until;

/// Invalid rows and valid rows of the same table.
async fn invalid_rows(stops_others: bool) {
    let mut scenario = Scenario::start().await;
    scenario.bigquery.faults().always_on(FAILING_TABLES, Fault::RowsInvalid { containing: "invalid".to_owned(), stops_others });
    scenario.load.send(INVALID, 10, Duration::from_millis(5), || TestMessage::event("failing", "invalid").to(Destination::DeadLetters));
    scenario.wait_for_failures(50, &[HEALTHY, FAILING, INVALID]).await;
    let count = || scenario.bigquery.faults().insert_all_requests();
    wait_until("valid and invalid rows share requests", async || count().mixed > 10 && (count().stopped > 10 || !stops_others)).await;
    assert_eq!(count().stopped > 0, stops_others, "{:?}", count());
    let responses = scenario.finish().await;
    responses.assert_unaffected(&[HEALTHY, FAILING, INVALID]);
    assert_eq!(responses.deliveries.nacked(REJECTED), 0);
}

#[tokio::test]
async fn an_invalid_row_in_each_batch_delays_no_other_row() {
    invalid_rows(false).await;
}

#[tokio::test]
async fn rows_stopped_by_an_invalid_row_are_stored_without_it() {
    invalid_rows(true).await;
}
