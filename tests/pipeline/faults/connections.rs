//! BigQuery does not answer, or too late.

use std::time::Duration;

use bigquery_emulator::Fault;

use super::trial::one_table_fails;

/// Longer than PUSH_DEADLINE.
const TOO_LATE: Duration = Duration::from_secs(5);

#[tokio::test]
async fn a_connection_that_is_reset_before_the_rows_are_stored_loses_nothing() {
    one_table_fails(Fault::ResetBefore).await;
}

#[tokio::test]
async fn a_connection_that_is_reset_after_the_rows_were_stored_doubles_nothing() {
    one_table_fails(Fault::ResetAfter).await;
}

#[tokio::test]
async fn a_table_that_takes_longer_than_the_deadline_keeps_no_other_waiting() {
    one_table_fails(Fault::Delay(TOO_LATE)).await;
}

#[tokio::test]
async fn an_answer_that_comes_after_the_deadline_doubles_nothing_that_was_stored() {
    one_table_fails(Fault::SlowAnswer(TOO_LATE)).await;
}
