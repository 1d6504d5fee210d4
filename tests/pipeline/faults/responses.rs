//! BigQuery responds with an error.

use bigquery_emulator::{Fault, Status};

use super::scenario::one_table_fails;

#[tokio::test]
async fn a_table_that_returns_500_affects_no_other_table() {
    one_table_fails(Fault::Status(Status::new(500, "internalError"))).await;
}

#[tokio::test]
async fn a_503_with_html_affects_no_other_table() {
    let page = "<html><body><h1>503 Service Unavailable</h1></body></html>";
    one_table_fails(Fault::Status(Status::new(503, "backendError").body(page))).await;
}

#[tokio::test]
async fn a_429_with_retry_after_affects_no_other_table() {
    one_table_fails(Fault::Status(Status::new(429, "rateLimitExceeded").retry_after(1))).await;
}

#[tokio::test]
async fn a_403_rate_limit_exceeded_affects_no_other_table() {
    one_table_fails(Fault::Status(Status::new(403, "rateLimitExceeded"))).await;
}

#[tokio::test]
async fn a_403_quota_exceeded_affects_no_other_table() {
    one_table_fails(Fault::Status(Status::new(403, "quotaExceeded"))).await;
}

#[tokio::test]
async fn rows_stored_despite_a_500_are_not_stored_twice() {
    one_table_fails(Fault::StoredThen(Status::new(500, "internalError"))).await;
}

#[tokio::test]
async fn truncated_json_in_a_200_is_no_ack_and_duplicates_no_row() {
    one_table_fails(Fault::TruncatedBody).await;
}
