//! How far it is, while it runs: a bar on a terminal, a line now and then elsewhere. On standard error.

use std::io::IsTerminal as _;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::feed::Reach;

/// Between two lines where there is no terminal.
const EVERY: Duration = Duration::from_secs(10);

/// Shows it.
pub(crate) struct Progress {
    reach: Reach,
    started: Instant,
    said: Instant,
    bar: Option<ProgressBar>,
}

impl Progress {
    pub(crate) fn new(reach: Reach) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| bar(reach.total));
        let now = Instant::now();
        Self { reach, started: now, said: now, bar }
    }

    /// So many entries have come to an end.
    pub(crate) fn show(&mut self, entries: u64) {
        let rate = entries as f64 / self.started.elapsed().as_secs_f64().max(0.001);
        let done = self.reach.done.load(Ordering::Relaxed);
        let message = format!("{entries} entries, {rate:.0}/s");
        if let Some(bar) = &self.bar {
            bar.set_position(done);
            bar.set_message(message);
            bar.tick();
        } else if self.said.elapsed() >= EVERY {
            self.said = Instant::now();
            eprintln!("{message}{}", self.left(done).unwrap_or_default());
        }
    }

    /// Says something about one entry.
    pub(crate) fn say(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| eprintln!("{text}")),
            None => eprintln!("{text}"),
        }
    }

    pub(crate) fn end(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    fn left(&self, done: u64) -> Option<String> {
        let share = done as f64 / self.reach.total.filter(|total| *total > 0)? as f64;
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
