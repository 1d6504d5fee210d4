//! The whole way from bytes to messages: each form of a file gives the same messages, and no byte is lost.

use std::io::{self, Cursor, Read, Write as _};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::message::{Message, messages};
use super::*;
use crate::decode::json as json_reader;
use crate::decode::log_entry::LogEntry;

fn read(raw: impl AsRef<[u8]>, start: Position) -> Vec<Document> {
    let mut documents = Documents::open(Cursor::new(raw.as_ref().to_vec()), start).map_err(|error| error.describe(None)).unwrap();
    std::iter::from_fn(|| documents.next_document().unwrap()).collect()
}

/// Line, and text or why it is broken.
fn parts(raw: impl AsRef<[u8]>) -> Vec<(u64, Result<String, BrokenReason>)> {
    let text = |document: &Document| String::from_utf8_lossy(&document.text).into_owned();
    read(raw, Position::default())
        .iter()
        .map(|document| (document.place.line, document.broken.map_or_else(|| Ok(text(document)), Err)))
        .collect()
}

fn ok(line: u64, text: &str) -> (u64, Result<String, BrokenReason>) {
    (line, Ok(text.to_owned()))
}

fn broken(line: u64) -> (u64, Result<String, BrokenReason>) {
    (line, Err(BrokenReason::NotJson))
}

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn documents_are_found_in_any_layout() {
    for text in [
        "{\"a\":1}\n{\"b\":[2]}\n{}",
        "{\"a\":1}\r\n\r\n{\"b\":[2]}\r\n{}\r\n",
        "{\"a\":1}{\"b\":[2]}{}",
        "[{\"a\":1},{\"b\":[2]},{}]",
        "[\n  {\"a\":1},\n  {\"b\":[2]},\n  {}\n]\n",
        "[{\"a\":1}]\n[]\n[{\"b\":[2]},{}]",
        "[[{\"a\":1}],[[{\"b\":[2]}],{}]]",
        "{\"a\":1},\n{\"b\":[2]},\n{},\n",
        "\u{feff}{\"a\":1}\n\u{feff}{\"b\":[2]}\n{}",
        "\u{1e}{\"a\":1}\n\u{1e}{\"b\":[2]}\n\u{1e}{}\n",
        "{\"a\":1}\n{\"b\":[2]}\n{}\n\0\0\0\0",
    ] {
        let found: Vec<String> = parts(text).into_iter().map(|(_, text)| text.unwrap()).collect();
        assert_eq!(found, ["{\"a\":1}", "{\"b\":[2]}", "{}"], "{text:?}");
    }
    for empty in ["", "\n \r\n", "[]", "[\n]\n", "\u{feff}", "\0\0\0"] {
        assert_eq!(parts(empty), [], "{empty:?}");
    }
}

