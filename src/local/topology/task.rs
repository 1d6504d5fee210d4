//! A task of the topology, with its shutdown.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use tokio::sync::watch;
use tokio_util::task::AbortOnDropHandle;

/// Completes when a task is to shut down.
pub(crate) type ShutdownSignal = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A task that shuts down when `stop` is dropped, and is aborted when it is dropped itself.
pub(crate) struct Task<T> {
    pub(crate) task: AbortOnDropHandle<T>,
    pub(crate) stop: watch::Sender<()>,
}

impl<T: Send + 'static> Task<T> {
    /// Spawns the task that `task` returns for the shutdown signal.
    pub(crate) fn spawn<F>(task: impl FnOnce(ShutdownSignal) -> F) -> Self
    where
        F: Future<Output = T> + Send + 'static,
    {
        let (stop, mut stopped) = watch::channel(());
        let end = Box::pin(async move { while stopped.changed().await.is_ok() {} });
        Self { task: AbortOnDropHandle::new(tokio::spawn(task(end))), stop }
    }

    /// Shuts the task down. Aborts it after `timeout`. Returns its result if it finished.
    pub(crate) async fn end(self, timeout: Duration) -> Option<T> {
        let Self { task, stop } = self;
        drop(stop);
        tokio::time::timeout(timeout, task).await.ok()?.ok()
    }
}
