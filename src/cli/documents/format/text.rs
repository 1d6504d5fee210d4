//! Recognizes formats of text. The first line decides, unless JSON follows: a tool may write a message before the JSON.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::conversion::{ACCESS_LOG, BASE64, JSON_STRINGS, LFS_POINTER, MARKUP, OTHER_ACCESS_LOG, TEXT_TABLE, YAML};
use super::{ForeignFormat, binary, csv};
use crate::cli::documents::json_scanner::{JsonScanner, Scan};

/// Lines that a tool may write before a table, such as the state of a job.
const MAX_MESSAGE_LINES: usize = 10;

/// A format in the beginning of a text.
pub(super) fn find(head: &[u8]) -> Option<ForeignFormat> {
    let text = String::from_utf8_lossy(head);
    let text = text.trim_start_matches(|c: char| c.is_whitespace() || c == '\0' || c == '\x1e');
    if text.starts_with(['{', '[']) {
        return None;
    }
    let mut lines = lines_of(text);
    let (first, second) = (lines.next()?, lines.next());
    if is_markup(first) {
        return Some(MARKUP);
    }
    if is_yaml(first, second) {
        return Some(YAML);
    }
    if has_json_line(text) {
        return None;
    }
    if lines_of(text).take(MAX_MESSAGE_LINES).any(is_drawn_line) {
        return Some(TEXT_TABLE);
    }
    find_by_first_line(first).or_else(|| csv::find(text)).or_else(|| binary::find_unknown(head))
}

/// Lines that are not blank.
fn lines_of(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(str::trim_end).filter(|line| !line.is_empty())
}

