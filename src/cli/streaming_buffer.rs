//! Rows that BigQuery does not delete yet: those in a table's streaming buffer.

use std::time::Duration;

use crate::google::ApiError;

/// BigQuery deletes no row that was streamed within half an hour
/// (<https://cloud.google.com/bigquery/docs/data-manipulation-language#limitations>), and a row may be streamed up to
/// ten minutes after it was received.
pub(crate) const MIN_DELETE_AGE: Duration = Duration::from_secs(40 * 60);

/// Whether a DELETE failed because of a row in the streaming buffer: "UPDATE or DELETE statement over table … would affect rows in the
/// streaming buffer, which is not supported".
pub(crate) fn holds(error: &ApiError) -> bool {
    error.to_string().contains("streaming buffer")
}
