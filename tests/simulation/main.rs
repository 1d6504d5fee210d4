//! The service in a deterministic simulation: one thread, a paused clock, and every random choice from a seed.
//!
//! Everything from the push endpoint, or from the stream of a pull subscription, to the HTTP request is the program's own code.
//! Pub/Sub, BigQuery, the network and the source of access tokens are simulated, with faults. [`checker`] has the invariants.
//!
//! `SIM_SEEDS=100000` sets the number of seeds, `SIM_SEED=7` runs one and prints its trace.

mod bigquery;
mod checker;
mod client;
mod faults;
mod history;
mod instance;
mod message;
mod network;
mod pubsub;
mod scenarios;
mod settings;
mod subscription;
mod tokens;
mod world;

use std::fmt::Write as _;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use world::run;

/// Seeds of one test run.
const SEEDS: u64 = 100;
/// Lines of the trace that a failure shows.
const TRACE_LINES: usize = 60;

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{variable}={text} is not a number")))
}

/// The trace up to the violation.
fn failure(seed: u64, violation: &str) -> String {
    let trace = run(seed, true).trace;
    let mut text = format!("seed {seed}: {violation}\n{}\n", trace[0]);
    let end = trace.iter().position(|line| line.contains("VIOLATION")).map_or(trace.len(), |line| line + 1);
    for line in &trace[end.saturating_sub(TRACE_LINES)..end] {
        let _ = writeln!(text, "{line}");
    }
    text + &format!("Run it again with: SIM_SEED={seed} cargo test -p pixel-pipeline-simulation invariants -- --nocapture")
}

#[test]
fn the_invariants_hold_for_every_seed() {
    if let Some(seed) = number("SIM_SEED") {
        let result = run(seed, true);
        for line in &result.trace {
            eprintln!("{line}");
        }
        eprintln!("{:?}", result.counts);
        assert_eq!(result.violation, None);
        return;
    }
    let seeds = number("SIM_SEEDS").unwrap_or(SEEDS);
    let (next, failed, totals) = (AtomicU64::new(0), Mutex::new(None), Mutex::new(history::Counts::default()));
    let work = || {
        while failed.lock().unwrap().is_none() {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds {
                break;
            }
            let result = run(seed, false);
            totals.lock().unwrap().add(&result.counts);
            if let Some(violation) = result.violation {
                failed.lock().unwrap().get_or_insert((seed, violation));
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(work);
        }
    });
    println!("{seeds} seeds: {:?}", totals.lock().unwrap());
    let failed = failed.lock().unwrap().take();
    if let Some((seed, violation)) = failed {
        panic!("{}", failure(seed, &violation));
    }
    let panics = pixel_pipeline::telemetry::stats().deliveries.get(&("retry", "panic")).copied().unwrap_or(0);
    assert_eq!(panics, 0, "handlers that panicked");
}

#[test]
fn a_seed_replays_exactly() {
    for seed in 0..6 {
        let (first, second) = (run(seed, true).trace, run(seed, true).trace);
        let difference = first.iter().zip(&second).position(|(one, other)| one != other);
        assert_eq!(difference.map(|line| (&first[line], &second[line])), None, "seed {seed}");
        assert_eq!(first.len(), second.len(), "seed {seed}");
        assert!(first.len() > 500, "seed {seed} has {} lines", first.len());
    }
}
