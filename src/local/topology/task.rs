//! A task of the topology, and how it is ended.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;

/// Ends when a part is to end.
pub(crate) type ShutdownSignal = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A task that ends some time after its sender is dropped.
pub(crate) struct Task<T> {
    pub(crate) task: JoinHandle<T>,
    pub(crate) stop: watch::Sender<()>,
}

impl<T: Send + 'static> Task<T> {
    /// `task` is given what ends when it is to end.
    pub(crate) fn spawn<F>(task: impl FnOnce(ShutdownSignal) -> F) -> Self
    where
        F: Future<Output = T> + Send + 'static,
    {
        let (stop, mut stopped) = watch::channel(());
        let end = Box::pin(async move { while stopped.changed().await.is_ok() {} });
        Self { task: tokio::spawn(task(end)), stop }
    }

    /// Lets it end, for at most `timeout`. What it ended with, if it did.
    pub(crate) async fn end(self, timeout: Duration) -> Option<T> {
        let Self { mut task, stop } = self;
        drop(stop);
        let ended = tokio::time::timeout(timeout, &mut task).await;
        if ended.is_err() {
            task.abort();
        }
        ended.ok()?.ok()
    }
}
