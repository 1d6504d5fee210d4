//! BigQuery does not respond, or responds after the deadline.

use std::time::Duration;

use bigquery_emulator::Fault;

use super::scenario::one_table_fails;

/// Longer than PUSH_DEADLINE.
const LONGER_THAN_THE_DEADLINE: Duration = Duration::from_secs(5);

#[tokio::test]
async fn a_reset_before_the_rows_are_stored_loses_no_row() {
    one_table_fails(Fault::ResetBefore).await;
}

#[tokio::test]
async fn a_reset_after_the_rows_are_stored_duplicates_no_row() {
    one_table_fails(Fault::ResetAfter).await;
}

#[tokio::test]
async fn a_table_slower_than_the_deadline_delays_no_other_table() {
    one_table_fails(Fault::Delay(LONGER_THAN_THE_DEADLINE)).await;
}

#[tokio::test]
async fn a_response_after_the_deadline_duplicates_no_stored_row() {
    one_table_fails(Fault::SlowAnswer(LONGER_THAN_THE_DEADLINE)).await;
}
