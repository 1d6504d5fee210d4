//! A panic is a bug, and costs the one request in which it happens.
//!
//! Each connection has a task of its own, and the runtime keeps a panic within the task. But the client would see its
//! connection reset, and nothing would be counted. Caught here, it is an outcome like others.

use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::Poll;

#[cfg(panic = "abort")]
compile_error!("a panic must unwind: where it aborts, one request ends all others");

/// The future panicked. What there was to say, the panic hook has said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Panicked;

/// The future's output, unless it panics. Nothing of it is used after that.
pub async fn catch<T>(future: impl Future<Output = T>) -> Result<T, Panicked> {
    let mut future = pin!(future);
    poll_fn(|context| match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context))) {
        Ok(Poll::Pending) => Poll::Pending,
        Ok(Poll::Ready(output)) => Poll::Ready(Ok(output)),
        Err(_) => Poll::Ready(Err(Panicked)),
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_before_and_after_waiting_is_caught_and_an_output_is_passed_on() {
        assert_eq!(catch(async { panic!("at once") }).await, Err::<(), _>(Panicked));
        let late = async {
            tokio::task::yield_now().await;
            panic!("later")
        };
        assert_eq!(catch(late).await, Err::<(), _>(Panicked));
        assert_eq!(catch(async { tokio::task::yield_now().await }).await, Ok(()));
    }
}
