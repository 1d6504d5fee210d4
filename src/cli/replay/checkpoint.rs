//! The checkpoint file: how far each input is processed.
//!
//! Each write replaces the whole file, so that a killed process leaves the last checkpoint or the one before. An input
//! is found by its name and must have the same [`Identity`].

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::identity::Identity;
use super::period::Period;
use super::shard::Shard;
use super::target::Target;
use crate::cli::documents::Position;

/// Version of [`Record`]. In version 1, offsets counted lines.
const VERSION: u32 = 2;

/// The content of the file.
#[derive(Debug, Serialize, Deserialize)]
struct Record {
    version: u32,
    /// Offsets are valid for one task and one period only.
    task: String,
    period: String,
    /// What the entries were replayed to.
    target: Target,
    sources: BTreeMap<String, Saved>,
}

#[derive(Deserialize)]
struct Version {
    version: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Saved {
    identity: Identity,
    #[serde(flatten)]
    position: Position,
}

/// An open checkpoint.
#[derive(Debug)]
pub(crate) struct Checkpoint {
    path: PathBuf,
    record: Record,
}

/// Why a checkpoint cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CheckpointError {
    #[error("cannot read the checkpoint {}: {error}", path.display())]
    Read { path: PathBuf, error: io::Error },
    #[error("cannot write the checkpoint {}: {error}", path.display())]
    Write { path: PathBuf, error: io::Error },
    #[error("cannot read the checkpoint {}: it is not a checkpoint of `replay`: {error}; give another file", path.display())]
    Invalid { path: PathBuf, error: serde_json::Error },
    #[error("cannot use the checkpoint {}: its version is {found}, expected {VERSION}; remove the file to start from the beginning", path.display())]
    OtherVersion { path: PathBuf, found: u32 },
    #[error("cannot use the checkpoint {}: it belongs to task {found}, this is task {expected}; give each run its own file", path.display())]
    OtherTask { path: PathBuf, found: String, expected: String },
    #[error("cannot use the checkpoint {}: its period is {found}, the period of this run is {expected}; give each run its own file", path.display())]
    OtherPeriod { path: PathBuf, found: String, expected: String },
    #[error("cannot use the checkpoint {}: it belongs to a replay with other settings: {difference}; give each target its own checkpoint file", path.display())]
    OtherTarget { path: PathBuf, difference: String },
    #[error("cannot use the checkpoint {}: {input} has changed since it was written; remove the file to start from the beginning", path.display())]
    InputChanged { path: PathBuf, input: String },
}

impl Checkpoint {
    /// Opens or creates the file at `path`. With several tasks, each has its own file next to it.
    pub(crate) fn open(path: &Path, shard: Shard, period: Period, target: Target) -> Result<Self, CheckpointError> {
        let mut path = path.to_owned();
        if !shard.is_whole() {
            path.as_mut_os_string().push(format!(".{}-of-{}", shard.index, shard.count));
        }
        let (task, period) = (format!("{} of {}", shard.index, shard.count), period.to_string());
        let record = match read_file(&path) {
            Ok(json) => read(&json, &path)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Record { version: VERSION, task: task.clone(), period: period.clone(), target: target.clone(), sources: BTreeMap::new() }
            }
            Err(error) => return Err(CheckpointError::Read { path, error }),
        };
        if record.task != task {
            return Err(CheckpointError::OtherTask { path, found: record.task, expected: task });
        }
        if record.period != period {
            return Err(CheckpointError::OtherPeriod { path, found: record.period, expected: period });
        }
        if let Some(difference) = record.target.difference(&target) {
            return Err(CheckpointError::OtherTarget { path, difference });
        }
        let checkpoint = Self { path, record };
        // Detects a file that cannot be written before hours of work.
        checkpoint.write().map_err(|error| CheckpointError::Write { path: checkpoint.path.clone(), error })?;
        Ok(checkpoint)
    }

    /// Where to start to read an input. `identity` is `None` for an input that cannot be read twice.
    pub(crate) fn start(&self, name: &str, identity: Option<&Identity>) -> Result<Position, CheckpointError> {
        let saved = self.record.sources.get(name).or_else(|| self.renamed(name, identity?));
        let Some(saved) = saved else { return Ok(Position::default()) };
        match identity {
            Some(now) if saved.identity.is_continued_by(now, Path::new(name)) => Ok(saved.position),
            _ => Err(CheckpointError::InputChanged { path: self.path.clone(), input: name.to_owned() }),
        }
    }

    /// The record of a file that had another name: no file has that name any more, and the content is the same.
    fn renamed(&self, name: &str, identity: &Identity) -> Option<&Saved> {
        let mut saved = self.record.sources.iter();
        let is_renamed = |old: &str, saved: &Saved| !Path::new(old).exists() && saved.identity.is_continued_by(identity, Path::new(name));
        saved.find(|(old, saved)| matches!(saved.identity, Identity::File { .. }) && is_renamed(old, saved)).map(|(_, saved)| saved)
    }

    /// Whether an earlier run has processed a part of these inputs.
    pub(crate) fn has_progress(&self) -> bool {
        self.record.sources.values().any(|saved| saved.position.documents > 0)
    }

    /// Sets how far inputs are processed, and writes the file if that has changed.
    pub(crate) fn save<'s>(&mut self, committed: impl Iterator<Item = (&'s str, &'s Identity, Position)>) -> io::Result<()> {
        let mut has_changed = false;
        for (name, identity, position) in committed {
            let saved = Saved { identity: identity.clone(), position };
            if self.record.sources.get(name) != Some(&saved) {
                self.record.sources.insert(name.to_owned(), saved);
                has_changed = true;
            }
        }
        if has_changed { self.write() } else { Ok(()) }
    }

    fn write(&self) -> io::Result<()> {
        let mut new_path = self.path.clone();
        new_path.as_mut_os_string().push(".new");
        let mut file = File::create(&new_path)?;
        serde_json::to_writer_pretty(&mut file, &self.record)?;
        file.write_all(b"\n")?;
        file.sync_all()?;
        fs::rename(&new_path, &self.path)
    }
}

/// Reads the file, if it is one: a device such as /dev/zero has no end.
fn read_file(path: &Path) -> io::Result<Vec<u8>> {
    let kind = fs::metadata(path)?.file_type();
    if kind.is_file() || kind.is_dir() { fs::read(path) } else { Err(io::Error::other("it is not a file")) }
}

/// Parses the content of the file. Looks at the version first: other versions have other members.
fn read(json: &[u8], path: &Path) -> Result<Record, CheckpointError> {
    let invalid = |error| CheckpointError::Invalid { path: path.to_owned(), error };
    let Version { version } = serde_json::from_slice(json).map_err(invalid)?;
    if version != VERSION {
        return Err(CheckpointError::OtherVersion { path: path.to_owned(), found: version });
    }
    serde_json::from_slice(json).map_err(invalid)
}
