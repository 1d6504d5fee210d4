//! Files in the forms of other tools: each event becomes a row, or the file is refused.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use std::process::Stdio;

use tokio::io::AsyncWriteExt as _;

use super::{column, gzip, replay, replayed, run, write};
use crate::support::bigquery::TempDir;
use crate::support::external::skipped;
use crate::support::service::TIMEOUT;
use crate::support::{Entry, TestBigQuery};

fn entries() -> Vec<Value> {
    (0..3).map(|order| Entry::of_query(&format!("user_id=u&order_id={order:04}")).0).collect()
}

fn lines(documents: &[Value]) -> String {
    documents.iter().map(|document| document.to_string() + "\n").collect()
}

fn snake_case(entry: &Value) -> Value {
    let mut text = entry.to_string();
    for (camel, snake) in [
        ("httpRequest", "http_request"),
        ("requestUrl", "request_url"),
        ("requestMethod", "request_method"),
        ("insertId", "insert_id"),
        ("logName", "log_name"),
    ] {
        text = text.replace(&format!("\"{camel}\""), &format!("\"{snake}\""));
    }
    serde_json::from_str(&text).unwrap()
}

/// A row as `bq extract` writes it; with `is_text`, as `bq query --format=json` does.
fn dead_letter(entry: &Value, is_text: bool) -> Value {
    json!({
        "event_id": "e", "received_timestamp": "2026-01-02 03:04:08 UTC", "reason": "required_column", "detail": "d", "column": null,
        "data": STANDARD.encode(entry.to_string()), "message_id": "7", "publish_time": "2026-01-02T03:04:07.5Z",
        "attributes": if is_text { json!("{\"a\":\"b\"}") } else { json!({"a": "b"}) },
        "delivery_attempt": "3",
    })
}

fn pulled(entry: &Value) -> Value {
    json!({"ackId": "ack", "message": {"data": STANDARD.encode(entry.to_string()), "messageId": "7", "publishTime": "2026-01-02T03:04:07.5Z"}})
}

#[tokio::test]
async fn events_are_read_from_the_files_of_other_tools() {
    let entries = entries();
    let of = |form: &dyn Fn(&Value) -> Value| entries.iter().map(form).collect::<Vec<_>>();
    let pretty = |document: &Value| serde_json::to_string_pretty(document).unwrap();
    let text = lines(&entries);
    let files: Vec<(&str, Vec<u8>)> = vec![
        ("gcloud_logging_read.json", pretty(&json!(entries)).into_bytes()),
        ("one_line_array.json", json!(entries).to_string().into_bytes()),
        ("pages.json", json!([entries[..2], entries[2..]]).to_string().into_bytes()),
        ("pretty.json", entries.iter().map(pretty).collect::<Vec<_>>().join("\n").into_bytes()),
        ("concatenated.json", entries.iter().map(Value::to_string).collect::<String>().into_bytes()),
        ("crlf.jsonl", text.replace('\n', "\r\n\r\n").into_bytes()),
        ("bom.jsonl", format!("\u{feff}{text}").into_bytes()),
        ("padded.jsonl", format!("{text}\0\0\0\0").into_bytes()),
        ("snake.jsonl", lines(&of(&snake_case)).into_bytes()),
        ("answer.json", json!({"entries": entries, "nextPageToken": "x"}).to_string().into_bytes()),
        ("pulled.json", pretty(&json!(of(&pulled))).into_bytes()),
        ("pull_answer.json", json!({"receivedMessages": of(&pulled)}).to_string().into_bytes()),
        ("bq_extract.json", lines(&of(&|entry| dead_letter(entry, false))).into_bytes()),
        ("bq_query.json", json!(of(&|entry| dead_letter(entry, true))).to_string().into_bytes()),
        ("text_data.json", lines(&of(&|entry| json!({"data": entry.to_string(), "message_id": "7"}))).into_bytes()),
        ("array.json.gz", gzip(pretty(&json!(entries)))),
        ("members", [gzip(&text[..700]), gzip(&text[700..])].concat()),
        ("lines.zst", zstd::encode_all(text.as_bytes(), 1).unwrap()),
        ("mixed", [format!("\u{feff}[{}]\n", entries[0]), pretty(&entries[1]), pulled(&entries[2]).to_string()].concat().into_bytes()),
    ];
    let dir = TempDir::new();
    let bigquery = TestBigQuery::start().await;
    for (number, (name, content)) in files.iter().enumerate() {
        let file = write(dir.path(), name, content);
        let table = format!("t{number}");
        let replayed = replayed(&bigquery, &["--table-name", &table, file.to_str().unwrap()]).await;
        assert_eq!((replayed.count("stored"), &replayed.summary()["entries"]), (3, &json!(3)), "{name}: {}", replayed.out);
        assert_eq!(column(&bigquery, &table, "order_id").await, ["0000", "0001", "0002"], "{name}");
    }
    assert_eq!(bigquery.rows("dead_letters").await.len(), 0);
}

