//! The HTTP client of these tests.

use std::time::Duration;

/// A server that does not respond fails the test; without a timeout, the test run would hang. Longer than any
/// PUSH_DEADLINE that a test waits for.
pub const RESPONSE_TIMEOUT: Duration = Duration::from_secs(300);

pub fn client() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().timeout(RESPONSE_TIMEOUT).build().unwrap()
}
