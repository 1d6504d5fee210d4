//! Entries from documents: inputs are read in order, and a checkpoint records the position.
//!
//! A document that has no log entry of a request is reported and not processed: the input still has it, so a dead letter
//! would only be a copy. The checkpoint stays before it.
//!
//! A thread reads, because files and gzip block. It is not a blocking task of the runtime, which would wait for it at the
//! end: standard input may never end.

use std::fmt;
use std::io::{self, Read};
use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use super::input::Input;
use super::{CHANNEL_CAPACITY, Entry, Source, SourceEvent};
use crate::cli::documents::message::{self, Message, Unusable};
use crate::cli::documents::{BrokenReason, Document, Documents, MAX_DOCUMENT_BYTES, OpenError, Place, Position};
use crate::cli::replay::checkpoint::{Checkpoint, CheckpointError};
use crate::cli::replay::identity::Identity;
use crate::cli::replay::offset_tracker::OffsetTracker;
use crate::cli::replay::outcome::EntryOutcome;
use crate::cli::replay::progress::ReadProgress;
use crate::cli::replay::shard::{self, Shard};
use crate::decode::{PubsubMessage, RejectReason};

/// Maximum KiB of entries that are read and not complete. A larger entry is alone.
const MAX_IN_PROGRESS_KIB: u32 = 64 << 10;

/// A log entry, or the message that contains it.
#[derive(Debug)]
pub(crate) struct DocumentEntry {
    message: Message,
    place: Place,
    input_name: Arc<str>,
    /// Position among the inputs.
    input: usize,
    /// The number that the input's [`OffsetTracker`] gave it.
    sequence: u64,
    _memory: OwnedSemaphorePermit,
}

impl Entry for DocumentEntry {
    fn message(&self) -> PubsubMessage<'_> {
        self.message.as_pubsub()
    }
}

impl fmt::Display for DocumentEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.input_name, self.place)
    }
}

/// The documents of several inputs.
pub(crate) struct DocumentSource {
    events: mpsc::Receiver<ReadEvent>,
    inputs: Vec<TrackedInput>,
    checkpoint: Option<Checkpoint>,
    is_continued: bool,
    progress: ReadProgress,
}

struct TrackedInput {
    name: Arc<str>,
    identity: Option<Identity>,
    offsets: OffsetTracker,
    /// Entries that were read, and those that cannot be read.
    entries: u64,
    broken: u64,
}

/// The events of the thread. `input` is a position among the inputs.
enum ReadEvent {
    Message { input: usize, message: Message, place: Place, resume: Position, memory: OwnedSemaphorePermit },
    Broken { input: usize, place: Place, unusable: Broken },
    End { input: usize, resume: Position },
    Error(String),
}

/// Why an entry is not processed.
#[derive(Debug)]
struct Broken {
    reason: &'static str,
    detail: String,
}

impl DocumentSource {
    /// Starts to read at the position in the checkpoint.
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
            tracked.push(TrackedInput { name: Arc::clone(&name), identity, offsets: OffsetTracker::new(start), entries: 0, broken: 0 });
            work.push((input, name, start));
        }
        let (events, receiver) = mpsc::channel(CHANNEL_CAPACITY);
        let progress = ReadProgress::new(total);
        let memory = Arc::new(Semaphore::new(MAX_IN_PROGRESS_KIB as usize));
        let reader = Reader { shard, events, memory, progress: progress.clone(), runtime: tokio::runtime::Handle::current() };
        std::thread::spawn(move || reader.read_all(&work));
        let is_continued = checkpoint.as_ref().is_some_and(Checkpoint::has_progress);
        Ok(Self { events: receiver, inputs: tracked, checkpoint, is_continued, progress })
    }
}

impl TrackedInput {
    /// What is wrong with the input as a whole, once it is read.
    fn problem(&self) -> Option<String> {
        let Self { name, entries, broken, .. } = self;
        let noun = if *entries == 1 { "entry" } else { "entries" };
        (*broken > 0).then(|| {
            format!(
                "cannot read {broken} of {entries} {noun} of {name}: nothing of them was stored; correct the file and run the command again"
            )
        })
    }
}

impl Source for DocumentSource {
    type Entry = DocumentEntry;

    fn read_progress(&self) -> ReadProgress {
        self.progress.clone()
    }

