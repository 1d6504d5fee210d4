//! Where a document stands in its file, and how a later run continues there.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A position between two documents, after decompression.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Position {
    pub bytes: u64,
    /// Line ends before it.
    pub lines: u64,
    /// Documents before it, readable or not.
    pub documents: u64,
    /// Blanks before the first other byte of its line.
    pub indent: u64,
    /// Arrays that are open.
    pub arrays: u8,
    /// CRC-32 of the text before it, by which a later run knows that the text is the same.
    pub checksum: u32,
}

/// Where a document begins, for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// From 1.
    pub line: u64,
    /// The number of the document in its file, from 1, unless it is alone in its line.
    pub element: Option<u64>,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.line)?;
        self.element.map_or(Ok(()), |element| write!(f, ", element {element}"))
    }
}
