//! The rows of one table, and when they may be sent.
//!
//! | event | open | paused | probing |
//! |---|---|---|---|
//! | a row comes | lingers, or is sent at once if no insert is in flight | waits for the end of the pause; unavailable if its deadline comes first | waits for the answer to the probe |
//! | rows lingered long enough, or fill a batch | sends them | | |
//! | the pause ends | | probing, and sends one batch: the probe | |
//! | an insert stores or refuses a row | | | the probe's: open |
//! | an insert fails, or a row has to be repeated, and none of its table has stored a row since it began | paused, for the first time of the backoff | stays; its rows wait, too | the probe's: paused for longer; another's: its rows wait, too |
//! | the same, but one has stored a row | stays; its rows alone wait for their backoff | | |
//! | an answer has a Retry-After | paused until then | paused until then, if that is later | paused until then |
//! | an insert fails for longer than any delivery | stays | stays | the probe's: sends the next probe |
//! | the probe has no answer for a second | | | open |
//!
//! A backoff that no row waits for, because the deadlines of all come first, is skipped: the next row is the probe.
//!
//! A table starts open. It is forgotten when it has neither rows nor inserts and is not paused. An insert that began before
//! the last pause says nothing about the table since then: it only adds its rows and its Retry-After.

use std::collections::VecDeque;
use std::time::Duration;

use backon::{BackoffBuilder as _, ExponentialBackoff, ExponentialBuilder};
use tokio::time::Instant;

use super::linger::linger;
use super::pending::{Pending, Submitter};
use super::{Limits, RowOutcome};
use crate::sink::{ErrorClass, InsertRow, RowResult};

/// Pauses after attempts that stored nothing: at least half of 100 ms, doubled with each failure up to 2 s. The other
/// half is random, so that instances which failed together do not retry together.
const BACKOFF: ExponentialBuilder = ExponentialBuilder::new()
    .with_min_delay(Duration::from_millis(50))
    .with_max_delay(Duration::from_secs(1))
    .with_jitter()
    .without_max_times();
const NO_MAX_TIMES: &str = "BACKOFF has no maximum number of attempts";
/// A probe without an answer for so long no longer keeps the other rows waiting.
const PROBE_TIMEOUT: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(super) struct Table {
    waiting: VecDeque<Pending>,
    waiting_bytes: usize,
    /// When the first of the waiting rows came.
    waiting_since: Instant,
    /// Rows of inserts that failed while the table works, with the ends of their backoffs.
    delayed: Vec<(Instant, Vec<Pending>)>,
    /// Inserts without an answer.
    in_flight: usize,
    /// When the last answer came, or the first insert began.
    last_answer: Instant,
    /// When the last answer came that stored or refused a row.
    last_progress: Option<Instant>,
    state: State,
    /// The number of pauses so far.
    pauses: u64,
    /// Present after an attempt that stored nothing.
    backoff: Option<ExponentialBackoff>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Open,
    /// Until the end of a backoff or of BigQuery's Retry-After, also without rows.
    Paused {
        until: Instant,
        class: ErrorClass,
    },
    /// One insert tells whether the table works again.
    Probing {
        sent_at: Option<Instant>,
    },
}

/// The rows of one insert.
#[derive(Debug)]
pub(super) struct Batch {
    pub(super) rows: Vec<InsertRow>,
    pub(super) submitters: Vec<Submitter>,
    began_at: Instant,
    /// Of its table, when the insert began.
    pauses: u64,
}

/// What a table waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// A free insert.
    Insert,
    Time(Instant),
    /// A row or an answer.
    Event,
    /// Nothing: it can be forgotten.
    Nothing,
}