fn find_by_first_line(first: &str) -> Option<ForeignFormat> {
    if is_common_log(first) {
        return Some(ACCESS_LOG);
    }
    if is_other_access_log(first) {
        return Some(OTHER_ACCESS_LOG);
    }
    if first.starts_with("version https://git-lfs") {
        return Some(LFS_POINTER);
    }
    if serde_json::from_str::<Cow<'_, str>>(first).is_ok_and(|text| text.trim_start().starts_with(['{', '['])) {
        return Some(JSON_STRINGS);
    }
    if is_base64_of_json(first) {
        return Some(BASE64);
    }
    None
}

/// Whether a line begins with an object, or with an array of them.
fn has_json_line(text: &str) -> bool {
    let starts = text.match_indices('\n').map(|(index, _)| text[index..].trim_start());
    starts
        .filter_map(|rest| {
            let object = rest.trim_start_matches(|c: char| c == '[' || c.is_whitespace());
            let is_at_start = rest.starts_with(['{', '[']);
            object.strip_prefix('{').filter(|members| is_at_start && members.trim_start().starts_with(['"', '}'])).map(|_| object)
        })
        .any(|object| !matches!(JsonScanner::new().scan(object.as_bytes()), Scan::Error(_)))
}

fn is_markup(line: &str) -> bool {
    let after = line.strip_prefix('<').and_then(|rest| rest.chars().next());
    after.is_some_and(|c| c.is_ascii_alphabetic() || matches!(c, '?' | '!'))
}

/// A table that `bq` or `gcloud` draws.
fn is_drawn_line(line: &str) -> bool {
    (line.starts_with("+-") && line.chars().all(|c| matches!(c, '+' | '-'))) || line.starts_with('\u{250c}')
}

/// `HOST IDENT USER [DD/Mon/YYYY:…] "REQUEST" …`, the common log format, also with a virtual host in front.
fn is_common_log(line: &str) -> bool {
    let Some((before, after)) = line.split_once(" [") else { return false };
    let Some((time, request)) = after.split_once("] \"") else { return false };
    let is_time = time.len() >= 20 && time.as_bytes()[2] == b'/' && time.as_bytes()[6] == b'/' && time.contains(':');
    is_time && before.split(' ').count() >= 3 && request.contains('"')
}

/// A line with `"GET /path HTTP/1.1"`, or the head of the extended log format.
fn is_other_access_log(line: &str) -> bool {
    let has_request = ["\"GET ", "\"HEAD ", "\"POST "].iter().any(|method| line.contains(method)) && line.contains(" HTTP/");
    has_request || line.starts_with("#Fields:") || line.starts_with("#Version:") || line.starts_with("#Software:")
}

/// A document mark, or a member that is followed by another line of YAML.
fn is_yaml(first: &str, second: Option<&str>) -> bool {
    let is_member = |line: &str| is_yaml_member(line.trim_start());
    match second {
        _ if first.starts_with("%YAML") => true,
        Some(second) if first == "---" => !second.trim_start().starts_with(['{', '[']),
        Some(second) => is_member(first) && is_member(second),
        None => first == "---" || first.ends_with(':') && is_member(first),
    }
}

/// `name:` or `name: value`, also in a list, which begins with `- `.
fn is_yaml_member(line: &str) -> bool {
    let Some((name, value)) = line.strip_prefix("- ").unwrap_or(line).split_once(':') else { return false };
    let name = name.trim_matches(['"', '\'']);
    let is_name =
        name.starts_with(|c: char| c.is_ascii_alphabetic()) && name.chars().all(|c| c.is_ascii_alphanumeric() || "_-./".contains(c));
    is_name && (value.is_empty() || value.starts_with(' '))
}

/// The data of messages, as `--format='value(message.data)'` prints it.
fn is_base64_of_json(line: &str) -> bool {
    let head = line.get(..line.len().min(64) / 4 * 4).unwrap_or_default();
    STANDARD.decode(head).is_ok_and(|data| data.trim_ascii_start().starts_with(b"{\"") || data.starts_with(b"{\n"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::documents::format::conversion::{CSV, CSV_OF_JSON, UNKNOWN_BINARY};

    #[test]
    fn text_in_other_formats_is_recognized() {
        for (text, expected) in [
            ("203.0.113.7 - - [02/Jan/2026:03:04:05 +0000] \"GET /pixel.png?user_id=u HTTP/1.1\" 200 43\n", ACCESS_LOG),
            ("t.example:443 203.0.113.7 - bob [02/Jan/2026:03:04:05 +0100] \"GET / HTTP/2\" 200 0 \"-\" \"a, b\"\n", ACCESS_LOG),
            (
                "https 2026-01-02T03:04:05.6Z app/lb/1 203.0.113.7:2817 - 0 0 0 200 200 0 57 \"GET https://t.example:443/ HTTP/1.1\" \"UA\"\n",
                OTHER_ACCESS_LOG,
            ),
            ("#Version: 1.0\n#Fields: date time cs-method cs-uri-stem\n2026-01-02\t03:04:05\tGET\t/pixel.png\n", OTHER_ACCESS_LOG),
            ("---\nhttpRequest:\n  requestUrl: https://t.example\n", YAML),
            ("insertId: 1abc\nlogName: projects/p/logs/requests\n", YAML),
            ("- ackId: abc\n  message:\n    data: e30=\n", YAML),
            ("---\ninsertId: 1\ntextPayload: |-\n  {\"a\": 1}\n", YAML),
            ("\"httpRequest\":\n  \"requestUrl\": https://t.example\n", YAML),
            ("httpRequest:", YAML),
            ("<?xml version=\"1.0\"?>\n<entries/>\n", MARKUP),
            ("\n<!doctype html>\n<title>Sign in</title>", MARKUP),
            ("<html>\n<script>\n{\"a\": 1}\n</script>\n", MARKUP),
            ("+------+\n| data |\n+------+\n| {\"a\":1} |\n+------+\n", TEXT_TABLE),
            ("Waiting on bqjob_r1 ... (0s) Current status: DONE   \n+---+---+\n| a | b |\n", TEXT_TABLE),
            ("\u{250c}\u{2500}\u{2510}\n\u{2502}DATA\u{2502}\n", TEXT_TABLE),
            ("\"{\\\"a\\\":1}\"\n\"{\\\"a\\\":2}\"\n", JSON_STRINGS),
            ("eyJodHRwUmVxdWVzdCI6eyJyZXF1ZXN0VXJsIjoiL3AifX0=\n", BASE64),
            ("version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n", LFS_POINTER),
            ("time,url\n2026,/p\n", CSV),
            ("data\n\"{\"\"a\"\":1}\"\n", CSV_OF_JSON),
            ("id,payload\n1,\"\n{\n  \"\"a\"\": 1\n}\"\n2,\"\n{ \"\"a\"\": 2}\"\n", CSV_OF_JSON),
            ("caf\0\x01\x02", UNKNOWN_BINARY),
        ] {
            assert_eq!(find(text.as_bytes()), Some(expected), "{text}");
        }
        assert_eq!(find(b"gr\xf6\xdfe;url\n1;/p\n"), Some(CSV), "ISO 8859-1");
    }

    #[test]
    fn json_and_unknown_text_are_not_refused() {
        for text in [
            "",
            "\n\n",
            "{\"a\":1}\n",
            "[]",
            "[{\"a\":1},\n",
            "no JSON\n",
            "\"hello\"",
            "Listed 3 items.\n[\n{}\n]\n",
            "Listed 3 items.\n[\n  {\n    \"a\": 1\n",
            "warning: one, two\n{\"insertId\":\"a\"}\n",
            "---\n{\"a\":1}\n---\n{\"a\":2}\n",
            "\0\0\0\0",
            "\0\0\0\0{\"a\":1}",
            "\x1e{\"a\":1}\n",
            "NaN",
            "{'a': 1}\n{'a': 2}\n",
            "// comment\n{\"a\":1}\n",
            "2026-01-02T03:04:05Z INFO {\"a\":1}\n",
        ] {
            assert_eq!(find(text.as_bytes()), None, "{text:?}");
        }
    }
}
