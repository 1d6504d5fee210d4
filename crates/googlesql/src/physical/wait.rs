//! Waiting for a future where nothing is asynchronous.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Runs the future on this thread of the engine's runtime; tasks that wait for this thread are
/// given to another.
pub(crate) fn blocking<F: Future>(future: F) -> F::Output {
    tokio::task::block_in_place(|| until_ready(future))
}

/// Runs the future on this thread, which sleeps while there is nothing to do.
pub(crate) fn until_ready<F: Future>(future: F) -> F::Output {
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = Context::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}
