//! Entries from lines: inputs are read in order, and a checkpoint records the offset.
//!
//! A thread reads, because files and gzip block. It is not a blocking task of the runtime, which would wait for it at the
//! end: standard input may never end.

use std::fmt;
use std::io::{self, Read};
use std::sync::Arc;

use tokio::sync::mpsc;

use super::input::Input;
use super::{CHANNEL_CAPACITY, Entry, Source, SourceEvent};
use crate::cli::replay::checkpoint::{Checkpoint, CheckpointError};
use crate::cli::replay::identity::Identity;
use crate::cli::replay::lines::{Line, Lines, Offset};
use crate::cli::replay::offset_tracker::OffsetTracker;
use crate::cli::replay::outcome::EntryOutcome;
use crate::cli::replay::progress::ReadProgress;
use crate::cli::replay::shard::{self, Shard};
use crate::decode::PubsubMessage;
use crate::source::delivery;

/// A log entry, or the body of a push.
#[derive(Debug)]
pub(crate) struct LineEntry {
    text: Vec<u8>,
    line: u64,
    input_name: Arc<str>,
    /// Position among the inputs.
    input: usize,
    /// The number that the input's [`OffsetTracker`] gave it.
    sequence: u64,
}

impl Entry for LineEntry {
    fn message(&self) -> PubsubMessage<'_> {
        delivery::read_line(&self.text)
    }
}

impl fmt::Display for LineEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.input_name, self.line)
    }
}

/// The lines of several inputs.
pub(crate) struct LineSource {
    events: mpsc::Receiver<ReadEvent>,
    inputs: Vec<TrackedInput>,
    checkpoint: Option<Checkpoint>,
    progress: ReadProgress,
}

struct TrackedInput {
    name: Arc<str>,
    identity: Option<Identity>,
    offsets: OffsetTracker,
}

/// The events of the thread. `input` is a position among the inputs.
enum ReadEvent {
    Line { input: usize, line: u64, text: Vec<u8>, resume: Offset },
    TooLong { input: usize, line: u64 },
    End { input: usize, resume: Offset },
    Error(String),
}

impl LineSource {
    /// Starts to read at the offset in the checkpoint.
    pub(crate) fn open(inputs: Vec<Input>, shard: Shard, checkpoint: Option<Checkpoint>) -> Result<Self, CheckpointError> {
        let (mut tracked, mut work, mut total) = (Vec::<TrackedInput>::new(), Vec::new(), Some(0));
        for input in inputs {
            let (name, identity) = (input.name(), input.identity());
            // Two patterns may match one file.
            if tracked.iter().any(|other| *other.name == *name) {
                continue;
            }
            let start = checkpoint.as_ref().map(|checkpoint| checkpoint.start(&name, identity.as_ref())).transpose()?.unwrap_or_default();
            total = total.zip(input.size()).map(|(total, size)| total + size);
            let name: Arc<str> = name.into();
            tracked.push(TrackedInput { name: Arc::clone(&name), identity, offsets: OffsetTracker::new(start) });
            work.push((input, name, start));
        }
        let (events, receiver) = mpsc::channel(CHANNEL_CAPACITY);
        let progress = ReadProgress::new(total);
        let reader = Reader { shard, events, progress: progress.clone(), runtime: tokio::runtime::Handle::current() };
        std::thread::spawn(move || reader.read_all(&work));
        Ok(Self { events: receiver, inputs: tracked, checkpoint, progress })
    }
}

impl Source for LineSource {
    type Entry = LineEntry;

    fn read_progress(&self) -> ReadProgress {
        self.progress.clone()
    }

    async fn next(&mut self) -> Option<SourceEvent<LineEntry>> {
        loop {
            return Some(match self.events.recv().await? {
                ReadEvent::Line { input, line, text, resume } => {
                    let TrackedInput { name, offsets, .. } = &mut self.inputs[input];
                    let sequence = offsets.start(resume);
                    SourceEvent::Entry(LineEntry { text, line, input_name: Arc::clone(name), input, sequence })
                }
                ReadEvent::TooLong { input, line } => {
                    SourceEvent::Unreadable { place: format!("{}:{line}", self.inputs[input].name), reason: "too_long" }
                }
                ReadEvent::End { input, resume } => {
                    // Lines of other tasks and empty lines may follow the last entry.
                    let offsets = &mut self.inputs[input].offsets;
                    let sequence = offsets.start(resume);
                    offsets.complete(sequence);
                    continue;
                }
                ReadEvent::Error(message) => SourceEvent::Error(message),
            });
        }
    }

    fn complete(&mut self, entry: LineEntry, outcome: EntryOutcome) {
        let offsets = &mut self.inputs[entry.input].offsets;
        match outcome {
            EntryOutcome::Processed(_) | EntryOutcome::Skipped(_) => offsets.complete(entry.sequence),
            EntryOutcome::Failed(_) => offsets.fail(entry.sequence),
        }
    }

    fn save(&mut self) -> io::Result<()> {
        let Some(checkpoint) = &mut self.checkpoint else { return Ok(()) };
        let committed = self.inputs.iter().filter_map(|input| Some((&*input.name, input.identity.as_ref()?, input.offsets.committed())));
        checkpoint.save(committed)
    }

    fn stop(&mut self) {
        self.events.close();
    }
}

/// The receiver is closed.
struct Stopped;

struct Reader {
    shard: Shard,
    events: mpsc::Sender<ReadEvent>,
    progress: ReadProgress,
    runtime: tokio::runtime::Handle,
}

impl Reader {
    fn read_all(&self, inputs: &[(Input, Arc<str>, Offset)]) {
        for (index, (input, name, start)) in inputs.iter().enumerate() {
            if self.read_one(index, input, name, *start).is_err() {
                return;
            }
        }
    }

    fn read_one(&self, index: usize, input: &Input, name: &str, start: Offset) -> Result<(), Stopped> {
        let error = |at: Offset, error: &io::Error| ReadEvent::Error(format!("cannot read {name} after line {}: {error}", at.lines));
        let opened = input.open(&self.runtime).and_then(|raw| Lines::new(Counted { raw, progress: self.progress.clone() }, start));
        let mut lines = match opened {
            Ok(lines) => lines,
            Err(cause) => return self.send(error(start, &cause)),
        };
        // One task reads an object as a whole.
        let seed = shard::seed(name);
        let is_ours = |line: u64| matches!(input, Input::Object(..)) || self.shard.has_line(seed, line);
        loop {
            let line = lines.next_line();
            let (end, resume) = (lines.offset(), lines.resume());
            match line {
                Ok(None) => return self.send(ReadEvent::End { input: index, resume }),
                Err(cause) => return self.send(error(end, &cause)),
                Ok(Some(Line::Text(text))) if text.is_empty() => {}
                Ok(Some(_)) if !is_ours(end.lines) => {}
                Ok(Some(Line::Text(text))) => self.send(ReadEvent::Line { input: index, line: end.lines, text, resume })?,
                Ok(Some(Line::TooLong)) => self.send(ReadEvent::TooLong { input: index, line: end.lines })?,
            }
        }
    }

    fn send(&self, event: ReadEvent) -> Result<(), Stopped> {
        self.events.blocking_send(event).map_err(|_| Stopped)
    }
}

/// Counts the bytes that are read, before decompression.
struct Counted<R> {
    raw: R,
    progress: ReadProgress,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.raw.read(buffer)?;
        self.progress.add(count as u64);
        Ok(count)
    }
}
