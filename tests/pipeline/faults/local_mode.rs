//! The local mode: a disk that is full, and a process that is killed.

use std::io::Write as _;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;

use tokio::process::Command;

use super::trial::{REJECTED, WELL, send_usual, settings};
use crate::support::bigquery::TempDir;
use crate::support::external::skipped;
use crate::support::ledger::{Ledger, PATIENCE, Place};
use crate::support::local::{Local, local};
use crate::support::pubsub::Player;

/// The test cannot look into the other process: rows that were acked too early are missing after its end.
fn ledger() -> Arc<Ledger> {
    Ledger::new(Arc::new(|_, _| true))
}

/// Every event id that is stored, with its place.
async fn stored(local: &Local) -> Vec<(String, Place)> {
    let mut stored = Vec::new();
    for table in local.tables().await {
        let place = if table == "dead_letters" { Place::DeadLetters } else { Place::Table(table.clone()) };
        stored.extend(local.column(&table, "event_id").await.into_iter().map(|id| (id, place.clone())));
    }
    stored
}

async fn finish(mut player: Player, local: &Local) {
    player.drain(PATIENCE).await;
    player.ledger.check_acks();
    player.ledger.reconcile_with(stored(local).await);
}

#[tokio::test]
async fn kill_9_of_the_local_mode_under_load_loses_and_doubles_nothing() {
    let dir = TempDir::new();
    let settings = settings(&[]);
    let mut local = Local::start(dir.path(), &settings).await;
    let ledger = ledger();
    let mut player = Player::new(&local.push, Arc::clone(&ledger));
    send_usual(&mut player);
    for round in 1..=3 {
        ledger.until("messages are acked", async || ledger.acked(WELL) >= 100 * round && ledger.acked(REJECTED) >= round).await;
        ledger.until("deliveries are under way", async || local.metric("pixel_pipeline_in_flight").await >= 1.0).await;
        local.signal("KILL");
        local.wait().await;
        local = Local::start(dir.path(), &settings).await;
        // Before anything is delivered again, which would make up for what is lost.
        ledger.check_stored(&stored(&local).await);
        player.redirect(&local.push);
    }
    finish(player, &local).await;
}

/// `local` with a data directory on a disk of its own, which only the process sees.
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

/// Writes until there is no space left.
fn fill(file: &Path) {
    let mut ballast = std::fs::File::create(file).unwrap();
    let full = std::iter::repeat_with(|| ballast.write_all(&[0; 4096])).find_map(Result::err).unwrap();
    assert_eq!(full.kind(), std::io::ErrorKind::StorageFull);
}

#[tokio::test]
async fn a_full_disk_in_the_local_mode_loses_nothing_and_is_recovered_from() {
    let dir = TempDir::new();
    let mut probe = Command::new("unshare");
    probe.args(["--user", "--map-root-user", "--mount", "mount", "-t", "tmpfs", "tmpfs"]).arg(dir.path());
    if !probe.stderr(Stdio::null()).status().await.is_ok_and(|status| status.success()) {
        return skipped(
            "a_full_disk_in_the_local_mode_loses_nothing_and_is_recovered_from",
            "the right to mount a disk (unshare, user namespaces)",
        );
    }
    let local = Local::spawn(on_a_small_disk(dir.path())).await;
    let ledger = ledger();
    let mut player = Player::new(&local.push, Arc::clone(&ledger));
    send_usual(&mut player);
    ledger.until("messages are acked", async || ledger.acked(WELL) >= 100).await;
    let disk = format!("/proc/{}/root/{}", local.pid(), dir.path().display());
    let ballast = Path::new(&disk).join("ballast");
    fill(&ballast);
    ledger.until("messages are nacked", async || ledger.nacked(WELL) >= 3 && ledger.nacked(REJECTED) >= 1).await;
    std::fs::remove_file(&ballast).unwrap();
    let acked = ledger.acked(WELL);
    ledger.until("rows are stored again", async || ledger.acked(WELL) >= acked + 100).await;
    finish(player, &local).await;
    let (status, log) = local.end("TERM").await;
    assert_eq!(status.code(), Some(0), "{log}");
    assert!(log.contains("database or disk is full"), "the fault happened: {log}");
}