    fn if_empty(&self) -> &'static str {
        if self.is_continued { "the checkpoint is at the end of the input" } else { "the input has no entries" }
    }

    async fn next(&mut self) -> Option<SourceEvent<DocumentEntry>> {
        loop {
            return Some(match self.events.recv().await? {
                ReadEvent::Message { input, message, place, resume, memory } => {
                    let TrackedInput { name, offsets, entries, .. } = &mut self.inputs[input];
                    *entries += 1;
                    let sequence = offsets.start(resume);
                    let input_name = Arc::clone(name);
                    SourceEvent::Entry(DocumentEntry { message, place, input_name, input, sequence, _memory: memory })
                }
                ReadEvent::Broken { input, place, unusable: Broken { reason, detail } } => {
                    let TrackedInput { name, offsets, entries, broken, .. } = &mut self.inputs[input];
                    (*entries, *broken) = (*entries + 1, *broken + 1);
                    let sequence = offsets.start(offsets.committed());
                    offsets.fail(sequence);
                    SourceEvent::Broken { place: format!("{name}:{place}"), reason, detail }
                }
                ReadEvent::End { input, resume } => {
                    let input = &mut self.inputs[input];
                    // Entries of other tasks and blanks may follow the last entry.
                    let sequence = input.offsets.start(resume);
                    input.offsets.complete(sequence);
                    match input.problem() {
                        Some(problem) => SourceEvent::Error(problem),
                        None => continue,
                    }
                }
                ReadEvent::Error(message) => SourceEvent::Error(message),
            });
        }
    }

    fn complete(&mut self, entry: DocumentEntry, outcome: EntryOutcome) {
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
    /// A permit for each KiB of entries in progress.
    memory: Arc<Semaphore>,
    progress: ReadProgress,
    runtime: tokio::runtime::Handle,
}

impl Reader {
    fn read_all(&self, inputs: &[(Input, Arc<str>, Position)]) {
        for (index, (input, name, start)) in inputs.iter().enumerate() {
            if self.read_one(index, input, name, *start).is_err() {
                return;
            }
        }
    }

    fn read_one(&self, index: usize, input: &Input, name: &str, start: Position) -> Result<(), Stopped> {
        let raw = input.open(&self.runtime).map_err(OpenError::Read);
        let opened = raw.and_then(|raw| Documents::open(Counted { raw, progress: self.progress.clone() }, start));
        let mut documents = match opened {
            Ok(documents) => documents,
            Err(cause) => return self.send(ReadEvent::Error(format!("cannot read {name}: {}", cause.describe(name)))),
        };
        // One task reads an object as a whole.
        let seed = shard::seed(name);
        let is_ours = |number: u64| matches!(input, Input::Object(..)) || self.shard.has_entry(seed, number);
        loop {
            match documents.next_document() {
                Ok(None) => return self.send(ReadEvent::End { input: index, resume: documents.position() }),
                Err(cause) => {
                    let lines = documents.position().lines;
                    return self.send(ReadEvent::Error(format!("cannot read {name} after line {lines}: {cause}")));
                }
                Ok(Some(document)) if !is_ours(document.end.documents) => {}
                Ok(Some(document)) => self.read_document(index, &document)?,
            }
        }
    }

    /// Sends the messages in a document.
    fn read_document(&self, input: usize, document: &Document) -> Result<(), Stopped> {
        let place = document.place;
        if let Some(reason) = document.broken {
            return self.send(ReadEvent::Broken { input, place, unusable: Broken::of_document(document, reason) });
        }
        let messages = message::messages(&document.text);
        let last = messages.len().saturating_sub(1);
        for (number, message) in messages.into_iter().enumerate() {
            if let Err(unusable) = message.check() {
                self.send(ReadEvent::Broken { input, place, unusable: unusable.into() })?;
                continue;
            }
            // A later run reads the whole document again, unless all of its messages are processed.
            let resume = if number == last { document.end } else { document.start };
            let kib = u32::try_from(message.bytes() / 1024 + 1).unwrap_or(u32::MAX).min(MAX_IN_PROGRESS_KIB);
            let memory = self.runtime.block_on(Arc::clone(&self.memory).acquire_many_owned(kib)).map_err(|_| Stopped)?;
            self.send(ReadEvent::Message { input, message, place, resume, memory })?;
        }
        Ok(())
    }

    fn send(&self, event: ReadEvent) -> Result<(), Stopped> {
        self.events.blocking_send(event).map_err(|_| Stopped)
    }
}

impl Broken {
    fn of_document(document: &Document, reason: BrokenReason) -> Self {
        let bytes = document.end.bytes - document.start.bytes;
        let (reason, detail) = match reason {
            // The message of serde has the place of the error in the text.
            BrokenReason::NotJson => match Message::raw(document.text.clone()).check() {
                Err(Unusable { reason, detail }) => (reason.as_str(), format!("{detail} ({bytes} bytes)")),
                Ok(()) => (RejectReason::BadJson.as_str(), format!("it is not JSON ({bytes} bytes)")),
            },
            BrokenReason::TooLong => ("too_long", format!("it has {bytes} bytes, and the maximum is {MAX_DOCUMENT_BYTES}")),
            BrokenReason::Truncated => ("truncated", "the input ends within it".to_owned()),
            BrokenReason::ArrayNotClosed => ("truncated", "the input ends within an array: elements are missing".to_owned()),
        };
        Self { reason, detail }
    }
}

impl From<Unusable> for Broken {
    fn from(Unusable { reason, detail }: Unusable) -> Self {
        Self { reason: reason.as_str(), detail }
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
