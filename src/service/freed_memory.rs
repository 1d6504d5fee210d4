//! Returns freed memory to the system while the service is idle.
//!
//! mimalloc keeps freed memory for a second, because it is often needed again. A thread returns only its own
//! memory, after a fixed number of allocations. An idle thread does not allocate, so this task allocates on each thread.

use std::hint::black_box;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};

/// Longer than mimalloc keeps freed memory.
const INTERVAL: Duration = Duration::from_secs(2);
/// mimalloc counts the allocations of this size, which are not the most frequent ones.
const BLOCK_BYTES: usize = 2 << 10;
/// After this many of them, mimalloc looks at all memory of the thread. It takes a third of a millisecond.
const ALLOCATIONS: usize = 10_000;

/// Returns freed memory from time to time. Never ends.
pub async fn run() {
    let mut ticks = interval(INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        // Idle threads take one task each.
        let workers = Handle::current().metrics().num_workers();
        let tasks: JoinSet<()> = (0..workers).map(|_| async { release() }).collect();
        release();
        tasks.join_all().await;
    }
}

/// Makes mimalloc look for memory of this thread to return.
fn release() {
    for _ in 0..ALLOCATIONS {
        drop(black_box(Vec::<u8>::with_capacity(BLOCK_BYTES)));
    }
}
