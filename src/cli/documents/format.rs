//! Recognizes files that are not JSON by their first bytes, and names the command that converts them.
//!
//! Only known formats are refused as a whole. In other text, each line that is not JSON is reported by itself.

/// A file in another format than JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ForeignFormat {
    name: &'static str,
    /// In a shell, with `FILE` in place of the file's name.
    command: &'static str,
}

impl ForeignFormat {
    /// What it is and how to convert it. `file` is the file's name.
    pub fn describe(&self, file: &str) -> String {
        let quoted = shlex::try_quote(file).unwrap_or_else(|_| "FILE".into());
        format!("the format is {}, not JSON. To convert it: {}", self.name, self.command.replace("FILE", &quoted))
    }
}

const UTF_16: &str = "iconv -f UTF-16 -t UTF-8 FILE > entries.json";
const UTF_16_LE: &str = "iconv -f UTF-16LE -t UTF-8 FILE > entries.json";
const UTF_16_BE: &str = "iconv -f UTF-16BE -t UTF-8 FILE > entries.json";
const UTF_32: &str = "iconv -f UTF-32 -t UTF-8 FILE > entries.json";
const BQ_EXTRACT: &str = "bq extract --destination_format=NEWLINE_DELIMITED_JSON DATASET.TABLE gs://BUCKET/rows.json";
const GCLOUD: &str = "gcloud logging read FILTER --format=json > entries.json";

/// First bytes of binary formats.
const MAGIC: &[(&[u8], &str, &str)] = &[
    (b"\x00\x00\xfe\xff", "UTF-32", UTF_32),
    (b"\xff\xfe\x00\x00", "UTF-32", UTF_32),
    (b"\xff\xfe", "UTF-16", UTF_16),
    (b"\xfe\xff", "UTF-16", UTF_16),
    (b"PK\x03\x04", "a zip archive", "unzip -p FILE > entries.json"),
    (b"PK\x05\x06", "a zip archive", "unzip -p FILE > entries.json"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", "7z x -so FILE > entries.json"),
    (b"BZh", "bzip2", "bzip2 -dc FILE > entries.json"),
    (b"\xfd7zXZ\x00", "xz", "xz -dc FILE > entries.json"),
    (b"\x04\x22\x4d\x18", "lz4", "lz4 -dc FILE > entries.json"),
    (b"\xff\x06\x00\x00sNaPpY", "snappy", "snzip -dc FILE > entries.json"),
    (b"\x1f\x9d", "compress", "gzip -dc FILE > entries.json"),
    (b"PAR1", "Parquet", BQ_EXTRACT),
    (b"Obj\x01", "Avro", BQ_EXTRACT),
    (b"ORC", "ORC", BQ_EXTRACT),
    (b"SQLite format 3\x00", "a SQLite database", "sqlite3 -json FILE 'SELECT * FROM TABLE_NAME' > entries.json"),
    (b"%PDF-", "PDF", GCLOUD),
];

/// A log in the common or combined format as entries. The identity of an entry is its line number and its time, so that two
/// equal requests within a second stay two.
const ACCESS_LOG: &str = concat!(
    r#"jq -cR '(capture("^(?<ip>\\S+) \\S+ \\S+ \\[(?<time>\\S+) (?<sign>[+-])(?<h>\\d\\d)(?<m>\\d\\d)\\] \"(?<method>\\S+) (?<url>\\S+)[^\"]*\" "#,
    r#"(?<status>\\d+) \\S+( \"(?<referer>[^\"]*)\" \"(?<agent>[^\"]*)\")?") // error("cannot read line \(input_line_number)")) | "#,
    r#"{logName: "access-log", insertId: "\(input_line_number)", timestamp: ((.time | strptime("%d/%b/%Y:%H:%M:%S") | mktime) "#,
    r#"- (.sign + "1" | tonumber) * ((.h | tonumber) * 3600 + (.m | tonumber) * 60) | todate), httpRequest: "#,
    r#"{requestMethod: .method, requestUrl: .url, status: (.status | tonumber), remoteIp: .ip, referer, userAgent: .agent}}' "#,
    r#"FILE > entries.json"#,
);

/// Whether the beginning of a file, after decompression, is in a known format that is not JSON.
pub(super) fn find_foreign(head: &[u8]) -> Option<ForeignFormat> {
    if let Some((_, name, command)) = MAGIC.iter().find(|(magic, ..)| head.starts_with(magic)) {
        return Some(ForeignFormat { name, command });
    }
    if head.get(257..262) == Some(b"ustar") {
        return Some(ForeignFormat { name: "a tar archive", command: "tar -xOf FILE > entries.json" });
    }
    match head {
        [0, 1..=0x7f, 0, 1..=0x7f, ..] => return Some(ForeignFormat { name: "UTF-16", command: UTF_16_BE }),
        [1..=0x7f, 0, 1..=0x7f, 0, ..] => return Some(ForeignFormat { name: "UTF-16", command: UTF_16_LE }),
        _ => {}
    }
    find_foreign_text(head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head))
}

