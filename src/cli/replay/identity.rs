//! How a checkpoint recognizes an input: a file by its first bytes, an object by its generation.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::Path;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// Bytes at the start of a file that are hashed.
const HEAD_BYTES: u64 = 4096;

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

impl Identity {
    pub(crate) fn of_file(path: &Path) -> io::Result<Self> {
        let size = fs::metadata(path)?.len();
        let head_bytes = size.min(HEAD_BYTES);
        Ok(Self::File { size, head_bytes, head: head(path, head_bytes)? })
    }

    /// Whether `now` is the same input, read again: a file at `path` may have grown.
    pub(crate) fn is_continued_by(&self, now: &Self, path: &Path) -> bool {
        match (self, now) {
            (Self::File { size: before, head_bytes, head: head_before }, Self::File { size, .. }) => {
                size >= before && head(path, *head_bytes).is_ok_and(|head| head == *head_before)
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
