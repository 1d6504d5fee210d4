//! The lines of a file or an object, plain or gzip, read from the start and from each offset.
//!
//! Input: a character chooses plain, gzip with one or two members, or truncated gzip; the rest is the text.

#![no_main]

use std::io::{Cursor, Read, Write as _};

use flate2::Compression;
use flate2::write::GzEncoder;
use libfuzzer_sys::fuzz_target;
use pixel_pipeline::cli::replay::lines::{Line, Lines, Offset};
use pixel_pipeline_fuzz::fields::Fields;

fuzz_target!(|input: &[u8]| {
    let mut fields = Fields(input);
    let (how, text) = (fields.choice(), fields.0);
    let middle = text.len() / 2;
    match how % 4 {
        0 if text.starts_with(&[0x1f, 0x8b]) => check_any_gzip(text),
        0 => check(text.to_vec(), text),
        1 => check(gzip(text), text),
        2 => check([gzip(&text[..middle]), gzip(&text[middle..])].concat(), text),
        _ => check_cut(gzip(text), how, text),
    }
});

/// Reads the lines from the start and from the end of each line.
fn check(raw: Vec<u8>, text: &[u8]) {
    let whole = text.strip_suffix(b"\n").unwrap_or(text);
    let expected: Vec<Vec<u8>> =
        if text.is_empty() { Vec::new() } else { whole.split(|byte| *byte == b'\n').map(|line| line.trim_ascii().to_vec()).collect() };
    let lines = read(&raw, Offset::default()).expect("a complete file is read");
    assert_eq!(lines.iter().map(|(line, _)| line.clone()).collect::<Vec<_>>(), expected);
    let mut before = Offset::default();
    for (_, end) in &lines {
        assert!(end.bytes > before.bytes && end.lines == before.lines + 1, "{before:?} {end:?}");
        before = *end;
    }
    assert_eq!(before.bytes, text.len() as u64, "the last line ends with the text");
    for at in [0, lines.len() / 3, lines.len() / 2, lines.len().saturating_sub(1)] {
        let Some((_, end)) = lines.get(at) else { continue };
        assert_eq!(read(&raw, *end).expect("as before"), lines[at + 1..], "from {end:?}");
    }
    let beyond = Offset { bytes: text.len() as u64 + 1, lines: 0 };
    assert!(Lines::new(Cursor::new(raw), beyond).is_err(), "an offset beyond the end is an error");
}

/// A truncated file is an error. The lines before it are those of the text.
fn check_cut(mut raw: Vec<u8>, how: usize, text: &[u8]) {
    let whole = read(&raw, Offset::default()).expect("a complete file is read");
    let kept = 2 + how / 4 * (raw.len() - 3) / 64;
    raw.truncate(kept);
    let Ok(mut lines) = Lines::new(Cursor::new(raw), Offset::default()) else { return };
    for (line, _) in &whole {
        match lines.next_line() {
            Ok(Some(Line::Text(read))) => assert_eq!(&read, line),
            Ok(other) => panic!("{other:?} of {} bytes", text.len()),
            Err(_) => return,
        }
    }
    assert!(lines.next_line().is_err(), "the checksum is missing");
}

/// Any bytes after the gzip magic number.
fn check_any_gzip(raw: &[u8]) {
    let mut lines = match Lines::new(Cursor::new(raw.to_vec()), Offset::default()) {
        Ok(lines) => lines,
        Err(_) => return,
    };
    let mut text = Vec::new();
    let unpacked = flate2::read::MultiGzDecoder::new(raw).read_to_end(&mut text);
    loop {
        match lines.next_line() {
            Ok(Some(_)) => {}
            Ok(None) => break assert!(unpacked.is_ok() && lines.offset().bytes == text.len() as u64),
            Err(_) => break assert!(unpacked.is_err()),
        }
    }
    // The maximum compression ratio of deflate is about 1,000.
    assert!(lines.offset().bytes <= 1100 * raw.len() as u64);
}

fn read(raw: &[u8], start: Offset) -> std::io::Result<Vec<(Vec<u8>, Offset)>> {
    let mut lines = Lines::new(Cursor::new(raw.to_vec()), start)?;
    let mut all = Vec::new();
    while let Some(line) = lines.next_line()? {
        let Line::Text(text) = line else { panic!("no line is longer than 16 MiB") };
        all.push((text, lines.offset()));
    }
    Ok(all)
}

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text).and_then(|()| encoder.finish()).expect("memory")
}
