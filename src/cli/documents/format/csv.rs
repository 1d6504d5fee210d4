//! Recognizes values between separators: a header of names, equal numbers of fields, or fields that are JSON.

use super::ForeignFormat;
use super::conversion::{CSV, CSV_OF_DEAD_LETTERS, CSV_OF_JSON};

const SEPARATORS: [char; 4] = [',', ';', '\t', '|'];
/// Records that are compared.
const MAX_RECORDS: usize = 5;

/// CSV in the beginning of a text.
pub(super) fn find(text: &str) -> Option<ForeignFormat> {
    SEPARATORS.iter().find_map(|separator| find_with(text, *separator))
}

fn find_with(text: &str, separator: char) -> Option<ForeignFormat> {
    let records = records(text, separator);
    let is_json = |field: &Field| {
        let text = field.text.trim_start();
        field.is_quoted && (text.starts_with('{') || text.starts_with("[{"))
    };
    if records.iter().flatten().any(is_json) {
        return Some(CSV_OF_JSON);
    }
    let (first, rest) = records.split_first()?;
    let is_table = match rest.split_last() {
        None => first.iter().all(|field| is_name(&field.text)),
        // The beginning of a file may end within the last record.
        Some((last, rest)) => {
            let is_cut = !text.ends_with('\n') && last.len() < first.len();
            rest.iter().all(|record| record.len() == first.len()) && (is_cut || last.len() == first.len())
        }
    };
    if first.len() < 2 || !is_table {
        return None;
    }
    let has = |name: &&str| first.iter().any(|field| field.text == *name);
    Some(if ["event_id", "received_timestamp", "data"].iter().all(has) { CSV_OF_DEAD_LETTERS } else { CSV })
}

/// The name of a column.
fn is_name(text: &str) -> bool {
    let text = text.trim();
    !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || " _-./:@".contains(c))
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Field {
    text: String,
    is_quoted: bool,
}

/// The first records (RFC 4180). Blank lines are not records. The last one may be cut.
fn records(text: &str, separator: char) -> Vec<Vec<Field>> {
    let (mut records, mut record, mut field, mut is_in_quotes) = (Vec::new(), Vec::new(), Field::default(), false);
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if is_in_quotes && chars.peek() == Some(&'"') => {
                chars.next();
                field.text.push('"');
            }
            '"' if is_in_quotes => is_in_quotes = false,
            '"' if field.text.is_empty() => (field.is_quoted, is_in_quotes) = (true, true),
            '\n' if !is_in_quotes => {
                record.push(std::mem::take(&mut field));
                records.push(std::mem::take(&mut record));
                records.retain(|record| !is_blank(record));
                if records.len() == MAX_RECORDS {
                    return records;
                }
            }
            '\r' if !is_in_quotes => {}
            _ if c == separator && !is_in_quotes => record.push(std::mem::take(&mut field)),
            _ => field.text.push(c),
        }
    }
    record.push(field);
    records.push(record);
    records.retain(|record| !is_blank(record));
    records
}

fn is_blank(record: &[Field]) -> bool {
    record.len() == 1 && record[0].text.trim().is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn conversion(text: &str) -> Option<ForeignFormat> {
        find(text)
    }

    #[test]
    fn tables_with_any_separator_are_csv() {
        for text in [
            "timestamp,httpRequest.requestUrl,insertId\n2026-01-02,https://t.example/pixel.png,a\n",
            "timestamp;url\n2026;/p?a=1\n2027;/p?a=2",
            "time\turl\n1\t/pixel.png\n",
            "time|url|status\r\n1|/pixel.png|200\r\n",
            "count(*),max(a, b)\n1,2\n".replace("max(a, b)", "\"max(a, b)\"").as_str(),
            "a,b\n\n1,\"two\nlines\"\n3,4\n",
            "a,b\n1,2\n3",
            "a,b",
        ] {
            assert_eq!(conversion(text), Some(CSV), "{text:?}");
        }
        let dead_letters = "event_id,received_timestamp,reason,detail,data\n1,2026-01-02 00:00:00 UTC,bad_json,,e30=\n";
        assert_eq!(conversion(dead_letters), Some(CSV_OF_DEAD_LETTERS));
    }

    #[test]
    fn json_in_quoted_fields_is_csv_of_json() {
        for text in [
            "data\n\"{\"\"a\"\":1}\"\n",
            "\"{\"\"a\"\":1}\"\n\"{\"\"a\"\":2}\"\n",
            "insertId,payload\n1,\"{\n  \"\"a\"\": 1\n}\"\n",
            "\"[{\"\"a\"\":1}]\"",
            "data\n\"{\"\"a\"\":\"\"cut",
        ] {
            assert_eq!(conversion(text), Some(CSV_OF_JSON), "{text:?}");
        }
    }

    #[test]
    fn other_text_is_not_csv() {
        for text in ["", "\n\n", "one name\n", "no JSON", "one, two and\nthree\n", "error, cannot connect!"] {
            assert_eq!(conversion(text), None, "{text:?}");
        }
    }
}
