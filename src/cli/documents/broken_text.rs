//! Finds the end of text that is not JSON, so that the documents after it are read.

/// Where a broken document ends: at the bracket that closes it, as far as brackets can be matched, or before a line
/// that begins another document. Other broken text ends with its line.
#[derive(Debug)]
pub(super) struct BrokenText {
    /// Open brackets.
    depth: u32,
    is_string: bool,
    is_escaped: bool,
    /// Blanks before the first byte of the line in which the text begins.
    indent: u64,
    /// Blanks so far in a line of blanks only.
    blanks: Option<u64>,
    in_array: bool,
    is_bracketed: bool,
}

impl BrokenText {
    /// `first` is the first byte of the text.
    pub(super) fn new(first: u8, indent: u64, in_array: bool) -> Self {
        let is_bracketed = matches!(first, b'{' | b'[');
        Self { depth: 0, is_string: false, is_escaped: false, indent, blanks: None, in_array, is_bracketed }
    }

    /// The index in the next part of the text at which the broken text ends.
    pub(super) fn find_end(&mut self, part: &[u8]) -> Option<usize> {
        part.iter().enumerate().find_map(|(index, byte)| self.end(*byte).map(|length| index + length))
    }

    /// `Some(0)` if the text ends before this byte, `Some(1)` if it ends with it.
    fn end(&mut self, byte: u8) -> Option<usize> {
        if byte == b'\n' {
            // No string has a line end.
            (self.is_string, self.is_escaped) = (false, false);
            self.blanks = Some(0);
            return (!self.is_bracketed).then_some(0);
        }
        if let Some(blanks) = self.blanks {
            let is_outside = blanks <= self.indent;
            match byte {
                b' ' | b'\t' => self.blanks = Some(blanks + 1),
                b'{' | b'[' if is_outside => return Some(0),
                b']' if is_outside && self.in_array => return Some(0),
                _ => self.blanks = None,
            }
        }
        if self.is_string {
            match byte {
                _ if self.is_escaped => self.is_escaped = false,
                b'\\' => self.is_escaped = true,
                b'"' => self.is_string = false,
                _ => {}
            }
            return None;
        }
        match byte {
            b'"' => self.is_string = true,
            b'{' | b'[' if self.is_bracketed => self.depth += 1,
            b'}' | b']' if self.is_bracketed => {
                self.depth = self.depth.saturating_sub(1);
                return (self.depth == 0).then_some(1);
            }
            b',' | b']' | b'{' | b'[' if self.in_array && !self.is_bracketed => return Some(0),
            _ => {}
        }
        None
    }
}
