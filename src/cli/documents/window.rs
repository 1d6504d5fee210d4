//! The part of a text that is being read: the bytes from the current position on, and as many more as are needed.

use std::io::{self, ErrorKind, Read};

const READ_BYTES: usize = 1 << 16;
/// A larger buffer is given back after the document that needed it.
const KEPT_BYTES: usize = 1 << 20;

pub(super) struct Window {
    input: Box<dyn Read>,
    buffer: Vec<u8>,
    /// Bytes of the buffer that are consumed.
    consumed: usize,
}

impl Window {
    pub(super) fn new(input: Box<dyn Read>) -> Self {
        Self { input, buffer: Vec::new(), consumed: 0 }
    }

    /// The bytes that are read and not consumed.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.buffer[self.consumed..]
    }

    /// Reads more bytes. `false` at the end of the text.
    pub(super) fn fill(&mut self) -> io::Result<bool> {
        self.buffer.drain(..self.consumed);
        self.consumed = 0;
        if self.buffer.len() < READ_BYTES {
            self.buffer.shrink_to(KEPT_BYTES);
        }
        let length = self.buffer.len();
        self.buffer.resize(length + READ_BYTES, 0);
        let read = loop {
            match self.input.read(&mut self.buffer[length..]) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                read => break read,
            }
        };
        self.buffer.truncate(length + *read.as_ref().unwrap_or(&0));
        Ok(read? > 0)
    }

    /// The next byte, or `None` at the end of the text.
    pub(super) fn peek(&mut self) -> io::Result<Option<u8>> {
        if self.bytes().is_empty() {
            self.fill()?;
        }
        Ok(self.bytes().first().copied())
    }

    /// Whether the text continues with these bytes.
    pub(super) fn starts_with(&mut self, bytes: &[u8]) -> io::Result<bool> {
        while self.bytes().len() < bytes.len() && bytes.starts_with(self.bytes()) && self.fill()? {}
        Ok(self.bytes().starts_with(bytes))
    }

    pub(super) fn consume(&mut self, count: usize) {
        self.consumed += count;
    }
}
