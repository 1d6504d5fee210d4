//! Divides a text into JSON documents: lines, elements of an array, or documents one after the other, in any layout.
//!
//! Each byte belongs to a document, to broken text that is returned as such, or to what separates documents: blanks, line
//! ends, commas, brackets of arrays around documents, byte order marks, and NUL bytes at the end. So nothing is lost when a
//! file has several forms, or when a part of it is damaged. At most one document is in memory.

use std::io::{self, Read};

use flate2::Crc;

use super::broken_text::BrokenText;
use super::compression::MAGIC_BYTES;
use super::json_scanner::{JsonScanner, Scan};
use super::position::{Place, Position};
use super::window::Window;

/// More than the limits of a log entry and of a push body.
pub(super) const MAX_DOCUMENT_BYTES: usize = 16 << 20;
/// Broken text that is kept.
const MAX_BROKEN_BYTES: usize = 1 << 16;
/// Arrays around a document. `jq -s` puts a whole file into one, so two or three occur.
const MAX_ARRAYS: u8 = 8;
pub(super) const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
/// Begins each document in a JSON text sequence (RFC 7464), which `jq --seq` writes.
const RECORD_SEPARATOR: u8 = 0x1e;

/// A part of the text.
#[derive(Debug, PartialEq, Eq)]
pub struct Document {
    /// The whole document. Of broken text, the first part.
    pub text: Vec<u8>,
    /// Why it is not a document, if it is not.
    pub broken: Option<BrokenReason>,
    pub place: Place,
    pub start: Position,
    pub end: Position,
}

/// Why a part of the text is not a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BrokenReason {
    /// Not JSON, or JSON that is not an object.
    NotJson,
    /// Longer than [`MAX_DOCUMENT_BYTES`].
    TooLong,
    /// The text ends within the document.
    Truncated,
    /// The text ends within an array, after a complete element.
    ArrayNotClosed,
}

/// Returns the documents in order.
pub(super) struct Splitter {
    window: Window,
    at: Position,
    checksum: Crc,
    /// Whether only blanks precede in the line.
    is_line_start: bool,
    is_finished: bool,
}

impl Splitter {
    pub(super) fn new(text: Box<dyn Read>) -> Self {
        let (window, at, checksum) = (Window::new(text), Position::default(), Crc::new());
        Self { window, at, checksum, is_line_start: true, is_finished: false }
    }

    /// The beginning of the text: a line that is not empty, or `max_bytes`, or all of it.
    pub(super) fn head(&mut self, max_bytes: usize) -> io::Result<&[u8]> {
        loop {
            let bytes = self.window.bytes();
            // The first read returns only what the compression was recognized by.
            let has_line = bytes.len() > MAGIC_BYTES && bytes.trim_ascii_start().contains(&b'\n');
            if has_line || bytes.len() >= max_bytes || !self.window.fill()? {
                break;
            }
        }
        let head = self.window.bytes();
        Ok(&head[..head.len().min(max_bytes)])
    }

