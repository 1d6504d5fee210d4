//! The file that remembers how far each source is settled.
//!
//! It is replaced as a whole, never changed, so that whoever kills the program finds the last one or the one
//! before. A source is known by its name, and must still be what it was: a file by its first bytes, and at least as
//! long; an object by its generation.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::feed::Source;
use super::lines::Offset;
use super::period::Period;
use super::shard::Shard;

/// First bytes of a file by which it is known.
const HEAD: u64 = 4096;

/// Of the form below.
const VERSION: u32 = 1;

/// What a source is, beside its name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Identity {
    /// `head` is the SHA-256 of the first `head_bytes`.
    File {
        size: u64,
        head_bytes: u64,
        head: String,
    },
    Object {
        generation: String,
    },
}

/// What is in the file.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Record {
    version: u32,
    /// Another part or another time would make the offsets wrong.
    task: String,
    period: String,
    sources: BTreeMap<String, Saved>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Saved {
    identity: Identity,
    /// Of the unpacked text.
    bytes: u64,
    lines: u64,
}

/// A checkpoint that is kept.
#[derive(Debug)]
pub(crate) struct Checkpoint {
    path: PathBuf,
    record: Record,
}

/// Why it is of no use.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CheckpointError {
    #[error("cannot read the checkpoint {}: {error}", path.display())]
    Read { path: PathBuf, error: io::Error },
    #[error("cannot write the checkpoint {}: {error}", path.display())]
    Write { path: PathBuf, error: io::Error },
    #[error("{} is no checkpoint of this program: {error}", path.display())]
    NotOne { path: PathBuf, error: serde_json::Error },
    #[error("the checkpoint {} is of version {was}, and this program writes version {VERSION}: remove it to begin anew", path.display())]
    OtherVersion { path: PathBuf, was: u32 },
    #[error("the checkpoint {} is of task {was}, and this is task {is}: give every run its own", path.display())]
    OtherTask { path: PathBuf, was: String, is: String },
    #[error("the checkpoint {} is of the time {was}, and this run is of {is}: give every run its own", path.display())]
    OtherPeriod { path: PathBuf, was: String, is: String },
    #[error("{source_name} is not what it was when the checkpoint {} was written: remove the checkpoint to begin anew", path.display())]
    Changed { path: PathBuf, source_name: String },
}

impl Identity {
    /// Of a file as it is now.
    pub(crate) fn of_file(path: &Path) -> io::Result<Self> {
        let size = fs::metadata(path)?.len();
        let head_bytes = size.min(HEAD);
        Ok(Self::File { size, head_bytes, head: head(path, head_bytes)? })
    }

    /// Whether what had this identity has `now`, for a file that is at `path`.
    fn has_become(&self, now: &Self, path: &Path) -> bool {
        match (self, now) {
            (Self::File { size: was, head_bytes, head: before }, Self::File { size, .. }) => {
                size >= was && head(path, *head_bytes).is_ok_and(|after| after == *before)
            }
            _ => self == now,
        }
    }
}

fn head(path: &Path, bytes: u64) -> io::Result<String> {
    let mut head = Vec::new();
    File::open(path)?.take(bytes).read_to_end(&mut head)?;
    Ok(Sha256::digest(&head).iter().map(|byte| format!("{byte:02x}")).collect())
}

impl Checkpoint {
    /// The one at `path`, or a new one; every task of many has its own beside it.
    pub(crate) fn open(path: &Path, shard: Shard, period: Period) -> Result<Self, CheckpointError> {
        let mut path = path.to_owned();
        if !shard.is_whole() {
            path.as_mut_os_string().push(format!(".{}-of-{}", shard.index, shard.count));
        }
        let (task, period) = (format!("{} of {}", shard.index, shard.count), period.to_string());
        let record = match fs::read(&path) {
            Ok(json) => serde_json::from_slice(&json).map_err(|error| CheckpointError::NotOne { path: path.clone(), error })?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Record { version: VERSION, task: task.clone(), period: period.clone(), sources: BTreeMap::new() }
            }
            Err(error) => return Err(CheckpointError::Read { path, error }),
        };
        if record.version != VERSION {
            return Err(CheckpointError::OtherVersion { path, was: record.version });
        }
        if record.task != task {
            return Err(CheckpointError::OtherTask { path, was: record.task, is: task });
        }
        if record.period != period {
            return Err(CheckpointError::OtherPeriod { path, was: record.period, is: period });
        }
        let checkpoint = Self { path, record };
        // Rather now than after hours.
        checkpoint.write().map_err(|error| CheckpointError::Write { path: checkpoint.path.clone(), error })?;
        Ok(checkpoint)
    }

    /// Where a source is to be read from.
    pub(crate) fn start(&self, source: &Source) -> Result<Offset, CheckpointError> {
        match (self.record.sources.get(&source.name), &source.identity) {
            (Some(saved), Some(now)) if saved.identity.has_become(now, Path::new(&source.name)) => {
                Ok(Offset { bytes: saved.bytes, lines: saved.lines })
            }
            (Some(_), _) => Err(CheckpointError::Changed { path: self.path.clone(), source_name: source.name.clone() }),
            (None, _) => Ok(Offset::default()),
        }
    }

    /// Notes how far sources are settled, and writes the file if that is news.
    pub(crate) fn save<'s>(&mut self, settled: impl Iterator<Item = (&'s Source, Offset)>) -> io::Result<()> {
        let mut is_news = false;
        for (source, Offset { bytes, lines }) in settled {
            let Some(identity) = &source.identity else { continue };
            let saved = Saved { identity: identity.clone(), bytes, lines };
            if self.record.sources.get(&source.name) != Some(&saved) {
                self.record.sources.insert(source.name.clone(), saved);
                is_news = true;
            }
        }
        if is_news { self.write() } else { Ok(()) }
    }

    fn write(&self) -> io::Result<()> {
        let mut beside = self.path.clone();
        beside.as_mut_os_string().push(".new");
        let mut file = File::create(&beside)?;
        serde_json::to_writer_pretty(&mut file, &self.record)?;
        file.write_all(b"\n")?;
        file.sync_all()?;
        fs::rename(&beside, &self.path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}
