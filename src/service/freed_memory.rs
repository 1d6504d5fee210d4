//! Returns freed memory to the system while the service is idle.
//!
//! mimalloc keeps freed memory for a second, because it is often needed again. It looks for memory to return only when it
//! allocates or frees a large block, and an idle service does neither.

use std::hint::black_box;
use std::time::Duration;

use tokio::time::{Interval, MissedTickBehavior, interval};

/// Longer than mimalloc keeps freed memory.
const INTERVAL: Duration = Duration::from_secs(2);
/// A block that mimalloc does not take from a page of smaller blocks. It is never written to, so it takes no memory.
const LARGE_BLOCK_BYTES: usize = 4 << 20;

/// The times at which to call [`release`].
pub fn ticks() -> Interval {
    let mut ticks = interval(INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

/// Makes mimalloc look for memory to return.
pub fn release() {
    drop(black_box(Vec::<u8>::with_capacity(LARGE_BLOCK_BYTES)));
}
