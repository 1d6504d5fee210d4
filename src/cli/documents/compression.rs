//! Decompresses gzip and zstd. Recognizes them by their first bytes, not by a name.

use std::io::{self, BufRead, BufReader, Cursor, Read};

use flate2::bufread::GzDecoder;

/// Layers of compression: a file that was compressed twice by mistake is read, too.
const MAX_LAYERS: usize = 3;
const BUFFER_BYTES: usize = 1 << 16;
/// Bytes by which a format is recognized.
pub(super) const MAGIC_BYTES: usize = 4;

/// The text in `raw`.
pub(super) fn decompress(raw: Box<dyn Read>) -> io::Result<Box<dyn Read>> {
    let mut layer = raw;
    for _ in 0..MAX_LAYERS {
        let mut magic = Vec::new();
        layer.by_ref().take(MAGIC_BYTES as u64).read_to_end(&mut magic)?;
        let is_gzip = magic.starts_with(&[0x1f, 0x8b]);
        let is_zstd = magic == [0x28, 0xb5, 0x2f, 0xfd] || matches!(magic[..], [0x50..=0x5f, 0x2a, 0x4d, 0x18]);
        let whole = BufReader::with_capacity(BUFFER_BYTES, Cursor::new(magic).chain(layer));
        layer = match (is_gzip, is_zstd) {
            (true, _) => Box::new(GzipMembers { member: Some(GzDecoder::new(whole)) }),
            (_, true) => Box::new(zstd::stream::read::Decoder::with_buffer(whole)?),
            _ => return Ok(Box::new(whole)),
        };
    }
    Ok(layer)
}

/// The members of a gzip file, one after the other. NUL bytes after the last one are padding, as for gzip itself.
struct GzipMembers<R: BufRead> {
    /// `None` at the end.
    member: Option<GzDecoder<R>>,
}

impl<R: BufRead> Read for GzipMembers<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let Some(member) = &mut self.member else { return Ok(0) };
            let count = member.read(buffer)?;
            if count > 0 || buffer.is_empty() {
                return Ok(count);
            }
            // The member is complete, and its checksum is correct.
            let Some(mut rest) = self.member.take().map(GzDecoder::into_inner) else { return Ok(0) };
            if !is_at_end(&mut rest)? {
                self.member = Some(GzDecoder::new(rest));
            }
        }
    }
}

/// Whether only NUL bytes are left. Consumes them.
fn is_at_end(rest: &mut impl BufRead) -> io::Result<bool> {
    loop {
        let part = rest.fill_buf()?;
        let padding = part.iter().take_while(|byte| **byte == 0).count();
        if padding < part.len() || part.is_empty() {
            return Ok(part.is_empty());
        }
        rest.consume(padding);
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

    fn zstd(text: &[u8]) -> Vec<u8> {
        zstd::encode_all(text, 1).unwrap()
    }

    fn read(raw: Vec<u8>) -> io::Result<Vec<u8>> {
        let mut text = Vec::new();
        decompress(Box::new(Cursor::new(raw)))?.read_to_end(&mut text)?;
        Ok(text)
    }

    #[test]
    fn gzip_and_zstd_are_read_with_all_members() {
        let skippable = [0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3].to_vec();
        for raw in [
            b"one two".to_vec(),
            gzip(b"one two"),
            [gzip(b"one"), gzip(b""), gzip(b" two")].concat(),
            [gzip(b"one two"), vec![0; 100_000]].concat(),
            zstd(b"one two"),
            [zstd(b"one"), zstd(b" two")].concat(),
            [skippable, zstd(b"one two")].concat(),
            gzip(&zstd(b"one two")),
            gzip(&gzip(b"one two")),
        ] {
            assert_eq!(read(raw.clone()).unwrap(), b"one two", "{raw:?}");
        }
        assert_eq!(read(Vec::new()).unwrap(), b"");
    }

    #[test]
    fn truncated_or_damaged_compression_is_an_error() {
        for whole in [gzip(b"one two"), zstd(b"one two")] {
            for length in 5..whole.len() {
                assert!(read(whole[..length].to_vec()).is_err(), "{length} of {} bytes", whole.len());
            }
            assert!(read([whole.clone(), b"garbage".to_vec()].concat()).is_err());
            assert!(read([whole.clone(), vec![0; 8], b"garbage".to_vec()].concat()).is_err());
        }
        let mut damaged = gzip(b"one two");
        let crc = damaged.len() - 6;
        damaged[crc] ^= 1;
        assert!(read(damaged).is_err());
    }
}
