//! The soak test: all faults and disruptions together, and then a reconciliation of every row.
//!
//! PIXEL_SOAK_MESSAGES is the number of messages: 5,000 by default; a million takes twenty minutes of two busy cores.
//! PIXEL_SOAK_SEED repeats the messages and the order and kinds of the faults, but not their exact times.
//! `--nocapture` shows the progress. PIXEL_TEST_BINARY names an optimised build of the service:
//!
//! ```sh
//! cargo build --release --no-default-features
//! PIXEL_TEST_BINARY=$PWD/target/release/pixel-pipeline PIXEL_SOAK_MESSAGES=1000000 \
//!   cargo test --locked --test pipeline soak -- --nocapture
//! ```
//!
//! | file | |
//! |---|---|
//! | [`messages`] | the messages, and the table of each |
//! | [`subscription`] | deliveries and redeliveries |
//! | [`fault_schedule`] | the faults of insertAll requests |
//! | [`disruptions`] | the disruptions of processes, tables and tokens |
//! | [`delivery_results`] | the results of all deliveries |
//! | [`audit`] | the check of all stored rows |
//! | [`counters`] | the service's own counters |
//! | [`harness`] | the parts of the running test |
//! | [`inject`] | how each disruption is done |
//! | [`reconciliation`] | the checks and the table at the end |

mod audit;
mod counters;
mod delivery_results;
mod disruptions;
mod fault_schedule;
mod harness;
mod inject;
mod messages;
mod reconciliation;
mod subscription;

use disruptions::Disruption;
use harness::{Soak, rounds};

/// Enough for every kind of fault.
const MESSAGES: u32 = 5_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_soak_with_mixed_faults_reconciles_every_row() {
    let setting =
        |name| std::env::var(name).ok().map(|text| text.parse::<u64>().unwrap_or_else(|_| panic!("{name} is not a number: {text}")));
    let count = setting("PIXEL_SOAK_MESSAGES").map_or(MESSAGES, |count| u32::try_from(count).unwrap());
    let seed = setting("PIXEL_SOAK_SEED").unwrap_or_else(|| fastrand::u64(..1_000_000));
    println!("PIXEL_SOAK_MESSAGES={count} PIXEL_SOAK_SEED={seed}");

    let mut soak = Soak::start(seed, count).await;
    let disruptions = Disruption::rounds(rounds(count), &mut soak.random);
    for (number, disruption) in disruptions.iter().enumerate() {
        soak.wait_until_acked(u64::from(count) * (number as u64 + 1) / (disruptions.len() as u64 + 1)).await;
        soak.inject(*disruption).await;
    }
    soak.wait_until_sent().await;
    soak.schedule.stop();
    soak.wait_until_acked(u64::from(count)).await;
    soak.reconcile().await;
}