fn find_foreign_text(head: &[u8]) -> Option<ForeignFormat> {
    let text = String::from_utf8_lossy(head);
    let mut lines = text.lines().map(str::trim_end).filter(|line| !line.trim_start().is_empty());
    // A message before the JSON, such as that of a tool, is reported as a line.
    if lines.clone().any(|line| line.trim_start().starts_with(['{', '['])) {
        return None;
    }
    let first = lines.next()?;
    let foreign = |name, command| Some(ForeignFormat { name, command });
    if first.trim_start().starts_with('<') {
        return foreign("XML or HTML", GCLOUD);
    }
    if is_access_log(first) {
        return foreign("an access log", ACCESS_LOG);
    }
    if first == "---" || is_yaml_member(first) {
        return foreign("YAML", "gcloud logging read FILTER --format=json > entries.json, or: yq -o=json -I=0 . FILE > entries.json");
    }
    if is_csv_header(first) {
        let is_dead_letters = ["event_id", "received_timestamp", "data"].iter().all(|column| first.contains(column));
        return foreign("CSV", if is_dead_letters { BQ_EXTRACT } else { "mlr --icsv --ojson cat FILE > entries.json" });
    }
    None
}

/// `HOST IDENT USER [DD/Mon/YYYY:…] "REQUEST" …`, the common log format, also with a virtual host in front.
fn is_access_log(line: &str) -> bool {
    let Some((before, after)) = line.split_once(" [") else { return false };
    let Some((time, request)) = after.split_once("] \"") else { return false };
    let is_time = time.len() >= 20 && time.as_bytes()[2] == b'/' && time.as_bytes()[6] == b'/' && time.contains(':');
    is_time && before.split(' ').count() >= 3 && request.contains('"')
}

/// `name:` or `name: value`, also in a list, which begins with `- `.
fn is_yaml_member(line: &str) -> bool {
    let Some((name, value)) = line.strip_prefix("- ").unwrap_or(line).split_once(':') else { return false };
    let is_name =
        name.starts_with(|c: char| c.is_ascii_alphabetic()) && name.chars().all(|c| c.is_ascii_alphanumeric() || "_-.".contains(c));
    is_name && (value.is_empty() || value.starts_with(' '))
}

/// Two or more names between commas, semicolons or tabs.
fn is_csv_header(line: &str) -> bool {
    [',', ';', '\t'].iter().any(|separator| {
        let is_name = |name: &str| {
            let name = name.trim().trim_matches('"');
            !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || " _-./:@".contains(c))
        };
        line.contains(*separator) && line.split(*separator).all(is_name)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(head: impl AsRef<[u8]>) -> Option<&'static str> {
        find_foreign(head.as_ref()).map(|format| format.name)
    }

    fn utf_16(text: &str, unit: impl Fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(unit).collect()
    }

    #[test]
    fn utf_16_is_recognized_with_and_without_a_bom() {
        for text in ["{\"insertId\":\"a\"}\n", "[\n  {", "\u{feff}{}", "timestamp,url\n"] {
            assert_eq!(name(utf_16(text, u16::to_le_bytes)), Some("UTF-16"), "{text:?}");
            assert_eq!(name(utf_16(text, u16::to_be_bytes)), Some("UTF-16"), "{text:?}");
        }
        assert_eq!(name(b"\xff\xfe\0\0{\0\0\0"), Some("UTF-32"));
    }

    #[test]
    fn text_in_other_formats_is_recognized() {
        for (text, expected) in [
            ("timestamp,httpRequest.requestUrl,insertId\n2026-01-02,https://t.example/pixel.png,a\n", "CSV"),
            ("\u{feff}\"timestamp\";\"url\"\n\"2026\";\"{}\"\n", "CSV"),
            ("time\turl\n1\t/pixel.png\n", "CSV"),
            ("event_id,received_timestamp,reason,detail,data\n1,2026-01-02 00:00:00 UTC,bad_json,,e30=\n", "CSV"),
            ("203.0.113.7 - - [02/Jan/2026:03:04:05 +0000] \"GET /pixel.png?user_id=u HTTP/1.1\" 200 43\n", "an access log"),
            ("t.example:443 203.0.113.7 - bob [02/Jan/2026:03:04:05 +0100] \"GET / HTTP/2\" 200 0 \"-\" \"a, b\"\n", "an access log"),
            ("---\nhttpRequest:\n  requestUrl: https://t.example\n", "YAML"),
            ("insertId: 1abc\nlogName: projects/p/logs/requests\n", "YAML"),
            ("- ackId: abc\n  message: {}\n", "YAML"),
            ("<?xml version=\"1.0\"?>\n<entries/>\n", "XML or HTML"),
            ("\n<!doctype html>\n<title>Sign in</title>", "XML or HTML"),
        ] {
            assert_eq!(name(text), Some(expected), "{text}");
        }
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
            "warning: one, two\n{\"insertId\":\"a\"}\n",
            "\0\0\0\0",
            "NaN",
        ] {
            assert_eq!(name(text), None, "{text:?}");
        }
    }

    #[test]
    fn the_file_of_a_command_is_quoted() {
        let said = find_foreign(b"BZh91AY").unwrap().describe("/tmp/my file.bz2");
        assert_eq!(said, "the format is bzip2, not JSON. To convert it: bzip2 -dc '/tmp/my file.bz2' > entries.json");
    }
}
