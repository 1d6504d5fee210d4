//! Blocks the current thread on a future, in functions that are not async.
//!
//! The functions are called by DataFusion's synchronous interfaces, for example in `batch_function`.

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

/// Blocks a worker thread of the engine's runtime. The runtime moves the thread's other tasks to another thread.
pub(crate) fn block_on_worker<F: Future>(future: F) -> F::Output {
    tokio::task::block_in_place(|| block_on_thread(future))
}

/// Blocks the thread and parks it while the future is pending.
pub(crate) fn block_on_thread<F: Future>(future: F) -> F::Output {
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
