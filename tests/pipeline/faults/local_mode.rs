//! The local mode: a full disk, and a killed process.

use std::io::Write as _;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;

use tokio::process::Command;

use super::scenario::{HEALTHY, REJECTED, send_usual_messages, settings};
use crate::support::bigquery::TempDir;
use crate::support::delivery_log::{DeliveryLog, Destination};
use crate::support::external::skipped;
use crate::support::load_generator::LoadGenerator;
use crate::support::local::{Local, local};

/// A log without a lookup: the test cannot read the tables of the other process at each ack. Rows that were acked too
/// early are missing after the kill.
fn deliveries() -> Arc<DeliveryLog> {
    DeliveryLog::new(Arc::new(|_, _| true))
}

/// All stored event ids with their destinations.
async fn stored(local: &Local) -> Vec<(String, Destination)> {
    let mut stored = Vec::new();
    for table in local.tables().await {
        let destination = if table == "dead_letters" { Destination::DeadLetters } else { Destination::Table(table.clone()) };
        stored.extend(local.column(&table, "event_id").await.into_iter().map(|id| (id, destination.clone())));
    }
    stored
}

async fn finish(mut load: LoadGenerator, local: &Local) {
    load.drain().await;
    load.deliveries.assert_no_early_acks();
    load.deliveries.reconcile_with(stored(local).await);
}

#[tokio::test]
async fn sigkill_of_the_local_mode_loses_and_duplicates_nothing() {
    let dir = TempDir::new();
    let settings = settings(&[]);
    let mut local = Local::start(dir.path(), &settings).await;
    let deliveries = deliveries();
    let mut load = LoadGenerator::new(&local.push, Arc::clone(&deliveries));
    send_usual_messages(&mut load);
    for round in 1..=3 {
        deliveries
            .wait_until("messages are acked", async || deliveries.acked(HEALTHY) >= 100 * round && deliveries.acked(REJECTED) >= round)
            .await;
        deliveries.wait_until("deliveries are in flight", async || local.metric("pixel_pipeline_in_flight").await >= 1.0).await;
        local.signal("KILL");
        local.wait().await;
        local = Local::start(dir.path(), &settings).await;
        // Before the redeliveries, which would store lost rows again.
        deliveries.assert_acked_are_stored(&stored(&local).await);
        load.redirect(&local.push);
    }
    finish(load, &local).await;
}

/// `local` with a data directory on its own small disk, which is mounted for this process only.
fn on_a_small_disk(dir: &Path) -> Command {
    let inner = local(dir);
    let mut command = Command::new("unshare");
    command.args(["--user", "--map-root-user", "--mount", "sh", "-c", "mount -t tmpfs -o size=12m tmpfs \"$0\" && exec \"$@\""]).arg(dir);
    command.arg(inner.as_std().get_program()).args(inner.as_std().get_args()).env_clear().kill_on_drop(true);
    for (name, value) in inner.as_std().get_envs() {
        command.env(name, value.unwrap_or_default());
    }
    command.envs(settings(&[])).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Writes until the disk is full.
fn fill(file: &Path) {
    let mut ballast = std::fs::File::create(file).unwrap();
    let full = std::iter::repeat_with(|| ballast.write_all(&[0; 4096])).find_map(Result::err).unwrap();
    assert_eq!(full.kind(), std::io::ErrorKind::StorageFull);
}

#[tokio::test]
async fn the_local_mode_recovers_from_a_full_disk_without_loss() {
    let dir = TempDir::new();
    let mut probe = Command::new("unshare");
    probe.args(["--user", "--map-root-user", "--mount", "mount", "-t", "tmpfs", "tmpfs"]).arg(dir.path());
    if !probe.stderr(Stdio::null()).status().await.is_ok_and(|status| status.success()) {
        return skipped("the_local_mode_recovers_from_a_full_disk_without_loss", "permission to mount a disk (unshare, user namespaces)");
    }
    let local = Local::spawn(on_a_small_disk(dir.path())).await;
    let deliveries = deliveries();
    let mut load = LoadGenerator::new(&local.push, Arc::clone(&deliveries));
    send_usual_messages(&mut load);
    deliveries.wait_until("messages are acked", async || deliveries.acked(HEALTHY) >= 100).await;
    let disk = format!("/proc/{}/root/{}", local.pid(), dir.path().display());
    let ballast = Path::new(&disk).join("ballast");
    fill(&ballast);
    deliveries.wait_until("messages are nacked", async || deliveries.nacked(HEALTHY) >= 3 && deliveries.nacked(REJECTED) >= 1).await;
    std::fs::remove_file(&ballast).unwrap();
    let acked = deliveries.acked(HEALTHY);
    deliveries.wait_until("rows are stored again", async || deliveries.acked(HEALTHY) >= acked + 100).await;
    finish(load, &local).await;
    let (status, log) = local.end("TERM").await;
    assert_eq!(status.code(), Some(0), "{log}");
    assert!(log.contains("database or disk is full"), "the disk was full: {log}");
}