#[tokio::test]
async fn other_formats_are_refused_before_anything_is_stored() {
    let text = lines(&entries());
    let utf_16 = |unit: fn(u16) -> [u8; 2], text: &str| text.encode_utf16().flat_map(unit).collect::<Vec<u8>>();
    let access_log = "203.0.113.7 - - [02/Jan/2026:03:04:05 +0000] \"GET /pixel.png?user_id=u HTTP/1.1\" 200 43 \"-\" \"UA\"\n";
    let files: Vec<(&str, Vec<u8>, &str)> = vec![
        ("le_bom", utf_16(u16::to_le_bytes, &format!("\u{feff}{text}")), "iconv -f UTF-16 "),
        ("be_bom", utf_16(u16::to_be_bytes, &format!("\u{feff}[{text}]")), "iconv -f UTF-16 "),
        ("le", utf_16(u16::to_le_bytes, &text), "iconv -f UTF-16LE "),
        ("be_line", utf_16(u16::to_be_bytes, &format!("\n\n{text}")), "iconv -f UTF-16BE "),
        ("csv", b"timestamp,httpRequest.requestUrl\n2026-01-02,https://t.example/pixel.png?user_id=u\n".to_vec(), "mlr --icsv"),
        ("letters.csv", b"event_id,received_timestamp,reason,data\n1,2026-01-02,bad_json,e30=\n".to_vec(), "NEWLINE_DELIMITED_JSON"),
        ("access.log", access_log.into(), "jq -cR"),
        ("access.log.gz", gzip(access_log), "jq -cR"),
        ("yaml", b"---\nhttpRequest:\n  requestUrl: https://t.example/\n".to_vec(), "--format=json"),
        ("html", b"<!doctype html><title>Sign in</title>".to_vec(), "--format=json"),
        ("zip", b"PK\x03\x04\0\0".to_vec(), "unzip -p"),
        ("parquet", b"PAR1\x15\x04".to_vec(), "bq extract"),
        ("json.csv", csv_of_json(&entries()).into_bytes(), "csv.reader"),
        ("table", b"+-----+\n| a   |\n+-----+\n| {}  |\n+-----+\n".to_vec(), "--format=json"),
        ("strings", format!("{}\n", json!(entries()[0].to_string())).into_bytes(), "jq -c fromjson"),
        ("base64", STANDARD.encode(entries()[0].to_string()).into_bytes(), "@base64d"),
        ("pixel.png", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec(), "unknown binary data"),
    ];
    let dir = TempDir::new();
    let bigquery = TestBigQuery::start().await;
    let good = write(dir.path(), "good.jsonl", &text);
    for (name, content, command) in files {
        let file = write(dir.path(), name, content);
        let refused = run(replay(&bigquery, &[good.to_str().unwrap(), file.to_str().unwrap()])).await;
        assert_eq!((refused.code, refused.out.as_str()), (Some(2), ""), "{name}: {}", refused.err);
        assert!(refused.err.contains(command) && refused.err.contains(file.to_str().unwrap()), "{name}: {}", refused.err);
    }
    assert_eq!(bigquery.faults().insert_all_requests().requests, 0);
}