#[test]
fn broken_text_is_one_part_and_reading_continues() {
    for (text, expected) in [
        ("{\"a\":\n{\"b\":1}\n{\"c\":1}\n", vec![broken(1), ok(2, "{\"b\":1}"), ok(3, "{\"c\":1}")]),
        ("{\"a\":\"b\n{\"b\":1}\n", vec![broken(1), ok(2, "{\"b\":1}")]),
        ("{\"a\":\"b,\"c\":1}\n{\"b\":1}\n", vec![broken(1), ok(2, "{\"b\":1}")]),
        ("no JSON\n{\"b\":1}\nnull\n42\n\"text\"\n", vec![broken(1), ok(2, "{\"b\":1}"), broken(3), broken(4), broken(5)]),
        ("{\n  \"a\": 1,\n}\n{\n  \"b\": 1\n}\n", vec![broken(1), ok(4, "{\n  \"b\": 1\n}")]),
        ("[\n  {\n    \"a\": 1\n    \"c\": [\n      {}\n    ]\n  },\n  {\"b\": 1}\n]\n", vec![broken(2), ok(8, "{\"b\": 1}")]),
        ("[\n  {\n    \"a\": {\n  },\n  {\"b\": 1}\n]\n", vec![broken(2), ok(5, "{\"b\": 1}")]),
        (
            "[{\"a\":1,},{\"b\":1},null,2,\"x,]\",{\"c\":1}]",
            vec![broken(1), ok(1, "{\"b\":1}"), broken(1), broken(1), broken(1), ok(1, "{\"c\":1}")],
        ),
        ("{\"a\":1}]\n}\n{\"b\":1}\n", vec![ok(1, "{\"a\":1}"), broken(1), broken(2), ok(3, "{\"b\":1}")]),
        ("{\"a\":1}\n\0\0\0{\"b\":1}\n", vec![ok(1, "{\"a\":1}"), broken(2), ok(2, "{\"b\":1}")]),
        ("{\"a\":1}\n{\"b\":", vec![ok(1, "{\"a\":1}"), (2, Err(BrokenReason::Truncated))]),
        ("[{\"a\":1},\n{\"b\":", vec![ok(1, "{\"a\":1}"), (2, Err(BrokenReason::Truncated)), (2, Err(BrokenReason::ArrayNotClosed))]),
        ("[{\"a\":1},\n", vec![ok(1, "{\"a\":1}"), (2, Err(BrokenReason::ArrayNotClosed))]),
        ("{'a': 1}\n", vec![broken(1)]),
    ] {
        assert_eq!(parts(text), expected, "{text:?}");
    }
}

/// Text of which only the beginning is in memory.
struct Repeated {
    head: Cursor<&'static [u8]>,
    middle: &'static [u8],
    times: usize,
    tail: Cursor<&'static [u8]>,
}

impl Read for Repeated {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.head.read(buffer)?;
        if count > 0 || self.times == 0 {
            return if count > 0 { Ok(count) } else { self.tail.read(buffer) };
        }
        self.times -= 1;
        Cursor::new(self.middle).read(buffer)
    }
}

#[test]
fn a_document_of_more_than_16_mib_is_skipped_and_the_next_is_read() {
    for (head, tail) in [("{\"a\":\"", "\"}\n{\"b\":1}"), ("[{\"a\":\"", "\"},{\"b\":1}]"), ("x", "\n{\"b\":1}")] {
        let text =
            Repeated { head: Cursor::new(head.as_bytes()), middle: &[b'x'; 1 << 15], times: 600, tail: Cursor::new(tail.as_bytes()) };
        let mut documents = Documents::open(text, Position::default()).map_err(|error| error.describe(None)).unwrap();
        let first = documents.next_document().unwrap().unwrap();
        let expected = if head == "x" { BrokenReason::NotJson } else { BrokenReason::TooLong };
        assert_eq!(first.broken, Some(expected), "{head}");
        assert!(first.text.len() <= 1 << 16 && first.end.bytes > 16 << 20, "{}", first.end.bytes);
        assert_eq!(documents.next_document().unwrap().unwrap().text, b"{\"b\":1}", "{head}");
        assert_eq!(documents.next_document().unwrap(), None);
    }
}

/// Each cut line leaves a bracket open, so that the rest of the text could belong to it.
#[test]
fn many_cut_lines_are_read_in_linear_time() {
    let text = "{\"a\":\n".repeat(200_000) + "{\"b\":1}\n";
    let found = read(text, Position::default());
    assert_eq!(found.len(), 200_001);
    assert_eq!(found.iter().filter(|document| document.broken.is_none()).count(), 1);
}

