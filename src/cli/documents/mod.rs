//! Reads files as people have them: the JSON documents in them with their places, and the messages in the documents.
//!
//! ```text
//! bytes ─▶ compression ─▶ format (refuses what is not JSON) ─▶ splitter ─▶ Document ─▶ message ─▶ Message
//!          gzip, zstd                                          lines, arrays,           log entry, push or pull body,
//!                                                              any layout               dead letter, API response
//! ```
//!
//! `replay` and `explain` read through it. It stores nothing, and it does not decide what happens to a document that
//! cannot be read.

mod broken_text;
mod compression;
mod format;
mod json_scanner;
pub(crate) mod message;
mod position;
mod snake_case;
mod splitter;
#[cfg(test)]
mod tests;
mod unusable;
mod window;

use std::io::{self, BufRead, BufReader, Cursor, Read};

pub use format::ForeignFormat;
pub use position::{Place, Position};
use splitter::{BYTE_ORDER_MARK, Splitter};
pub use splitter::{BrokenReason, Document};
pub(crate) use unusable::Unusable;

/// Bytes from which the format is recognized.
const HEAD_BYTES: usize = 1 << 16;

/// The same for text of any format: the header of an archive is the longest.
const TEXT_HEAD_BYTES: u64 = 512;

/// The documents of one file.
pub struct Documents {
    splitter: Splitter,
}

/// Why a file cannot be read.
#[derive(Debug)]
pub enum OpenError {
    Read(io::Error),
    Foreign(ForeignFormat),
}

impl From<io::Error> for OpenError {
    fn from(error: io::Error) -> Self {
        Self::Read(error)
    }
}

impl OpenError {
    /// The cause, and how to fix it. `file` is the name of a file that commands can read, if there is one.
    pub fn describe(&self, file: Option<&str>) -> String {
        match self {
            Self::Read(error) => error.to_string(),
            Self::Foreign(format) => format.describe(file),
        }
    }
}

/// The text of a file that is not JSON, without its byte order mark.
pub(crate) fn open_text(raw: impl Read + 'static) -> Result<impl BufRead, OpenError> {
    let mut text = compression::decompress(Box::new(raw))?;
    let mut head = Vec::new();
    text.by_ref().take(TEXT_HEAD_BYTES).read_to_end(&mut head)?;
    if let Some(format) = format::find_foreign_encoding(&head) {
        return Err(OpenError::Foreign(format));
    }
    let start = if head.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() } else { 0 };
    let mut head = Cursor::new(head);
    head.set_position(start as u64);
    Ok(BufReader::new(head.chain(text)))
}

impl Documents {
    /// Reads from `start` on.
    pub fn open(raw: impl Read + 'static, start: Position) -> Result<Self, OpenError> {
        let mut splitter = Splitter::new(compression::decompress(Box::new(raw))?);
        if let Some(format) = format::find_foreign(splitter.head(HEAD_BYTES)?) {
            return Err(OpenError::Foreign(format));
        }
        splitter.skip_to(start)?;
        Ok(Self { splitter })
    }

    /// The next document, or `None` at the end of the file.
    pub fn next_document(&mut self) -> io::Result<Option<Document>> {
        self.splitter.next()
    }

    /// Where reading has arrived.
    pub fn position(&self) -> Position {
        self.splitter.position()
    }
}
