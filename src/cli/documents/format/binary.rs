//! Formats that are no UTF-8 text: recognized by their first bytes, by the pattern of their NUL bytes, or by bytes that no
//! text has.

use super::ForeignFormat;
use super::conversion::{BQ_EXTRACT, DECRYPT, GCLOUD, UNKNOWN_BINARY};

const UTF_16: ForeignFormat = ForeignFormat::command("UTF-16", "iconv -f UTF-16 -t UTF-8 FILE > entries.json");
const UTF_16_LE: ForeignFormat = ForeignFormat::command("UTF-16", "iconv -f UTF-16LE -t UTF-8 FILE > entries.json");
const UTF_16_BE: ForeignFormat = ForeignFormat::command("UTF-16", "iconv -f UTF-16BE -t UTF-8 FILE > entries.json");
const UTF_32: ForeignFormat = ForeignFormat::command("UTF-32", "iconv -f UTF-32 -t UTF-8 FILE > entries.json");
const UTF_32_LE: ForeignFormat = ForeignFormat::command("UTF-32", "iconv -f UTF-32LE -t UTF-8 FILE > entries.json");
const UTF_32_BE: ForeignFormat = ForeignFormat::command("UTF-32", "iconv -f UTF-32BE -t UTF-8 FILE > entries.json");
const OFFICE: ForeignFormat = ForeignFormat::command(
    "an Office document",
    "libreoffice --headless --convert-to csv FILE && mlr --icsv --ojson cat *.csv > entries.json",
);
const ZIP: ForeignFormat = ForeignFormat::command("a zip archive", "unzip -p FILE > entries.json");
const TAR: ForeignFormat = ForeignFormat::command("a tar archive", "tar -xOf FILE > entries.json");
const PARQUET: ForeignFormat = ForeignFormat::command("Parquet", BQ_EXTRACT);
const ZLIB: ForeignFormat = ForeignFormat::command(
    "zlib",
    "python3 -c 'import sys, zlib; sys.stdout.buffer.write(zlib.decompress(sys.stdin.buffer.read()))' < FILE > entries.json",
);

/// Formats by their first bytes.
const MAGIC: &[(&[u8], ForeignFormat)] = &[
    (b"\x00\x00\xfe\xff", UTF_32),
    (b"\xff\xfe\x00\x00", UTF_32),
    (b"\xff\xfe", UTF_16),
    (b"\xfe\xff", UTF_16),
    (b"PK\x05\x06", ZIP),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", OFFICE),
    (b"7z\xbc\xaf\x27\x1c", ForeignFormat::command("a 7z archive", "7z x -so FILE > entries.json")),
    (b"Rar!\x1a\x07", ForeignFormat::command("a RAR archive", "unrar p -inul FILE > entries.json")),
    (b"BZh", ForeignFormat::command("bzip2", "bzip2 -dc FILE > entries.json")),
    (b"\xfd7zXZ\x00", ForeignFormat::command("xz", "xz -dc FILE > entries.json")),
    (b"\x5d\x00\x00", ForeignFormat::command("lzma", "xz -dc --format=lzma FILE > entries.json")),
    (b"LZIP", ForeignFormat::command("lzip", "lzip -dc FILE > entries.json")),
    (b"\x04\x22\x4d\x18", ForeignFormat::command("lz4", "lz4 -dc FILE > entries.json")),
    (b"\xff\x06\x00\x00sNaPpY", ForeignFormat::command("snappy", "snzip -dc FILE > entries.json")),
    (b"\x1f\x9d", ForeignFormat::command("compress", "gzip -dc FILE > entries.json")),
    (b"\x78\x01", ZLIB),
    (b"\x78\x9c", ZLIB),
    (b"\x78\xda", ZLIB),
    (b"PAR1", PARQUET),
    (b"PARE", PARQUET),
    (b"Obj\x01", ForeignFormat::command("Avro", BQ_EXTRACT)),
    (b"ORC", ForeignFormat::command("ORC", BQ_EXTRACT)),
    (b"SQLite format 3\x00", ForeignFormat::command("a SQLite database", "sqlite3 -json FILE 'SELECT * FROM TABLE_NAME' > entries.json")),
    (b"%PDF-", ForeignFormat::command("PDF", GCLOUD)),
    (b"{\\rtf", ForeignFormat::command("RTF", GCLOUD)),
    (b"Salted__", DECRYPT),
    (b"age-encryption.org/", DECRYPT),
    (b"-----BEGIN PGP MESSAGE", DECRYPT),
];

