//! Stops sending requests while BigQuery is unavailable. One table's failure is listed, and the next table is tried; without
//! a limit, each of many tables would wait for all retries.

use std::cell::Cell;

use crate::google::{Api, ApiError, ApiResult};

/// Maximum number of tables in a row for which BigQuery is unavailable.
const MAX_FAILURES: u32 = 2;

/// Counts failures until a success.
#[derive(Debug, Default)]
pub(crate) struct CircuitBreaker {
    failures: Cell<u32>,
}

impl CircuitBreaker {
    /// Whether to send a request for the next table. The error is the result for the table otherwise.
    pub(crate) fn check(&self) -> ApiResult<()> {
        if self.failures.get() < MAX_FAILURES {
            return Ok(());
        }
        let cause = format!("not tried, after failures for {MAX_FAILURES} tables in a row");
        Err(ApiError::Unreachable { service: Api::BigQuery.service(), cause })
    }

    /// Records the result for a table. Only a failure that other tables will have as well counts.
    pub(crate) fn record(&self, error: Option<&ApiError>) {
        let is_unavailable = error.is_some_and(is_unavailable);
        self.failures.set(if is_unavailable { self.failures.get().saturating_add(1) } else { 0 });
    }
}

/// Whether the error concerns every table.
pub(crate) fn is_unavailable(error: &ApiError) -> bool {
    match error {
        ApiError::Disabled { .. } | ApiError::Unauthenticated { .. } | ApiError::Token(_) | ApiError::Unreachable { .. } => true,
        ApiError::Status { status, .. } => *status == 429 || *status >= 500,
        ApiError::Denied { .. } | ApiError::Unreadable { .. } | ApiError::Absent(_) | ApiError::Timeout { .. } => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_stop_after_failures_in_a_row() {
        let (breaker, lost) = (CircuitBreaker::default(), ApiError::Unreachable { service: "s", cause: "refused".to_owned() });
        for error in [Some(&lost), None, Some(&lost), Some(&ApiError::Absent("it".to_owned())), Some(&lost)] {
            breaker.record(error);
            assert!(breaker.check().is_ok(), "{error:?}");
        }
        breaker.record(Some(&lost));
        assert!(breaker.check().unwrap_err().to_string().contains("2 tables in a row"));
    }
}
