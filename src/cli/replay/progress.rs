//! Progress on standard error: a bar on a terminal, a line every ten seconds elsewhere.

use std::io::IsTerminal as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::cli::output::note;

/// Interval of the lines without a terminal.
const LINE_INTERVAL: Duration = Duration::from_secs(10);
/// Maximum lines about single entries. Further entries are only counted.
const MAX_ENTRY_LINES: u64 = 20;

/// How much of its input a source has read, in bytes or rows.
#[derive(Debug, Clone)]
pub(crate) struct ReadProgress {
    done: Arc<AtomicU64>,
    /// `None` if the source cannot know it.
    total: Option<u64>,
}

impl ReadProgress {
    pub(crate) fn new(total: Option<u64>) -> Self {
        Self { done: Arc::default(), total }
    }

    pub(crate) fn add(&self, amount: u64) {
        self.done.fetch_add(amount, Ordering::Relaxed);
    }
}

/// Shows the progress of a run, and messages about single entries.
pub(crate) struct Progress {
    read: ReadProgress,
    started: Instant,
    last_line: Instant,
    bar: Option<ProgressBar>,
    entry_lines: u64,
}

impl Progress {
    pub(crate) fn new(read: ReadProgress) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| bar(read.total));
        let now = Instant::now();
        Self { read, started: now, last_line: now, bar, entry_lines: 0 }
    }

    /// `entries` is the number of completed entries.
    pub(crate) fn update(&mut self, entries: u64) {
        let rate = entries as f64 / self.started.elapsed().as_secs_f64().max(0.001);
        let done = self.read.done.load(Ordering::Relaxed);
        let message = format!("{entries} entries, {rate:.0}/s");
        if let Some(bar) = &self.bar {
            bar.set_position(done);
            bar.set_message(message);
            bar.tick();
        } else if self.last_line.elapsed() >= LINE_INTERVAL {
            self.last_line = Instant::now();
            note(format_args!("{message}{}", self.time_left(done).unwrap_or_default()));
        }
    }

    pub(crate) fn print(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| note(text)),
            None => note(text),
        }
    }

    /// Prints a line about one entry. After [`MAX_ENTRY_LINES`] lines, only counts it.
    pub(crate) fn print_entry(&mut self, text: &str) {
        self.entry_lines += 1;
        if self.entry_lines <= MAX_ENTRY_LINES {
            self.print(text);
        }
    }

    pub(crate) fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
        if self.entry_lines > MAX_ENTRY_LINES {
            note(format_args!("and {} more entries", self.entry_lines - MAX_ENTRY_LINES));
        }
    }

    fn time_left(&self, done: u64) -> Option<String> {
        let share = done as f64 / self.read.total.filter(|total| *total > 0)? as f64;
        let left = self.started.elapsed().as_secs_f64() * (1.0 / share - 1.0);
        (share > 0.0).then(|| format!(", {:.0} %, about {left:.0} s left", share * 100.0))
    }
}

fn bar(total: Option<u64>) -> ProgressBar {
    let (bar, template) = match total {
        Some(total) => (ProgressBar::new(total), "{bar:30} {percent:>3} %  {msg}  {eta} left"),
        None => (ProgressBar::no_length(), "{spinner} {msg}  {elapsed}"),
    };
    bar.set_draw_target(ProgressDrawTarget::stderr());
    bar.with_style(ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()))
}
