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

use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};

use super::files::FileError;
use super::input::Input;
use super::{CHANNEL_CAPACITY, Entry, Source, SourceEvent};
use crate::cli::documents::message::{self, Message};
use crate::cli::documents::{Document, Documents, OpenError, Place, Position, Unusable};
use crate::cli::replay::checkpoint::Checkpoint;
use crate::cli::replay::error::ReplayError;
use crate::cli::replay::identity::Identity;
use crate::cli::replay::offset_tracker::OffsetTracker;
use crate::cli::replay::outcome::{EntryOutcome, SkipReason};
use crate::cli::replay::progress::ReadProgress;
use crate::cli::replay::shard::{self, Shard};
use crate::decode::PubsubMessage;

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
    Broken { input: usize, place: Place, unusable: Unusable },
    End { input: usize, resume: Position },
    Error(String),
}

/// An input to be read.
struct ReadTask {
    input: Input,
    name: Arc<str>,
    start: Position,
}

impl DocumentSource {
    /// Starts to read at the position in the checkpoint, once the formats of all streams are known.
    pub(crate) async fn open(inputs: Vec<Input>, shard: Shard, checkpoint: Option<Checkpoint>) -> Result<Self, ReplayError> {
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
            work.push(ReadTask { input, name, start });
        }
        let (events, receiver) = mpsc::channel(CHANNEL_CAPACITY);
        let progress = ReadProgress::new(total);
        let memory = Arc::new(Semaphore::new(MAX_IN_PROGRESS_KIB as usize));
        let reader = Reader { shard, events, memory, progress: progress.clone(), runtime: tokio::runtime::Handle::current() };
        let (checked, is_checked) = oneshot::channel();
        std::thread::spawn(move || reader.run(&work, checked));
        // The thread ends without an answer only by a panic, after which there are no events either.
        is_checked.await.unwrap_or(Ok(()))?;
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
                ReadEvent::Broken { input, place, unusable: Unusable { reason, detail } } => {
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
            EntryOutcome::Processed(_) | EntryOutcome::Skipped(SkipReason::OutsidePeriod) => offsets.complete(entry.sequence),
            EntryOutcome::Skipped(SkipReason::NoTimestamp) | EntryOutcome::Failed(_) => offsets.fail(entry.sequence),
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

type Opened = Result<Documents, OpenError>;

struct Reader {
    shard: Shard,
    events: mpsc::Sender<ReadEvent>,
    /// A permit for each KiB of entries in progress.
    memory: Arc<Semaphore>,
    progress: ReadProgress,
    runtime: tokio::runtime::Handle,
}

impl Reader {
    /// Reads all inputs, unless one of them is refused.
    fn run(&self, tasks: &[ReadTask], checked: oneshot::Sender<Result<(), FileError>>) {
        let streams = match self.check_formats(tasks) {
            Ok(streams) => streams,
            Err(error) => {
                let _ = checked.send(Err(error));
                return;
            }
        };
        if checked.send(Ok(())).is_err() {
            return;
        }
        for (index, (task, stream)) in tasks.iter().zip(streams).enumerate() {
            let opened = stream.unwrap_or_else(|| self.open(task));
            if self.read_one(index, task, opened).is_err() {
                return;
            }
        }
    }

    /// Refuses streams in other formats than JSON, and an archive whose first object is. Files are checked before. Returns
    /// what was opened: a stream cannot be opened again, and the object is read first.
    fn check_formats(&self, tasks: &[ReadTask]) -> Result<Vec<Option<Opened>>, FileError> {
        let mut has_object = false;
        let check = |task: &ReadTask| {
            let is_object = matches!(task.input, Input::Object(..));
            if !task.input.is_stream() && (!is_object || std::mem::replace(&mut has_object, true)) {
                return Ok(None);
            }
            match self.open(task) {
                Err(OpenError::Foreign(format)) => Err(FileError::Format { name: task.name.to_string(), cause: format.describe(None) }),
                opened => Ok(Some(opened)),
            }
        };
        tasks.iter().map(check).collect()
    }

    fn open(&self, ReadTask { input, start, .. }: &ReadTask) -> Opened {
        let raw = input.open(&self.runtime)?;
        Documents::open(Counted { raw, progress: self.progress.clone() }, *start)
    }

    fn read_one(&self, index: usize, ReadTask { input, name, .. }: &ReadTask, opened: Opened) -> Result<(), Stopped> {
        let mut documents = match opened {
            Ok(documents) => documents,
            Err(cause) => return self.send(ReadEvent::Error(format!("cannot read {name}: {}", cause.describe(None)))),
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
            return self.send(ReadEvent::Broken { input, place, unusable: Unusable::of_document(document, reason) });
        }
        let messages = message::messages(&document.text);
        let last = messages.len().saturating_sub(1);
        for (number, message) in messages.into_iter().enumerate() {
            if let Err(unusable) = message.check() {
                self.send(ReadEvent::Broken { input, place, unusable })?;
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