#[test]
fn reading_continues_after_any_document() {
    let text = "\u{feff}{\"a\":1}\n\n[{\"b\":2}, {\"c\":\n3},bad,{\"d\":4}]\n{\"e\":5}{}\n";
    for raw in [text.as_bytes().to_vec(), gzip(text.as_bytes()), zstd::encode_all(text.as_bytes(), 1).unwrap()] {
        let all = read(&raw, Position::default());
        assert_eq!(all.len(), 7);
        for (index, document) in all.iter().enumerate() {
            let rest = read(&raw, document.end);
            let texts = |documents: &[Document]| documents.iter().map(|document| (document.text.clone(), document.end)).collect::<Vec<_>>();
            assert_eq!(texts(&rest), texts(&all[index + 1..]), "after {:?}", document.place);
        }
    }
}

/// The file may have grown since then.
#[test]
fn an_array_that_is_not_closed_is_reported_by_each_reading() {
    let text = "[{\"a\":1},\n";
    let end = read(text, Position::default())[1].end;
    assert_eq!(read(text, end).iter().map(|document| document.broken).collect::<Vec<_>>(), [Some(BrokenReason::ArrayNotClosed)]);
    assert_eq!(read(text.to_owned() + "{\"b\":2}]", end).iter().map(|document| &document.text[..]).collect::<Vec<_>>(), [b"{\"b\":2}"]);
}

#[test]
fn a_changed_or_shorter_text_is_not_continued() {
    let text = "{\"a\":1}\n{\"b\":2}\n";
    let start = read(text, Position::default())[1].end;
    for other in ["{\"a\":9}\n{\"b\":2}\n", "{\"a\":1}\n"] {
        assert!(matches!(Documents::open(Cursor::new(other), start), Err(OpenError::Read(_))), "{other}");
    }
    assert!(Documents::open(Cursor::new(text.to_owned() + "{\"c\":3}"), start).is_ok());
}

fn entry() -> impl Strategy<Value = Value> {
    let text = "[ -~\u{e4}\u{4e2d}\u{1f600}\\n\\t]{0,12}";
    (text, "[a-z0-9]{1,12}", any::<bool>(), 0..86_400_i64).prop_map(|(value, id, has_payload, second)| {
        let mut entry = json!({
            "httpRequest": {"requestMethod": "GET", "requestUrl": format!("https://t.example/pixel.png?user_id={value}"), "status": 200},
            "insertId": id,
            "logName": "projects/p/logs/requests",
            "timestamp": jiff::Timestamp::from_second(1_767_312_000 + second).unwrap().to_string(),
        });
        if has_payload {
            entry["jsonPayload"] = json!({"a_b": [value, {"}{][": null}]});
        }
        entry
    })
}

fn snake_case(entry: &Value) -> Value {
    let rename = |members: &Map<String, Value>, names: &[(&str, &str)]| -> Map<String, Value> {
        let name = |name: &String| names.iter().find(|(camel, _)| camel == name).map_or(name.clone(), |(_, snake)| (*snake).to_owned());
        members.iter().map(|(member, value)| (name(member), value.clone())).collect()
    };
    let mut entry =
        rename(entry.as_object().unwrap(), &[("httpRequest", "http_request"), ("insertId", "insert_id"), ("logName", "log_name")]);
    let request = entry["http_request"].as_object().unwrap();
    entry["http_request"] = rename(request, &[("requestMethod", "request_method"), ("requestUrl", "request_url")]).into();
    entry.into()
}

/// The documents of a file, each with one of the entries.
type Form = fn(&Value) -> Value;
const FORMS: [Form; 10] = [
    Value::clone,
    snake_case,
    |entry| json!({"message": {"data": base64(entry), "messageId": "7", "attributes": {}}, "subscription": "projects/p/subscriptions/s"}),
    |entry| json!({"ackId": "x", "message": {"data": base64(&snake_case(entry)), "message_id": "7", "publish_time": "2026-01-02T03:04:05Z"}}),
    |entry| json!({"ackId": "x", "message": {"data": entry.to_string(), "messageId": "7"}}),
    |entry| json!({"event_id": "1", "reason": "invalid", "data": base64(entry), "message_id": "7", "attributes": "{\"a\":\"b\"}", "delivery_attempt": "3"}),
    |entry| json!({"data": entry.to_string(), "attributes": {"a": "b"}, "subscription_name": "s"}),
    |entry| json!({"data": entry, "message_id": "7", "publish_time": "2026-01-02 03:04:05 UTC"}),
    |entry| json!({"specversion": "1.0", "id": "7", "data": {"message": {"data": base64(entry)}}}),
    |entry| json!({"entries": [entry]}),
];

