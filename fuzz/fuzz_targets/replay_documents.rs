//! The documents of a file or an object, plain or gzip, read from the start and from the end of each.
//!
//! Input: a character chooses plain, gzip with one or two members, gzip twice, or truncated gzip; the rest is the text.

#![no_main]

use std::io::{Cursor, Write as _};

use flate2::Compression;
use flate2::write::GzEncoder;
use libfuzzer_sys::fuzz_target;
use pixel_pipeline::cli::documents::{BrokenReason, Document, Documents, OpenError, Position};
use pixel_pipeline_fuzz::fields::Fields;

fuzz_target!(|input: &[u8]| {
    let mut fields = Fields(input);
    let (how, text) = (fields.choice(), fields.0);
    let middle = text.len() / 2;
    match how % 5 {
        // Layers of compression are removed, so the positions are those of another text, which is not known here.
        _ if is_compressed(text) => drop(read(text, Position::default())),
        // Text in another format has no documents.
        _ if read(text, Position::default()).is_none() => {}
        0 => check(text, text),
        1 => check(&gzip(text), text),
        2 => check(&[gzip(&text[..middle]), gzip(&text[middle..])].concat(), text),
        3 => check(&gzip(&gzip(text)), text),
        _ => check_cut(gzip(text), how, text),
    }
});

/// Begins as gzip or zstd does, whose skippable frames have sixteen magic numbers.
fn is_compressed(text: &[u8]) -> bool {
    text.starts_with(&[0x1f, 0x8b]) || text.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) || matches!(text, [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..])
}

/// Every byte belongs to a document or separates two, and reading continues after any document.
fn check(raw: &[u8], text: &[u8]) {
    let Some(documents) = read(raw, Position::default()) else { return };
    let mut before = Position::default();
    for document in &documents {
        assert!(document.start.bytes >= before.bytes && document.end.bytes >= document.start.bytes, "{before:?} {document:?}");
        assert!(document.end.bytes <= text.len() as u64);
        before = document.end;
    }
    for at in [0, documents.len() / 3, documents.len() / 2, documents.len().saturating_sub(1)] {
        let Some(document) = documents.get(at) else { continue };
        let rest = read(raw, document.end).expect("as before");
        // That an array is not closed is said of the end of the text, so each reading says it.
        let repeated = usize::from(document.broken == Some(BrokenReason::ArrayNotClosed));
        assert_eq!(rest.len(), documents.len() - at - 1 + repeated, "from {:?}", document.end);
    }
    let beyond = Position { bytes: text.len() as u64 + 1, ..Position::default() };
    assert!(Documents::open(Cursor::new(raw.to_vec()), beyond).is_err(), "a position beyond the end is an error");
}

/// A truncated file is an error. The documents before it are those of the text.
fn check_cut(mut raw: Vec<u8>, how: usize, text: &[u8]) {
    let whole = read(text, Position::default()).expect("it was read before");
    let kept = 2 + how / 4 * (raw.len() - 3) / 64;
    raw.truncate(kept);
    let Ok(mut documents) = Documents::open(Cursor::new(raw), Position::default()) else { return };
    for document in &whole {
        match documents.next_document() {
            Ok(Some(read)) => assert_eq!(read.text, document.text),
            Ok(None) => panic!("the file ends before its documents"),
            Err(_) => return,
        }
    }
    assert!(documents.next_document().is_err(), "the checksum is missing");
}

/// `None` if the file cannot be opened.
fn read(raw: &[u8], start: Position) -> Option<Vec<Document>> {
    let mut documents = match Documents::open(Cursor::new(raw.to_vec()), start) {
        Ok(documents) => documents,
        Err(OpenError::Read(_) | OpenError::Foreign(_)) => return None,
    };
    let mut all = Vec::new();
    loop {
        match documents.next_document() {
            Ok(Some(document)) => all.push(document),
            Ok(None) => return Some(all),
            Err(_) => return None,
        }
    }
}

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text).and_then(|()| encoder.finish()).expect("memory")
}
