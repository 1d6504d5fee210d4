//! Reads the lines of one stream, which may be gzip, with the offset of each.

use std::io::{self, BufRead, BufReader, Cursor, Read};

use flate2::read::MultiGzDecoder;

/// More than the limits of a log entry and of a push body.
const MAX_LINE_BYTES: usize = 16 << 20;

/// A position in a stream, after decompression.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Offset {
    pub bytes: u64,
    pub lines: u64,
}

/// A line without its end.
#[derive(Debug, PartialEq, Eq)]
pub enum Line {
    Text(Vec<u8>),
    /// Longer than [`MAX_LINE_BYTES`]; it cannot be an entry.
    TooLong,
}

/// Reads lines.
pub struct Lines {
    input: Box<dyn BufRead>,
    at: Offset,
    /// Where the last line begins, if it has no newline.
    unfinished: Option<Offset>,
}

impl Lines {
    /// Reads from `start` on. Detects gzip by the first bytes, not by a name.
    pub fn new(mut raw: impl Read + 'static, start: Offset) -> io::Result<Self> {
        let mut magic = Vec::new();
        raw.by_ref().take(2).read_to_end(&mut magic)?;
        let is_gzip = magic == [0x1f, 0x8b];
        let whole = BufReader::with_capacity(1 << 16, Cursor::new(magic).chain(raw));
        let mut input: Box<dyn BufRead> =
            if is_gzip { Box::new(BufReader::with_capacity(1 << 16, MultiGzDecoder::new(whole))) } else { Box::new(whole) };
        // Reading up to the start costs little compared with storing the rows.
        let skipped = io::copy(&mut input.by_ref().take(start.bytes), &mut io::sink())?;
        if skipped < start.bytes {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the input is shorter than its checkpoint"));
        }
        Ok(Self { input, at: start, unfinished: None })
    }

    /// Where the last line ended. `lines` is the number of that line, from 1.
    pub fn offset(&self) -> Offset {
        self.at
    }

    /// Where a later run continues: a line without a newline may still be written.
    pub fn resume(&self) -> Offset {
        self.unfinished.unwrap_or(self.at)
    }

    /// The next line, or `None` at the end of the stream.
    pub fn next_line(&mut self) -> io::Result<Option<Line>> {
        let mut line = Vec::new();
        let mut read = self.input.by_ref().take(MAX_LINE_BYTES as u64).read_until(b'\n', &mut line)? as u64;
        if read == 0 {
            return Ok(None);
        }
        let mut has_end = line.ends_with(b"\n");
        let is_whole = has_end || line.len() < MAX_LINE_BYTES;
        if !is_whole {
            let (skipped, ends) = self.skip_line()?;
            read += skipped;
            has_end = ends;
        }
        self.unfinished = (!has_end).then_some(self.at);
        self.at = Offset { bytes: self.at.bytes + read, lines: self.at.lines + 1 };
        Ok(Some(if is_whole { Line::Text(line.trim_ascii().to_vec()) } else { Line::TooLong }))
    }

    /// Returns the number of bytes, and whether a newline ends the line.
    fn skip_line(&mut self) -> io::Result<(u64, bool)> {
        let mut skipped = 0;
        loop {
            let buffer = self.input.fill_buf()?;
            let end = buffer.iter().position(|byte| *byte == b'\n');
            let count = end.map_or(buffer.len(), |end| end + 1);
            self.input.consume(count);
            skipped += count as u64;
            if end.is_some() || count == 0 {
                return Ok((skipped, end.is_some()));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    fn read(raw: Vec<u8>, start: Offset) -> Vec<(Line, Offset)> {
        let mut lines = Lines::new(Cursor::new(raw), start).unwrap();
        std::iter::from_fn(|| Some((lines.next_line().unwrap()?, lines.offset()))).collect()
    }

    #[test]
    fn plain_text_and_gzip_members_are_read_from_any_line() {
        let members = [gzip(b"one\ntw"), gzip(b"o\r\n\nfour")].concat();
        for raw in [b"one\ntwo\r\n\nfour".to_vec(), members] {
            let all = read(raw.clone(), Offset::default());
            let texts: Vec<&Line> = all.iter().map(|(line, _)| line).collect();
            let text = |text: &str| Line::Text(text.into());
            assert_eq!(texts, [&text("one"), &text("two"), &text(""), &text("four")]);
            assert_eq!(all[1].1, Offset { bytes: 9, lines: 2 });
            for (count, (_, end)) in all.iter().enumerate() {
                assert_eq!(read(raw.clone(), *end), all[count + 1..]);
            }
        }
    }

    #[test]
    fn a_last_line_without_newline_is_read_again_later() {
        let mut lines = Lines::new(Cursor::new(b"one\ntw".to_vec()), Offset::default()).unwrap();
        lines.next_line().unwrap();
        let one = lines.resume();
        assert_eq!(one, lines.offset());
        assert_eq!(lines.next_line().unwrap(), Some(Line::Text(b"tw".into())));
        assert_eq!((lines.resume(), lines.offset().lines), (one, 2));
        assert_eq!(lines.next_line().unwrap(), None);
        assert_eq!(lines.resume(), one, "also at the end");
        assert_eq!(read(b"one\ntwo\n".to_vec(), one)[0].0, Line::Text(b"two".into()));
    }

    #[test]
    fn a_line_that_is_too_long_is_skipped_and_the_next_is_read() {
        let raw = [b"a\n".as_slice(), &vec![b'x'; 2 * MAX_LINE_BYTES + 5], b"\nb"].concat();
        let lines: Vec<Line> = read(raw, Offset::default()).into_iter().map(|(line, _)| line).collect();
        assert_eq!(lines, [Line::Text(b"a".into()), Line::TooLong, Line::Text(b"b".into())]);
    }

    #[test]
    fn truncated_gzip_is_an_error() {
        let whole = gzip(b"one\ntwo\n");
        let mut lines = Lines::new(Cursor::new(whole[..whole.len() - 4].to_vec()), Offset::default()).unwrap();
        let ended = loop {
            match lines.next_line() {
                Ok(Some(_)) => {}
                ended => break ended,
            }
        };
        assert!(ended.is_err(), "{ended:?}");
    }
}
