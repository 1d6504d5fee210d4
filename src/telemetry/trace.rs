//! The trace of the request that the current task handles, for log lines that no handler writes: those of a panic.

use std::future::Future;

tokio::task_local! {
    static TRACE: Option<String>;
}

/// Runs a future as part of a trace. Not an `async fn`, which would have space for the future twice.
pub fn scope<T>(trace: Option<String>, future: impl Future<Output = T>) -> impl Future<Output = T> {
    TRACE.scope(trace, future)
}

/// The trace that the current task is part of.
pub fn current() -> Option<String> {
    TRACE.try_with(Clone::clone).ok().flatten()
}
