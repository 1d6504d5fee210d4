//! Stops sending requests while BigQuery is unavailable. One table's failure is listed, and the next table is tried; without
//! a limit, each of many tables would wait for all retries.

use std::cell::Cell;

use crate::google::{Api, ApiError};

/// Maximum number of tables in a row for which BigQuery is unavailable.
const MAX_FAILURES: u32 = 2;

/// Counts failures until a success.
#[derive(Debug, Default)]
pub(crate) struct CircuitBreaker {
    failures: Cell<u32>,
}

impl CircuitBreaker {
    /// Runs the requests for one table, unless BigQuery was unavailable for those before. `api_error` finds the failed
    /// request in an error.
    pub(crate) async fn run<T, E: From<ApiError>>(
        &self,
        requests: impl Future<Output = Result<T, E>>,
        api_error: impl Fn(&E) -> Option<&ApiError>,
    ) -> Result<T, E> {
        if self.failures.get() >= MAX_FAILURES {
            let cause = format!("not tried, after failures for {MAX_FAILURES} tables in a row");
            return Err(ApiError::Unreachable { service: Api::BigQuery.service(), cause }.into());
        }
        let result = requests.await;
        let is_unavailable = result.as_ref().err().and_then(api_error).is_some_and(is_unavailable);
        self.failures.set(if is_unavailable { self.failures.get().saturating_add(1) } else { 0 });
        result
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

    #[tokio::test]
    async fn requests_stop_after_failures_in_a_row() {
        let (breaker, lost) = (CircuitBreaker::default(), ApiError::Unreachable { service: "s", cause: "refused".to_owned() });
        let absent = ApiError::Absent("it".to_owned());
        for (error, is_sent) in [
            (Some(&lost), true),
            (None, true),
            (Some(&lost), true),
            (Some(&absent), true),
            (Some(&lost), true),
            (Some(&lost), true),
            (None, false),
        ] {
            let result = error.cloned().map_or(Ok(()), Err);
            let mut was_sent = false;
            let requests = async {
                was_sent = true;
                result
            };
            let _ = breaker.run(requests, |error| Some(error)).await;
            assert_eq!(was_sent, is_sent, "{error:?}");
        }
    }
}
