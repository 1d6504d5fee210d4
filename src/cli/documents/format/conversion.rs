//! The commands and sentences by which a file in another format becomes JSON.

use super::ForeignFormat;

pub(super) const BQ_EXTRACT: &str = "bq extract --destination_format=NEWLINE_DELIMITED_JSON DATASET.TABLE gs://BUCKET/rows.json";
pub(super) const GCLOUD: &str = "gcloud logging read FILTER --format=json > entries.json";

pub(super) const DECRYPT: ForeignFormat = ForeignFormat::advice("encrypted", "Decrypt it first");
pub(super) const UNKNOWN_BINARY: ForeignFormat =
    ForeignFormat::advice("unknown binary data", "Give a file of log entries, such as that of `gcloud logging read FILTER --format=json`");
pub(super) const YAML: ForeignFormat =
    ForeignFormat::command("YAML", "gcloud logging read FILTER --format=json > entries.json, or: yq -o=json -I=0 . FILE > entries.json");
pub(super) const TEXT_TABLE: ForeignFormat = ForeignFormat::command(
    "a table for people",
    "bq query --format=json QUERY > entries.json, or: gcloud COMMAND --format=json > entries.json",
);
pub(super) const MARKUP: ForeignFormat = ForeignFormat::command("XML or HTML", GCLOUD);
pub(super) const LFS_POINTER: ForeignFormat = ForeignFormat::command("a Git LFS pointer", "git lfs pull");
pub(super) const BASE64: ForeignFormat = ForeignFormat::command("base64", "jq -cR '@base64d | fromjson' FILE > entries.json");
pub(super) const JSON_STRINGS: ForeignFormat = ForeignFormat::command("JSON within JSON strings", "jq -c fromjson FILE > entries.json");
pub(super) const CSV: ForeignFormat = ForeignFormat::command("CSV", "mlr --icsv --ojson cat FILE > entries.json");
pub(super) const CSV_OF_DEAD_LETTERS: ForeignFormat = ForeignFormat::command("CSV", BQ_EXTRACT);
/// Prints the cells that are JSON.
pub(super) const CSV_OF_JSON: ForeignFormat = ForeignFormat::command(
    "CSV of JSON",
    r#"python3 -c 'import csv, sys; csv.field_size_limit(1 << 30); [print(cell) for row in csv.reader(sys.stdin) for cell in row if cell.lstrip()[:1] in list("{[")]' < FILE > entries.json"#,
);

/// A log in the common or combined format as entries. The identity of an entry is its line number and its time, so that two
/// equal requests within a second stay two.
pub(super) const ACCESS_LOG: ForeignFormat = ForeignFormat::command(
    "an access log",
    concat!(
        r#"jq -cR '(capture("^(?<ip>\\S+) \\S+ \\S+ \\[(?<time>\\S+) (?<sign>[+-])(?<h>\\d\\d)(?<m>\\d\\d)\\] \"(?<method>\\S+) (?<url>\\S+)[^\"]*\" "#,
        r#"(?<status>\\d+) \\S+( \"(?<referer>[^\"]*)\" \"(?<agent>[^\"]*)\")?") // error("cannot read line \(input_line_number)")) | "#,
        r#"{logName: "access-log", insertId: "\(input_line_number)", timestamp: ((.time | strptime("%d/%b/%Y:%H:%M:%S") | mktime) "#,
        r#"- (.sign + "1" | tonumber) * ((.h | tonumber) * 3600 + (.m | tonumber) * 60) | todate), httpRequest: "#,
        r#"{requestMethod: .method, requestUrl: .url, status: (.status | tonumber), remoteIp: .ip, referer, userAgent: .agent}}' "#,
        r#"FILE > entries.json"#,
    ),
);
pub(super) const OTHER_ACCESS_LOG: ForeignFormat = ForeignFormat::advice(
    "an access log",
    r#"Convert each line to {"insertId": "1", "timestamp": "2026-01-02T03:04:05Z", "httpRequest": {"requestMethod": "GET", "requestUrl": "/pixel.png?user_id=u"}}"#,
);
