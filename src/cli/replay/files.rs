//! Files, standard input and objects, one after the other, line by line.
//!
//! A thread reads, for files and gzip know nothing of async. It is not joined: standard input may never end, and a
//! runtime's own threads would be waited for.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::mpsc;

use super::archive::Archive;
use super::checkpoint::{Checkpoint, CheckpointError, Identity};
use super::entry::{Entry, Origin, Payload};
use super::feed::{AHEAD, Event, Feed, Reach, Source};
use super::lines::{Line, Lines, Offset};
use super::shard::{self, Shard};
use crate::google::storage::Object;

/// Something to read lines from.
#[derive(Debug)]
pub(crate) enum Input {
    Stdin,
    File(PathBuf),
    Object(Object),
}

/// Why an argument is no input.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BadInput {
    #[error("{pattern:?} is not a pattern: {error}")]
    Pattern { pattern: String, error: glob::PatternError },
    #[error("{0:?} matches no file")]
    NoMatch(String),
    #[error("cannot read {}: {error}", path.display())]
    File { path: PathBuf, error: io::Error },
}

/// The files that an argument stands for: the one of that name, else those that match, in order.
pub(crate) fn matching(argument: &str) -> Result<Vec<Input>, BadInput> {
    if argument == "-" {
        return Ok(vec![Input::Stdin]);
    }
    // A name with a `[` in it is a name first.
    if Path::new(argument).exists() || !argument.contains(['*', '?', '[']) {
        return Ok(vec![Input::File(argument.into())]);
    }
    let paths = glob::glob(argument).map_err(|error| BadInput::Pattern { pattern: argument.to_owned(), error })?;
    let files: Vec<Input> = paths
        .map(|path| path.map(Input::File).map_err(|error| BadInput::File { path: error.path().to_owned(), error: error.into() }))
        .collect::<Result<_, _>>()?;
    if files.is_empty() { Err(BadInput::NoMatch(argument.to_owned())) } else { Ok(files) }
}

impl Input {
    /// What it is now, and how long.
    fn source(&self) -> Result<(Source, Option<u64>), BadInput> {
        let source = |name, identity| Source { name, identity, start: Offset::default() };
        match self {
            Self::Stdin => Ok((source("-".to_owned(), None), None)),
            Self::File(path) => {
                let failed = |error| BadInput::File { path: path.clone(), error };
                let whole = path.canonicalize().map_err(failed)?;
                let is_plain = whole.metadata().map_err(failed)?.is_file();
                // A pipe has neither length nor a second reading.
                let identity = if is_plain { Some(Identity::of_file(&whole).map_err(failed)?) } else { None };
                if whole.is_dir() {
                    return Err(failed(io::ErrorKind::IsADirectory.into()));
                }
                let length = if let Some(Identity::File { size, .. }) = &identity { Some(*size) } else { None };
                Ok((source(whole.display().to_string(), identity), length))
            }
            Self::Object(object) => {
                let identity = Identity::Object { generation: object.generation.clone() };
                Ok((source(object.name(), Some(identity)), Some(object.size)))
            }
        }
    }

    fn open(&self, archive: Option<&Arc<Archive>>, runtime: &tokio::runtime::Handle) -> io::Result<Box<dyn Read>> {
        match (self, archive) {
            (Self::Stdin, _) => Ok(Box::new(io::stdin().lock())),
            (Self::File(path), _) => Ok(Box::new(File::open(path)?)),
            (Self::Object(object), Some(archive)) => Ok(Box::new(archive.open(object, runtime))),
            (Self::Object(_), None) => Err(io::ErrorKind::NotFound.into()),
        }
    }
}

/// Begins to read.
pub(crate) fn feed(
    inputs: Vec<Input>,
    archive: Option<Arc<Archive>>,
    shard: Shard,
    checkpoint: Option<&Checkpoint>,
) -> Result<Feed, FeedError> {
    let (mut work, mut sources, mut total) = (Vec::new(), Vec::<Source>::new(), Some(0));
    for input in inputs {
        let (mut source, length) = input.source()?;
        // Two patterns may match one file.
        if sources.iter().any(|other| other.name == source.name) {
            continue;
        }
        total = total.zip(length).map(|(total, length)| total + length);
        if let Some(checkpoint) = checkpoint {
            source.start = checkpoint.start(&source)?;
        }
        sources.push(source);
        work.push(input);
    }
    let (events, receiver) = mpsc::channel(AHEAD);
    let reach = Reach::of(total);
    let reader = Reader { archive, shard, events, read: Arc::clone(&reach.done), runtime: tokio::runtime::Handle::current() };
    let starts: Vec<Source> = sources.clone();
    std::thread::spawn(move || reader.read_all(&work, &starts));
    Ok(Feed { events: receiver, sources, reach, closing: Box::pin(std::future::ready(())) })
}

/// Why nothing can be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FeedError {
    #[error(transparent)]
    Input(#[from] BadInput),
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
}

/// Nobody wants any more.
struct Enough;

struct Reader {
    archive: Option<Arc<Archive>>,
    shard: Shard,
    events: mpsc::Sender<Event>,
    read: Arc<AtomicU64>,
    runtime: tokio::runtime::Handle,
}

impl Reader {
    fn read_all(&self, inputs: &[Input], sources: &[Source]) {
        for (index, (input, source)) in inputs.iter().zip(sources).enumerate() {
            if self.read_one(index, input, source).is_err() {
                return;
            }
        }
    }

    fn read_one(&self, index: usize, input: &Input, source: &Source) -> Result<(), Enough> {
        let broken = |at: Offset, error: &io::Error| Event::Broken { what: format!("{}, after line {}: {error}", source.name, at.lines) };
        let raw = match input.open(self.archive.as_ref(), &self.runtime) {
            Ok(raw) => Counted { raw, read: Arc::clone(&self.read) },
            Err(error) => return self.send(broken(source.start, &error)),
        };
        let mut lines = match Lines::new(raw, source.start) {
            Ok(lines) => lines,
            Err(error) => return self.send(broken(source.start, &error)),
        };
        // An object is one task's as a whole.
        let seed = shard::seed(&source.name);
        let is_ours = |line: u64| matches!(input, Input::Object(_)) || self.shard.has_line(seed, line);
        loop {
            let line = lines.next_line();
            let (end, resume) = (lines.offset(), lines.resume());
            match line {
                Ok(None) => return self.send(Event::End { source: index, resume }),
                Err(error) => return self.send(broken(end, &error)),
                Ok(Some(Line::Text(text))) if text.is_empty() => {}
                Ok(Some(_)) if !is_ours(end.lines) => {}
                Ok(Some(Line::Text(text))) => {
                    let origin = Origin::Line { source: index, line: end.lines, resume };
                    self.send(Event::Entry(Entry { payload: Payload::Line(text), origin }))?;
                }
                Ok(Some(Line::TooLong)) => self.send(Event::Unreadable { source: index, line: end.lines, problem: "too_long" })?,
            }
        }
    }

    fn send(&self, event: Event) -> Result<(), Enough> {
        self.events.blocking_send(event).map_err(|_| Enough)
    }
}

/// Counts the bytes that pass, as they are stored.
struct Counted<R> {
    raw: R,
    read: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.raw.read(buffer)?;
        self.read.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}