    /// Continues at a position of an earlier run. Reading up to it costs little compared with storing the rows.
    pub(super) fn skip_to(&mut self, start: Position) -> io::Result<()> {
        let (mut left, mut last) = (start.bytes, None);
        while left > 0 {
            if self.window.peek()?.is_none() {
                return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "it is shorter than at the last run"));
            }
            let count = usize::try_from(left).map_or(usize::MAX, |left| left).min(self.window.bytes().len());
            let part = &self.window.bytes()[..count];
            self.checksum.update(part);
            last = part.last().copied();
            self.window.consume(count);
            left -= count as u64;
        }
        if self.checksum.sum() != start.checksum {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "the part that was processed has changed since the last run"));
        }
        self.at = start;
        self.is_line_start = matches!(last, None | Some(b'\n'));
        Ok(())
    }

    /// The next document, or `None` at the end of the text.
    pub(super) fn next(&mut self) -> io::Result<Option<Document>> {
        while !self.is_finished {
            match self.window.peek()? {
                None => {
                    self.is_finished = true;
                    return Ok((self.at.arrays > 0).then(|| self.array_not_closed()));
                }
                Some(b' ' | b'\t' | b'\r' | b'\n' | b',') => self.advance(1),
                Some(RECORD_SEPARATOR) => self.skip_mark(1),
                Some(b'[') if self.at.arrays < MAX_ARRAYS => {
                    self.at.arrays += 1;
                    self.advance(1);
                }
                Some(b']') if self.at.arrays > 0 => {
                    self.at.arrays -= 1;
                    self.advance(1);
                }
                Some(0xef) if self.window.starts_with(BYTE_ORDER_MARK)? => self.skip_mark(BYTE_ORDER_MARK.len()),
                Some(0) => return self.padding(),
                Some(b'{' | b'[') => return self.document().map(Some),
                Some(_) => return self.broken(BrokenReason::NotJson).map(Some),
            }
        }
        Ok(None)
    }

    /// The position after the last document, and what separates it from the next.
    pub(super) fn position(&self) -> Position {
        self.at
    }

    fn document(&mut self) -> io::Result<Document> {
        let (mut scanner, mut scanned) = (JsonScanner::new(), 0);
        loop {
            match scanner.scan(&self.window.bytes()[scanned..]) {
                Scan::End(length) if scanned + length <= MAX_DOCUMENT_BYTES => return Ok(self.take(scanned + length, None)),
                Scan::Error(_) => return self.broken(BrokenReason::NotJson),
                Scan::End(_) | Scan::More => {}
            }
            scanned = self.window.bytes().len();
            if scanned > MAX_DOCUMENT_BYTES {
                return self.broken(BrokenReason::TooLong);
            }
            if !self.window.fill()? {
                return self.broken(BrokenReason::Truncated);
            }
        }
    }

    /// Takes broken text. Only the first part of it is kept.
    fn broken(&mut self, reason: BrokenReason) -> io::Result<Document> {
        let first = self.window.peek()?.unwrap_or_default();
        let mut text = BrokenText::new(first, self.at.indent, self.at.arrays > 0);
        let mut document: Option<Document> = None;
        loop {
            // The first byte always belongs to the text, so that reading makes progress.
            let part = self.window.bytes();
            let end = text.find_end(part).map(|end| if document.is_none() { end.max(1) } else { end });
            let length = end.unwrap_or(part.len());
            match &mut document {
                None => document = Some(self.take(length, Some(reason))),
                Some(document) => {
                    self.advance(length);
                    document.end = Position { documents: document.end.documents, ..self.at };
                }
            }
            if end.is_some() || !self.window.fill()? {
                let mut document = document.unwrap_or_else(|| self.take(0, Some(reason)));
                // Text follows it, so the end of the text is not the cause.
                if end.is_some() && reason == BrokenReason::Truncated {
                    document.broken = Some(BrokenReason::NotJson);
                }
                return Ok(document);
            }
        }
    }

    /// NUL bytes: padding at the end of the text, broken text elsewhere.
    fn padding(&mut self) -> io::Result<Option<Document>> {
        let before = (self.at, self.is_line_start);
        let place = self.place();
        while self.window.peek()? == Some(0) {
            let count = self.window.bytes().iter().take_while(|byte| **byte == 0).count();
            self.advance(count);
        }
        let (start, _) = before;
        if self.window.peek()?.is_none() {
            // The file may grow into it.
            self.is_finished = true;
            self.at = start;
            return Ok((self.at.arrays > 0).then(|| self.array_not_closed()));
        }
        self.at.documents += 1;
        Ok(Some(Document { text: vec![0], broken: Some(BrokenReason::NotJson), place, start, end: self.at }))
    }

    fn array_not_closed(&self) -> Document {
        let broken = Some(BrokenReason::ArrayNotClosed);
        Document { text: Vec::new(), broken, place: self.place(), start: self.at, end: self.at }
    }

    /// Takes the next bytes as a document.
    fn take(&mut self, length: usize, broken: Option<BrokenReason>) -> Document {
        let (start, place) = (self.at, self.place());
        let kept = if broken.is_some() { length.min(MAX_BROKEN_BYTES) } else { length };
        let text = self.window.bytes()[..kept].to_vec();
        self.advance(length);
        self.at.documents += 1;
        Document { text, broken, place, start, end: self.at }
    }

    fn place(&self) -> Place {
        let is_alone = self.is_line_start && self.at.arrays == 0;
        Place { line: self.at.lines + 1, element: (!is_alone).then_some(self.at.documents + 1) }
    }

    /// Consumes a mark that does not count as text of the line.
    fn skip_mark(&mut self, count: usize) {
        let is_line_start = self.is_line_start;
        self.advance(count);
        self.is_line_start = is_line_start;
    }

    /// Consumes bytes of the window.
    fn advance(&mut self, count: usize) {
        let bytes = &self.window.bytes()[..count];
        self.checksum.update(bytes);
        self.at.bytes += count as u64;
        self.at.checksum = self.checksum.sum();
        let line_ends = bytes.iter().filter(|byte| **byte == b'\n').count();
        self.at.lines += line_ends as u64;
        let line = bytes.iter().rposition(|byte| *byte == b'\n').map_or(bytes, |end| &bytes[end + 1..]);
        if line_ends > 0 {
            (self.at.indent, self.is_line_start) = (0, true);
        }
        if self.is_line_start {
            let blanks = line.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
            self.at.indent += blanks as u64;
            self.is_line_start = blanks == line.len();
        }
        self.window.consume(count);
    }
}
