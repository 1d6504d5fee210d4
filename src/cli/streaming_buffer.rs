//! Rows that BigQuery does not delete yet.

use std::time::Duration;

use super::google::Unseen;

/// BigQuery deletes no row that was streamed within half an hour
/// (<https://cloud.google.com/bigquery/docs/data-manipulation-language#limitations>), and a row may be streamed up to
/// ten minutes after it was received.
pub(crate) const TOO_YOUNG: Duration = Duration::from_secs(40 * 60);

/// Whether a DELETE failed for a row that is held: "UPDATE or DELETE statement over table … would affect rows in the
/// streaming buffer, which is not supported".
pub(crate) fn holds(error: &Unseen) -> bool {
    error.to_string().contains("streaming buffer")
}