/// Nothing of the other inputs is stored either.
#[tokio::test]
async fn streams_in_other_formats_are_refused_as_files_are() {
    let dir = TempDir::new();
    let bigquery = TestBigQuery::start().await;
    let good = write(dir.path(), "good.jsonl", lines(&entries()));
    let fifo = dir.path().join("fifo");
    assert!(std::process::Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    let utf_16: Vec<u8> = "[{\"insertId\":\"a\"}]".encode_utf16().flat_map(u16::to_le_bytes).collect();
    for (content, command) in [(utf_16, "iconv -f UTF-16LE -t UTF-8 FILE"), (b"time,url\n1,/p\n".to_vec(), "mlr --icsv --ojson cat FILE")] {
        for name in ["-", fifo.to_str().unwrap()] {
            let mut child = replay(&bigquery, &[good.to_str().unwrap(), name]).stdin(Stdio::piped()).spawn().unwrap();
            let mut stdin = child.stdin.take().unwrap();
            let write = async {
                if name == "-" {
                    stdin.write_all(&content).await.unwrap();
                    drop(stdin);
                } else {
                    tokio::fs::write(name, &content).await.unwrap();
                }
            };
            let run = async { tokio::join!(write, child.wait_with_output()).1.unwrap() };
            let output = tokio::time::timeout(TIMEOUT, run).await.expect("the command ends");
            let err = String::from_utf8(output.stderr).unwrap();
            assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{name}: {err}");
            assert!(err.contains(&format!("cannot read {name}: ")) && err.contains(command), "{name}: {err}");
        }
    }
    assert_eq!(bigquery.faults().insert_all_requests().requests, 0);
}

#[tokio::test]
async fn a_directory_is_refused_with_the_pattern_of_its_files() {
    let dir = TempDir::new();
    let bigquery = TestBigQuery::start().await;
    let refused = run(replay(&bigquery, &[dir.path().to_str().unwrap()])).await;
    assert_eq!(refused.code, Some(2), "{}", refused.err);
    assert!(refused.err.contains(&format!("give {}/*", dir.path().display())), "{}", refused.err);
}

/// What the error names to convert the file.
fn conversion(err: &str) -> &str {
    err.trim().split_once("To convert it: ").expect("the error has a command").1
}

fn csv_of_json(entries: &[Value]) -> String {
    let cells = entries.iter().map(|entry| format!("1,\"{}\"\n", entry.to_string().replace('"', "\"\"")));
    format!("id,entry\n{}", cells.collect::<String>())
}

#[tokio::test]
async fn files_are_read_after_their_conversion() {
    let entries = entries();
    let text = lines(&entries);
    let utf_32: Vec<u8> = text.chars().flat_map(|c| u32::from(c).to_be_bytes()).collect();
    let strings = lines(&entries.iter().map(|entry| json!(entry.to_string())).collect::<Vec<_>>());
    let base64: String = entries.iter().map(|entry| STANDARD.encode(entry.to_string()) + "\n").collect();
    let files: Vec<(&str, &str, Vec<u8>)> = vec![
        ("iconv", "utf_32", utf_32),
        ("python3", "rows.csv", csv_of_json(&entries).into_bytes()),
        ("jq", "strings", strings.into_bytes()),
        ("jq", "base64", base64.into_bytes()),
    ];
    let dir = TempDir::new();
    let bigquery = TestBigQuery::start().await;
    for (number, (tool, name, content)) in files.into_iter().enumerate() {
        if std::process::Command::new(tool).arg("--version").output().is_err() {
            return skipped("files_are_read_after_their_conversion", tool);
        }
        let file = write(dir.path(), name, content);
        let refused = run(replay(&bigquery, &[file.to_str().unwrap()])).await;
        let converted = std::process::Command::new("sh").args(["-c", conversion(&refused.err)]).current_dir(dir.path()).status().unwrap();
        assert!(converted.success(), "{name}: {}", refused.err);
        let table = format!("t{number}");
        let entries = dir.path().join("entries.json");
        let replayed = replayed(&bigquery, &["--table-name", &table, entries.to_str().unwrap()]).await;
        assert_eq!(replayed.count("stored"), 3, "{name}: {}", replayed.out);
    }
}

/// The command that the error names converts the file.
#[tokio::test]
async fn an_access_log_is_read_after_its_conversion() {
    let Ok(_) = std::process::Command::new("jq").arg("--version").output() else {
        return skipped("an_access_log_is_read_after_its_conversion", "jq");
    };
    let dir = TempDir::new();
    let log =
        "203.0.113.7 - - [02/Jan/2026:03:04:05 +0130] \"GET /pixel.png?user_id=u&order_id=1 HTTP/1.1\" 200 43 \"-\" \"UA\"\n".repeat(2);
    let file = write(dir.path(), "access.log", log);
    let bigquery = TestBigQuery::start().await;
    let refused = run(replay(&bigquery, &[file.to_str().unwrap()])).await;
    let command = conversion(&refused.err);
    let converted = std::process::Command::new("sh").args(["-c", command]).current_dir(dir.path()).status().unwrap();
    assert!(converted.success(), "{command}");
    let replayed = replayed(&bigquery, &[dir.path().join("entries.json").to_str().unwrap()]).await;
    assert_eq!(replayed.count("stored"), 2, "two equal requests are two events");
    assert_eq!(column(&bigquery, "pixel", "order_id").await, ["1", "1"]);
}

#[tokio::test]
async fn every_broken_part_is_reported_and_the_rest_is_stored() {
    let entries = entries();
    let (array, cut) = (json!(entries).to_string(), entries[1].to_string());
    let not_json = json!({"message": {"data": STANDARD.encode("hello"), "messageId": "1"}}).to_string();
    let files: Vec<(&str, String, u64, u64)> = vec![
        ("cut_array.json", array[..array.len() - 20].to_owned(), 2, 2),
        ("open_array.json", array[..array.len() - 1].to_owned(), 3, 1),
        ("cut_line.jsonl", format!("{}\n{}\n{}\n", entries[0], &cut[..30], entries[2]), 2, 1),
        ("element.json", format!("[{},{{\"a\":}},null,{}]", entries[0], entries[2]), 2, 2),
        ("no_entry.jsonl", format!("{}\n{{}}\n{{\"a\":1}}\n{not_json}\n", entries[0]), 1, 3),
        ("banner.txt", format!("Listed 1 items.\n{}\n", entries[0]), 1, 1),
    ];
    let dir = TempDir::new();
    let bigquery = TestBigQuery::start().await;
    for (number, (name, content, stored, broken)) in files.into_iter().enumerate() {
        let file = write(dir.path(), name, content);
        let table = format!("t{number}");
        let run = run(replay(&bigquery, &["--format=json", "--table-name", &table, file.to_str().unwrap()])).await;
        assert_eq!((run.code, run.count("stored"), run.count("broken")), (Some(1), stored, broken), "{name}: {}{}", run.out, run.err);
        assert!(run.err.contains(name) && run.summary()["errors"].as_array().unwrap().len() == 1, "{name}: {}", run.err);
    }
    assert_eq!(bigquery.rows("dead_letters").await.len(), 0, "the files still have them");
}

/// Each run reports the broken line again: the checkpoint does not hide it.
#[tokio::test]
async fn a_checkpoint_stays_before_a_broken_entry() {
    let entries = entries();
    let dir = TempDir::new();
    let bigquery = TestBigQuery::start().await;
    let file = write(dir.path(), "a.json", format!("[{},\n  oops,\n{}\n]", entries[0], entries[2]));
    let checkpoint = dir.path().join("checkpoint");
    let args = [file.to_str().unwrap(), "--checkpoint", checkpoint.to_str().unwrap(), "--format=json"];
    for stored in [2, 1] {
        let run = run(replay(&bigquery, &args)).await;
        assert_eq!((run.code, run.count("stored"), run.count("broken")), (Some(1), stored, 1), "{}", run.err);
        assert!(run.err.contains("a.json:2, element 2"), "{}", run.err);
    }
    write(dir.path(), "a.json", format!("[{},\n  {},\n{}\n]", entries[0], entries[1], entries[2]));
    std::fs::remove_file(&checkpoint).unwrap();
    let run = run(replay(&bigquery, &args)).await;
    assert_eq!((run.code, run.count("stored")), (Some(0), 3), "{}", run.err);
    let mut orders = column(&bigquery, "pixel", "order_id").await;
    orders.dedup();
    assert_eq!(orders, ["0000", "0001", "0002"]);
}

#[tokio::test]
async fn an_input_without_entries_is_said_to_be_empty() {
    let dir = TempDir::new();
    let bigquery = TestBigQuery::start().await;
    for (content, args, expected) in [
        ("", &[][..], "nothing to replay: the input has no entries"),
        ("[]", &[], "nothing to replay: the input has no entries"),
        (&lines(&entries()), &["--since=2027-01-01"], "nothing to replay: no entry is in the period"),
    ] {
        let file = write(dir.path(), "a.json", content);
        let run = run(replay(&bigquery, &[args, &[file.to_str().unwrap()]].concat())).await;
        assert_eq!(run.code, Some(0), "{}", run.err);
        assert!(run.out.contains(expected), "{content:?}: {}", run.out);
    }
}
