//! BigQuery answers, and not as one would like.

use bigquery_emulator::{Fault, Status};

use super::trial::one_table_fails;

#[tokio::test]
async fn a_table_that_answers_500_concerns_no_other_and_loses_nothing() {
    one_table_fails(Fault::Status(Status::new(500, "internalError"))).await;
}

#[tokio::test]
async fn a_503_with_a_page_of_html_concerns_no_other_table_and_loses_nothing() {
    let page = "<html><body><h1>503 Service Unavailable</h1></body></html>";
    one_table_fails(Fault::Status(Status::new(503, "backendError").body(page))).await;
}

#[tokio::test]
async fn a_429_with_retry_after_concerns_no_other_table_and_loses_nothing() {
    one_table_fails(Fault::Status(Status::new(429, "rateLimitExceeded").retry_after(1))).await;
}

#[tokio::test]
async fn a_403_rate_limit_exceeded_concerns_no_other_table_and_loses_nothing() {
    one_table_fails(Fault::Status(Status::new(403, "rateLimitExceeded"))).await;
}

#[tokio::test]
async fn a_403_quota_exceeded_concerns_no_other_table_and_loses_nothing() {
    one_table_fails(Fault::Status(Status::new(403, "quotaExceeded"))).await;
}

#[tokio::test]
async fn rows_that_are_stored_in_spite_of_a_500_are_not_stored_twice() {
    one_table_fails(Fault::StoredThen(Status::new(500, "internalError"))).await;
}

#[tokio::test]
async fn an_answer_of_truncated_json_is_no_promise_and_stores_nothing_twice() {
    one_table_fails(Fault::TruncatedBody).await;
}
