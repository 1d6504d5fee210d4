//! Splits an input into lines and a rest.

use std::borrow::Cow;

/// The unread part of an input.
#[derive(Debug, Clone, Copy)]
pub struct Fields<'a>(pub &'a [u8]);

impl<'a> Fields<'a> {
    /// A byte that selects something: a digit or a letter in a seed. Any byte will do.
    pub fn choice(&mut self) -> usize {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        usize::from(first.wrapping_sub(b'0'))
    }

    /// Reads to the end of the line.
    pub fn line(&mut self) -> Cow<'a, str> {
        let end = self.0.iter().position(|byte| *byte == b'\n').unwrap_or(self.0.len());
        let (line, rest) = self.0.split_at(end);
        self.0 = rest.get(1..).unwrap_or_default();
        String::from_utf8_lossy(line)
    }

    /// Reads the rest.
    pub fn rest(self) -> Cow<'a, str> {
        String::from_utf8_lossy(self.0)
    }
}
