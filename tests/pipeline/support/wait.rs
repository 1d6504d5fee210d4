//! The one polling loop and the one timeout of these tests. No test waits for a fixed time.

use std::time::Duration;

/// Timeout of each wait for a condition. Tests share the cores of the machine, and Google's emulator may need several leases to
/// deliver again; only a failing test waits this long.
pub const TIMEOUT: Duration = Duration::from_secs(120);

const POLL_INTERVAL: Duration = Duration::from_millis(5);

/// Checks the condition until it is true. `what` names the condition, as in "the table exists".
pub async fn wait_until(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    let poll = async {
        while !condition().await {
            tokio::time::sleep(POLL_INTERVAL).await;
        }
    };
    within(what, poll).await;
}

/// The result of a future that completes within the timeout.
pub async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    tokio::time::timeout(TIMEOUT, future).await.unwrap_or_else(|_| panic!("not within {TIMEOUT:?}: {what}"))
}
