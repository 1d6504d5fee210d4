//! The clocks of generator and sink. Both are those of the kernel, so that times of different processes compare.
use rustix::time::{ClockId, clock_gettime};

/// CLOCK_MONOTONIC, in microseconds.
pub fn now_us() -> u64 {
    let now = clock_gettime(ClockId::Monotonic);
    now.tv_sec as u64 * 1_000_000 + now.tv_nsec as u64 / 1000
}

/// CPU seconds of this process.
pub fn cpu_secs() -> f64 {
    let used = clock_gettime(ClockId::ProcessCPUTime);
    used.tv_sec as f64 + used.tv_nsec as f64 / 1e9
}
