//! The loop of a replay, for any source: takes entries, keeps up to `concurrency` of them in progress, and reports the
//! outcome of each to the source, the summary and the progress display.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::task::AbortOnDropHandle;

use super::error::ReplayError;
use super::outcome::{EntryOutcome, SkipReason};
use super::process::ReplayContext;
use super::progress::Progress;
use super::source::{Entry as _, Source, SourceEvent};
use super::summary::ReplaySummary;
use crate::ack::Outcome;
use crate::cli::printable;
use crate::sink::template::Mismatch;

/// How often the checkpoint is written and the progress display is updated.
const SAVE_INTERVAL: Duration = Duration::from_millis(500);
/// Maximum time for entries in progress after a signal. Cloud Run kills a task after 10 s.
pub(crate) const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(9);

/// One run over one source.
pub(crate) struct Runner<S: Source> {
    source: S,
    concurrency: usize,
    in_progress: JoinSet<(S::Entry, EntryOutcome)>,
    summary: ReplaySummary,
    progress: Progress,
}

impl<S: Source> Runner<S> {
    pub(crate) fn new(source: S, concurrency: usize) -> Self {
        let progress = Progress::new(source.read_progress());
        Self { source, concurrency, in_progress: JoinSet::new(), summary: ReplaySummary::default(), progress }
    }

    /// Processes all entries, or until `signal`. The watcher of the template table ends only if the settings cannot work.
    pub(crate) async fn run(
        mut self,
        context: ReplayContext,
        signal: impl Future<Output = ()>,
        mut watcher: Option<AbortOnDropHandle<Mismatch>>,
    ) -> Result<ReplaySummary, ReplayError> {
        let started = Instant::now();
        let context = Arc::new(context);
        let (mut is_reading, mut deadline) = (true, None);
        let mut ticker = tokio::time::interval(SAVE_INTERVAL);
        ticker.set_missed_tick_behavior(MissedTickBehavior::Delay);
        tokio::pin!(signal);
        while is_reading || !self.in_progress.is_empty() {
            let has_room = self.in_progress.len() < self.concurrency;
            tokio::select! {
                () = &mut signal, if deadline.is_none() => {
                    self.progress.print(&format!("shutting down: waiting up to {} s for entries in progress", SHUTDOWN_TIMEOUT.as_secs()));
                    deadline = Some(Instant::now() + SHUTDOWN_TIMEOUT);
                    is_reading = false;
                    self.source.stop();
                    context.shutdown.cancel();
                }
                () = sleep_until(deadline) => break,
                Some(completed) = self.in_progress.join_next() => self.complete(completed),
                event = self.source.next(), if is_reading && has_room => match event {
                    Some(event) => self.handle(event, &context),
                    None => is_reading = false,
                },
                _ = ticker.tick() => {
                    self.source.save().map_err(ReplayError::SaveCheckpoint)?;
                    self.progress.update(self.summary.entries());
                }
                error = watcher_error(&mut watcher) => return Err(error),
            }
        }
        if let Some(watcher) = watcher {
            // Until it has ended: it would report that the runtime ends during its request.
            watcher.abort();
            let _ = watcher.await;
        }
        self.finish(started, deadline.is_some()).await
    }

    fn handle(&mut self, event: SourceEvent<S::Entry>, context: &Arc<ReplayContext>) {
        match event {
            SourceEvent::Entry(entry) => {
                let context = Arc::clone(context);
                self.in_progress.spawn(async move {
                    let outcome = context.process(&entry.message()).await;
                    (entry, outcome)
                });
            }
            SourceEvent::Broken { place, reason, detail } => {
                self.summary.record_broken(reason);
                self.progress.print_entry(&printable(&format!("error: cannot read {place}: {detail} ({reason})")));
            }
            SourceEvent::Error(message) => self.error(message),
        }
    }

    fn complete(&mut self, completed: Result<(S::Entry, EntryOutcome), JoinError>) {
        let (entry, outcome) = match completed {
            Ok(completed) => completed,
            // A panic, and the entry is lost with it. The checkpoint stays before the entry.
            Err(error) => return self.error(format!("cannot process an entry: {error}")),
        };
        self.summary.record(outcome);
        match outcome {
            EntryOutcome::Processed(Outcome::DeadLetter(reason)) => {
                self.progress.print_entry(&printable(&format!("{entry}: dead letter ({})", reason.as_str())));
            }
            EntryOutcome::Failed(outcome) => {
                self.progress.print_entry(&printable(&format!("error: cannot store {entry}: {}", outcome.reason())));
            }
            EntryOutcome::Skipped(SkipReason::NoTimestamp) => {
                self.progress.print_entry(&printable(&format!(
                    "error: cannot compare {entry} with --since and --until: it has no readable timestamp"
                )));
            }
            EntryOutcome::Processed(_) | EntryOutcome::Skipped(SkipReason::OutsidePeriod) => {}
        }
        self.source.complete(entry, outcome);
    }

    fn error(&mut self, message: String) {
        self.progress.print(&format!("error: {}", printable(&message)));
        self.summary.errors.push(message);
    }

    async fn finish(mut self, started: Instant, is_interrupted: bool) -> Result<ReplaySummary, ReplayError> {
        self.summary.record_failed("interrupted", self.in_progress.len() as u64);
        self.in_progress.shutdown().await;
        self.source.save().map_err(ReplayError::SaveCheckpoint)?;
        let closed = self.source.close().await;
        for message in closed.errors {
            self.error(message);
        }
        self.progress.finish();
        self.summary.deleted = closed.deleted;
        self.summary.if_empty = self.source.if_empty();
        self.summary.duration = started.elapsed();
        self.summary.is_interrupted = is_interrupted;
        Ok(self.summary)
    }
}

/// Waits forever without a deadline.
async fn sleep_until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}

/// Waits forever without a watcher.
async fn watcher_error(watcher: &mut Option<AbortOnDropHandle<Mismatch>>) -> ReplayError {
    match watcher {
        Some(watcher) => watcher.await.map_or(ReplayError::WatcherEnded, ReplayError::from),
        None => std::future::pending().await,
    }
}