impl Table {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            waiting: VecDeque::new(),
            waiting_bytes: 0,
            waiting_since: now,
            delayed: Vec::new(),
            in_flight: 0,
            last_answer: now,
            last_progress: None,
            state: State::Open,
            pauses: 0,
            backoff: None,
        }
    }

    pub(super) fn in_flight(&self) -> usize {
        self.in_flight
    }

    /// Adds a row that has come.
    pub(super) fn add(&mut self, pending: Pending, now: Instant) {
        self.advance(now);
        if let State::Paused { until, class } = self.state
            && pending.submitter.deadline <= until
        {
            return pending.resolve(RowOutcome::NotStored(class));
        }
        if self.waiting.is_empty() {
            self.waiting_since = now;
        }
        self.waiting_bytes += pending.bytes();
        self.waiting.push_back(pending);
    }

    pub(super) fn next(&mut self, now: Instant, limits: &Limits) -> Next {
        self.advance(now);
        match self.state {
            State::Paused { until, .. } => Next::Time(until),
            _ if self.waiting.is_empty() => match self.delayed.iter().map(|(until, _)| *until).min() {
                Some(until) => Next::Time(until),
                None if self.in_flight == 0 => Next::Nothing,
                None => Next::Event,
            },
            State::Probing { sent_at: Some(sent_at) } => Next::Time(sent_at + PROBE_TIMEOUT),
            State::Probing { sent_at: None } => Next::Insert,
            State::Open => match self.due(limits) {
                due if due <= now => Next::Insert,
                due => Next::Time(due),
            },
        }
    }

    /// Takes the next batch. Rows whose submitter has stopped waiting are dropped: Pub/Sub delivers them again. `None` if no
    /// others are left.
    pub(super) fn take_batch(&mut self, now: Instant, limits: &Limits) -> Option<Batch> {
        let mut batch = Batch { rows: Vec::new(), submitters: Vec::new(), began_at: now, pauses: self.pauses };
        let mut bytes = 0;
        while batch.rows.len() < limits.rows
            && let Some(pending) = self.waiting.pop_front()
        {
            let size = pending.bytes();
            if !pending.submitter.is_gone() {
                let is_separate =
                    batch.submitters.first().is_some_and(|first| first.is_not_attempted != pending.submitter.is_not_attempted);
                if is_separate || !batch.rows.is_empty() && bytes + size > limits.bytes {
                    self.waiting.push_front(pending);
                    break;
                }
                bytes += size;
                batch.rows.push(pending.row);
                batch.submitters.push(pending.submitter);
            }
            self.waiting_bytes -= size;
        }
        if batch.rows.is_empty() {
            return None;
        }
        if self.in_flight == 0 {
            self.last_answer = now;
        }
        self.in_flight += 1;
        if let State::Probing { sent_at } = &mut self.state {
            *sent_at = Some(now);
        }
        Some(batch)
    }

    /// Resolves the rows of an insert or puts them back, and decides when the table may send again.
    pub(super) fn finish(&mut self, batch: Batch, results: Vec<RowResult>, now: Instant) {
        self.advance(now);
        self.in_flight -= 1;
        self.last_answer = now;
        let is_current = batch.pauses == self.pauses;
        let has_progress = results.iter().any(|result| matches!(result, RowResult::Stored | RowResult::Refused(_)));
        let needs_pause = |result: &RowResult| match result {
            RowResult::Retry { .. } => true,
            // No row was refused, so the next request may end the same way: pause to avoid a busy loop.
            RowResult::NotAttempted => !has_progress,
            RowResult::Stored | RowResult::Refused(_) | RowResult::Unavailable(_) => false,
        };
        let has_failure = results.iter().any(needs_pause);
        if has_progress {
            self.last_progress = Some(now);
        }
        let mut backoff = Duration::ZERO;
        if is_current {
            if has_progress {
                self.backoff = None;
                self.state = State::Open;
            } else if let State::Probing { sent_at } = &mut self.state {
                *sent_at = None;
            }
        }
        let works = self.state == State::Open && self.last_progress.is_some_and(|at| at >= batch.began_at);
        if has_failure && is_current && !works {
            backoff = self.backoff.get_or_insert_with(|| BACKOFF.build()).next().expect(NO_MAX_TIMES);
        }
        let mut class = ErrorClass::Unavailable;
        let mut retry_after = Duration::ZERO;
        let mut repeated = Vec::new();
        for ((row, mut submitter), result) in batch.rows.into_iter().zip(batch.submitters).zip(results) {
            submitter.is_not_attempted = result == RowResult::NotAttempted;
            submitter.failures += u32::from(has_failure);
            match result {
                RowResult::Stored => submitter.resolve(RowOutcome::Stored),
                RowResult::Refused(refusal) => submitter.resolve(RowOutcome::Refused(refusal)),
                RowResult::Unavailable(class) => submitter.resolve(RowOutcome::NotStored(class)),
                RowResult::NotAttempted => repeated.push(Pending { row, submitter }),
                RowResult::Retry { class: cause, after } => {
                    retry_after = retry_after.max(after);
                    class = cause;
                    repeated.push(Pending { row, submitter });
                }
            }
        }
        if has_failure && works && retry_after.is_zero() {
            return self.delay(repeated, class, now);
        }
        self.put_back(repeated, now);
        let pause = backoff.max(retry_after);
        if !pause.is_zero() {
            self.pause(now + pause, class);
        }
        if let State::Paused { until, class } = self.state {
            self.resolve_late(until, class);
        }
        // No row waits for the backoff, so the next row is the probe.
        if is_current && self.waiting.is_empty() && retry_after < backoff {
            self.state = match retry_after {
                Duration::ZERO => State::Probing { sent_at: None },
                _ => State::Paused { until: now + retry_after, class },
            };
        }
    }

    /// Forgets everything but rows and inserts: no row will be added any more.
    pub(super) fn close(&mut self) {
        if self.waiting.is_empty() && self.delayed.is_empty() {
            self.state = State::Open;
        }
    }

    /// Lets time pass.
    fn advance(&mut self, now: Instant) {
        while let Some(index) = self.delayed.iter().position(|(until, _)| *until <= now) {
            let (_, rows) = self.delayed.swap_remove(index);
            self.put_back(rows, now);
        }
        match self.state {
            State::Paused { until, .. } if until <= now => self.state = State::Probing { sent_at: None },
            State::Probing { sent_at: Some(sent_at) } if sent_at + PROBE_TIMEOUT <= now => self.state = State::Open,
            State::Open | State::Paused { .. } | State::Probing { .. } => {}
        }
    }

    /// When the waiting rows are to be sent.
    fn due(&self, limits: &Limits) -> Instant {
        let is_full = self.waiting.len() >= limits.rows || self.waiting_bytes >= limits.bytes;
        let is_repeated = self.waiting.front().is_some_and(|first| first.submitter.is_not_attempted);
        if is_full || is_repeated {
            return self.waiting_since;
        }
        let silence = self.waiting_since.saturating_duration_since(self.last_answer);
        self.waiting_since + linger(limits.linger, self.in_flight, silence)
    }

    fn pause(&mut self, until: Instant, class: ErrorClass) {
        let until = match self.state {
            State::Paused { until: other, .. } if other >= until => return,
            _ => until,
        };
        self.state = State::Paused { until, class };
        self.pauses += 1;
    }

    fn put_back(&mut self, rows: Vec<Pending>, now: Instant) {
        if self.waiting.is_empty() {
            self.waiting_since = now;
        }
        for pending in rows.into_iter().rev() {
            self.waiting_bytes += pending.bytes();
            self.waiting.push_front(pending);
        }
    }

    /// Keeps the rows of a failed insert for their own backoff, while the table goes on.
    fn delay(&mut self, rows: Vec<Pending>, class: ErrorClass, now: Instant) {
        let failures = rows.iter().map(|pending| pending.submitter.failures).max().unwrap_or_default();
        let backoff = BACKOFF.build().nth(failures.saturating_sub(1) as usize).expect(NO_MAX_TIMES);
        let until = now + backoff;
        let rows: Vec<_> = without_late(rows, until, class);
        if !rows.is_empty() {
            self.delayed.push((until, rows));
        }
    }

    fn resolve_late(&mut self, next_attempt: Instant, class: ErrorClass) {
        self.waiting = without_late(std::mem::take(&mut self.waiting), next_attempt, class);
        self.waiting_bytes = self.waiting.iter().map(Pending::bytes).sum();
    }
}

/// Resolves rows whose deadline comes no later than the next attempt, and returns the others. Waiting for it would only keep
/// Pub/Sub from trying another instance.
fn without_late<R>(rows: R, next_attempt: Instant, class: ErrorClass) -> R
where
    R: IntoIterator<Item = Pending> + Default + Extend<Pending>,
{
    let (late, rows): (R, R) = rows.into_iter().partition(|pending| pending.submitter.deadline <= next_attempt);
    for pending in late {
        pending.resolve(RowOutcome::NotStored(class));
    }
    rows
}

#[cfg(test)]
mod tests;