/// A format that its first bytes or its NUL bytes show.
pub(super) fn find(head: &[u8]) -> Option<ForeignFormat> {
    if head.starts_with(b"PK\x03\x04") {
        // The first entry of the archive begins 30 bytes after its header, with its name.
        let name = head.get(30..).unwrap_or_default();
        let is_office =
            [&b"[Content_Types].xml"[..], b"_rels/", b"xl/", b"mimetypeapplication/vnd.oasis"].iter().any(|part| name.starts_with(part));
        return Some(if is_office { OFFICE } else { ZIP });
    }
    if head.get(257..262) == Some(b"ustar") {
        return Some(TAR);
    }
    MAGIC.iter().find(|(magic, _)| head.starts_with(magic)).map(|(_, format)| *format).or_else(|| find_wide(head))
}

/// UTF-16 or UTF-32 without a byte order mark: the first characters are ASCII.
fn find_wide(head: &[u8]) -> Option<ForeignFormat> {
    let is_ascii = |byte: u8| (1..=0x7f).contains(&byte);
    // The positions of the units' own bytes, from the two or more units at the start.
    let has_units = |size: usize, at: usize| {
        let units = head.chunks_exact(size).take(2);
        units.len() == 2
            && units
                .into_iter()
                .all(|unit| unit.iter().enumerate().all(|(index, byte)| if index == at { is_ascii(*byte) } else { *byte == 0 }))
    };
    let candidates = [(4, 0, UTF_32_LE), (4, 3, UTF_32_BE), (2, 0, UTF_16_LE), (2, 1, UTF_16_BE)];
    candidates.into_iter().find(|(size, at, _)| has_units(*size, *at)).map(|(.., format)| format)
}

/// Data with bytes that no text has. NUL bytes alone are padding.
pub(super) fn find_unknown(head: &[u8]) -> Option<ForeignFormat> {
    let is_control = |byte: &u8| matches!(byte, 0..=0x08 | 0x0e..=0x1a | 0x1c | 0x1d | 0x1f | 0x7f);
    let has_text = head.iter().any(|byte| *byte != 0);
    (has_text && head.iter().any(is_control)).then_some(UNKNOWN_BINARY)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(head: impl AsRef<[u8]>) -> Option<&'static str> {
        find(head.as_ref()).map(|format| format.name)
    }

    fn utf_16(text: &str, unit: impl Fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(unit).collect()
    }

    fn utf_32(text: &str, unit: impl Fn(u32) -> [u8; 4]) -> Vec<u8> {
        text.chars().flat_map(|c| unit(c.into())).collect()
    }

    #[test]
    fn wide_encodings_are_recognized_with_and_without_a_bom() {
        for text in ["{\"insertId\":\"a\"}\n", "[\n  {", "\u{feff}{}", "timestamp,url\n", "[]"] {
            assert_eq!(name(utf_16(text, u16::to_le_bytes)), Some("UTF-16"), "{text:?}");
            assert_eq!(name(utf_16(text, u16::to_be_bytes)), Some("UTF-16"), "{text:?}");
            assert_eq!(name(utf_32(text, u32::to_le_bytes)), Some("UTF-32"), "{text:?}");
            assert_eq!(name(utf_32(text, u32::to_be_bytes)), Some("UTF-32"), "{text:?}");
        }
    }

    #[test]
    fn nul_bytes_before_text_are_no_encoding() {
        for padded in [&b"\0\0\0\0"[..], b"\0\0\0{\"a\":1}", b"\0{\"a\":1}", b"\0\0\0\0\0\0\0{}", b""] {
            assert_eq!(name(padded), None, "{padded:?}");
        }
    }

    #[test]
    fn archives_are_told_from_office_documents() {
        let zip = |first: &str| [&b"PK\x03\x04"[..], &[0; 26], first.as_bytes()].concat();
        assert_eq!(name(zip("entries.json")), Some("a zip archive"));
        assert_eq!(name(zip("[Content_Types].xml")), Some("an Office document"));
        let mut tar = vec![0; 512];
        tar[..6].copy_from_slice(b"a.json");
        tar[257..262].copy_from_slice(b"ustar");
        assert_eq!(name(tar), Some("a tar archive"));
    }

    #[test]
    fn only_bytes_that_no_text_has_are_binary() {
        for binary in [&b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"[..], b"GIF89a\x01\0\x01\0", b"a\0b"] {
            assert!(find_unknown(binary).is_some(), "{binary:?}");
        }
        for text in [&b""[..], b"\0\0\0", b"caf\xe9\n", b"\x1b[1mbold\x1b[0m\r\n", b"a\tb\x0c\n"] {
            assert!(find_unknown(text).is_none(), "{text:?}");
        }
    }
}
