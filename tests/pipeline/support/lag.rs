//! How late the runtime of a test is: the control for bounds on response times.
//!
//! The test's senders and its BigQuery emulator run on this runtime. When it is late because the cores are busy, every
//! response time grows by the same delay, whatever the service does.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::Instant;

const INTERVAL: Duration = Duration::from_millis(10);

/// Measures the lag until it is dropped.
pub struct LagMonitor {
    max_micros: Arc<AtomicU64>,
    task: JoinHandle<()>,
}

impl LagMonitor {
    pub fn start() -> Self {
        let max_micros = Arc::new(AtomicU64::new(0));
        let task = tokio::spawn({
            let max_micros = Arc::clone(&max_micros);
            async move {
                loop {
                    let due = Instant::now() + INTERVAL;
                    tokio::time::sleep_until(due).await;
                    max_micros.fetch_max(due.elapsed().as_micros() as u64, Ordering::Relaxed);
                }
            }
        });
        Self { max_micros, task }
    }

    /// The longest delay of a timer since the last reset.
    pub fn max(&self) -> Duration {
        Duration::from_micros(self.max_micros.load(Ordering::Relaxed))
    }

    pub fn reset(&self) {
        self.max_micros.store(0, Ordering::Relaxed);
    }
}

impl Drop for LagMonitor {
    fn drop(&mut self) {
        self.task.abort();
    }
}
