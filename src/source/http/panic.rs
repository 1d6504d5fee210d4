//! Catches the panic of a request's handler.
//!
//! Each connection has a task of its own, and the runtime keeps a panic within the task. But the client would see its
//! connection reset, and nothing would be counted. A caught panic is an outcome like others.

use std::future::Future;
use std::panic::AssertUnwindSafe;

use futures_util::FutureExt as _;

#[cfg(panic = "abort")]
compile_error!("a panic must unwind: where it aborts, one request ends all others");

/// The future panicked. The panic hook has logged it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Panicked;

/// The future's output, unless it panics. The future is not used after a panic.
///
/// Not an `async fn`, which would have space for the future twice.
pub fn catch<T>(future: impl Future<Output = T>) -> impl Future<Output = Result<T, Panicked>> {
    AssertUnwindSafe(future).catch_unwind().map(|output| output.map_err(|_| Panicked))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_before_or_after_an_await_is_caught() {
        assert_eq!(catch(async { panic!("at once") }).await, Err::<(), _>(Panicked));
        let late = async {
            tokio::task::yield_now().await;
            panic!("later")
        };
        assert_eq!(catch(late).await, Err::<(), _>(Panicked));
        assert_eq!(catch(async { tokio::task::yield_now().await }).await, Ok(()));
    }
}