fn base64(entry: &Value) -> String {
    STANDARD.encode(entry.to_string())
}

/// The layouts of a file.
fn layouts(documents: &[Value]) -> Vec<String> {
    let compact: Vec<String> = documents.iter().map(Value::to_string).collect();
    let pretty: Vec<String> = documents.iter().map(|document| serde_json::to_string_pretty(document).unwrap()).collect();
    vec![
        compact.join("\n"),
        compact.join("\r\n\r\n") + "\r\n",
        compact.concat(),
        pretty.join("\n"),
        format!("[{}]", compact.join(",")),
        format!("[\n{}\n]\n", compact.join(",\n")),
        serde_json::to_string_pretty(documents).unwrap(),
        format!("\u{feff}{}", pretty.join("")),
    ]
}

fn requests(raw: &[u8]) -> Vec<(Option<String>, Option<String>)> {
    let request = |message: &Message| {
        message.check().unwrap();
        let message = message.as_pubsub();
        let data = message.data.bytes().unwrap();
        let entry: LogEntry<'_> = json_reader::read(&data).unwrap();
        let url = entry.http_request.unwrap().0.request_url.text().map(str::to_owned);
        (entry.insert_id.text().map(str::to_owned), url)
    };
    read(raw, Position::default()).iter().flat_map(|document| messages(&document.text)).map(|message| request(&message)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_form_of_a_file_gives_the_same_entries(entries in prop::collection::vec(entry(), 1..4)) {
        let text = |entry: &Value, pointer: &str| entry.pointer(pointer).unwrap().as_str().map(str::to_owned);
        let expected: Vec<_> = entries.iter().map(|entry| (text(entry, "/insertId"), text(entry, "/httpRequest/requestUrl"))).collect();
        for (number, form) in FORMS.iter().enumerate() {
            let documents: Vec<Value> = entries.iter().map(form).collect();
            for layout in layouts(&documents) {
                prop_assert_eq!(requests(layout.as_bytes()), expected.clone(), "form {}: {}", number, layout);
                prop_assert_eq!(requests(&gzip(layout.as_bytes())), expected.clone());
            }
        }
    }

    /// Whatever stands between them, documents that begin a line are read, and every other byte is part of broken text.
    #[test]
    fn no_byte_is_lost(lines in prop::collection::vec(prop_oneof!["[ -~]{0,20}", "[\\[\\]{}\",:a1\\\\]{0,12}", Just("{\"insertId\":\"1\"}".to_owned())], 0..12)) {
        let text = format!("{{\"first\":1}}\n{}", lines.join("\n"));
        let documents = read(&text, Position::default());
        let mut at = 0;
        for document in &documents {
            let between = &text[at..document.start.bytes as usize];
            prop_assert!(between.chars().all(|c| " \r\n\t,[]".contains(c)), "{:?} in {:?}", between, text);
            prop_assert!(document.start.bytes >= at as u64 && document.end.bytes >= document.start.bytes);
            at = document.end.bytes as usize;
        }
        prop_assert!(text[at..].chars().all(|c| " \r\n\t,[]".contains(c)), "{:?} in {:?}", &text[at..], text);
        prop_assert!(documents.len() <= text.len());
    }

    #[test]
    fn any_bytes_are_read_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(mut documents) = Documents::open(Cursor::new(bytes), Position::default()) {
            while let Ok(Some(document)) = documents.next_document() {
                messages(&document.text).iter().for_each(|message| drop(message.check()));
            }
        }
    }
}
