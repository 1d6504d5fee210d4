//! BigQuery's message about a table, for the log: without what may identify a user.
//!
//! A generated table has values of the user in its name, and a message may quote values of the row: in another case,
//! escaped, encoded or cut short. So nothing is searched for. Only words that are known to be BigQuery's are kept, and
//! names of columns.

use serde_json::Value;

use super::super::refusal::Refusal;

/// What stands for removed words.
const REMOVED: &str = "…";
/// Punctuation around a word.
const PUNCTUATION: [char; 12] = ['.', ',', ':', ';', '(', ')', '[', ']', '"', '\'', '`', '!'];
const QUOTES: [char; 3] = ['"', '\'', '`'];
/// The longest part of a value that a name of a column may contain by chance.
const SHORT_VALUE: usize = 2;

/// Words of BigQuery's messages, in lower case.
const VOCABULARY: &str = "a about accept accepted accepts access accessed account add added adding after all allow allowed \
    already also an and any api are array as at available backend bad base based be because been before being bigquery bigtable \
    billing both bounds but by bytes cannot can change changed changes check clone cloud cluster clustered clustering code column \
    columns compatible configuration configured conflict constraint contains convert converted could create created creation currently \
    data dataset datasets date datetime day days default deleted denied deprecated destination detected did different directly disabled \
    disallowed does doesn't don't duplicate during each either empty enable enabled encrypted encryption enforced entity error errors \
    exceed exceeded exceeds exist existing exists expected expiration expired external failed failure false field fields file for format \
    found free from future generate generated generic global google grant had has have hour iam id if in incompatible ingestion insert \
    inserted inserting insertall inserts instead internal into invalid invalidargument is it its json key keys kind kms label large \
    larger legacy length less limit limits load location long longer managed many match matches materialized maximum may message metadata \
    minimum mismatch missing mode model modified modify month more must name names negative never no non not null nullable number object \
    objects of off on once one only operation operations or other out outside over own parse parsed parsing partition partitioned \
    partitioning partitions past payload permission permissions please point policies policy precision primary project proto protocol \
    provided query quota range rate reached read readable read-only reason record record's records refer region rejected relation \
    repeated replaced request requested requests require required requires reserved resource resources retry root row row's rows scale \
    schema schemas scope see select service set should single size snapshot snapshots some source specified specify sql standard started \
    state status still storage store stored stream streamed streaming streams string struct such suffix support supported supports table \
    table's tables target template templates templatesuffix than that the their there they this time timed timeout timestamp to too true \
    trying two type types unable unavailable unexpected unique unknown unset unsupported until update updated updates upload uploaded \
    use used user using valid value values version view views was when where which while will with within without write writes writing \
    wrong year yet you your zero \
    integer int64 float float64 numeric bignumeric boolean bool geography interval badrequest parseerror failedprecondition keyinvalid \
    responsetoolarge uploadtoolarge requesttoolarge";

/// The message with the known words and the names of columns alone. `suffix` is the one of the table, `row` is the row's JSON.
pub(super) fn redact(refusal: &Refusal, suffix: &str, row: &[u8]) -> String {
    let row: Value = serde_json::from_slice(row).unwrap_or_default();
    let is_own_column = |word: &str| row.as_object().is_some_and(|row| row.contains_key(word));
    let (mut kept, mut before): (Vec<String>, &str) = (Vec::new(), "");
    for word in refusal.detail.split_whitespace() {
        let core = word.trim_matches(PUNCTUATION);
        // A message names a required column that the row does not have, with a prefix.
        let name = core.rsplit('.').next().unwrap_or(core);
        let is_named = before.eq_ignore_ascii_case("field:") || refusal.column.as_deref() == Some(core);
        let is_status = kept.is_empty() && core.len() == 3 && core.bytes().all(|byte| byte.is_ascii_digit());
        let known = if is_status || is_known(core) || is_own_column(core) {
            Some(core)
        } else {
            Some(name).filter(|name| is_named && is_unlike_values(name, suffix, &row))
        };
        let end = word.trim_start_matches(PUNCTUATION).strip_prefix(core).unwrap_or_default();
        let text = match known {
            Some(known) => known.to_owned() + end,
            None => REMOVED.to_owned() + end.trim_matches(QUOTES),
        };
        match kept.last_mut() {
            // One mark for a sequence of removed words.
            Some(last) if known.is_none() && last == REMOVED => *last = text,
            _ => kept.push(text),
        }
        before = word;
    }
    kept.join(" ")
}

fn is_known(word: &str) -> bool {
    let word = word.to_ascii_lowercase();
    VOCABULARY.split_ascii_whitespace().any(|known| known == word)
}

/// Whether the name is a plain one, without digits as encoded texts have them, and shares no part with the suffix or a value
/// of the row.
fn is_unlike_values(name: &str, suffix: &str, row: &Value) -> bool {
    let is_plain = !name.is_empty() && name.chars().all(|character| character.is_alphabetic() || matches!(character, '_' | '-'));
    let name = name.to_lowercase();
    let mut texts = vec![suffix.to_owned()];
    scalars(row, &mut texts);
    is_plain
        && texts.iter().map(|text| text.to_lowercase()).all(|text| {
            let mut parts = text.split(|character: char| !character.is_alphanumeric()).filter(|part| part.len() > SHORT_VALUE);
            text != name && parts.all(|part| !name.contains(part) && !part.contains(&name))
        })
}

fn scalars(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Null | Value::Bool(_) => {}
        Value::Number(number) => found.push(number.to_string()),
        Value::String(text) => found.push(text.clone()),
        Value::Array(values) => values.iter().for_each(|value| scalars(value, found)),
        Value::Object(members) => members.values().for_each(|value| scalars(value, found)),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ROW: &[u8] = br#"{"user_id":"planteduser","tags":["blue","x"],"n":4711,"text":"it's \"bob\"","plan":"pro"}"#;

    fn redacted(message: &str) -> String {
        redact(&Refusal::of_request(message.to_owned()), "_planteduser_20260102", ROW)
    }

    #[test]
    fn a_message_about_the_table_is_kept() {
        for message in [
            "400 invalid: The destination table has no schema.",
            "400 invalid: Cannot add rows to a table of type VIEW.",
            "invalid: Cannot stream to materialized view",
            "invalid: Missing required field: tenant.",
            "invalid: no such field: plan.",
            "400 invalid: Cloud KMS key is disabled",
        ] {
            assert_eq!(redacted(message), message);
        }
        let expected = "400 invalid: Streaming to metadata partition of column based partitioning table … is disallowed.";
        assert_eq!(redacted(&expected.replace('…', "p:d.pixel$20191031")), expected);
        assert_eq!(
            redacted("invalid: Missing required field: Msg_0_CLOUD_QUERY_TABLE.tenant."),
            "invalid: Missing required field: tenant."
        );
    }

    #[test]
    fn names_of_tables_and_values_are_removed() {
        for (message, expected) in [
            ("Table p:d.pixel_planteduser_20260102 is read-only", "Table … is read-only"),
            ("Cannot convert bob to a float", "Cannot convert … to a float"),
            ("value: bob, n: 4711.", "value: …, n: …."),
            ("Could not parse 'bo...' as \"x y\" in `p.d`", "Could not parse …... as … in …"),
            ("Missing required field: planteduser", "Missing required field: …"),
            ("Missing required field: PlantedUs", "Missing required field: …"),
            ("404 of 404", "404 of …"),
        ] {
            assert_eq!(redacted(message), expected, "{message}");
        }
    }

    #[test]
    fn an_id_is_removed_in_every_spelling() {
        for id in [
            "planteduser",
            "PLANTEDUSER",
            "PlantedUser",
            "planted%75ser",
            "planted\\u0075ser",
            "p\\x6canteduser",
            "plantedu...",
            "plantedu…",
            "planteduse",
            "pl",
            "pixel_planteduser_20260102",
            "d.pixel_PLANTEDUSER",
            "tables/pixel_planteduser_20260102/insertAll",
            "p:d.pixel_planteduser_20260102$20260102",
            "cGxhbnRlZHVzZXI=",
            "706c616e746564",
        ] {
            assert_eq!(redacted(&format!("Table {id} has no schema")).replace('.', ""), "Table … has no schema");
            for message in ["Missing required field: {}.", "field: {}", "no such field: x.{}", "'{}'", "user_id={}"] {
                let found = redacted(&message.replace("{}", id)).to_lowercase();
                assert!(["pl", "tables/", "cgxh", "706c"].iter().all(|part| !found.contains(part)), "{id}: {found}");
            }
        }
    }

    proptest! {
        #[test]
        fn only_known_words_and_names_are_kept(message in "\\PC{0,80}") {
            for word in redacted(&message).split_whitespace() {
                let core = word.trim_matches(PUNCTUATION);
                let is_status = core.bytes().all(|byte| byte.is_ascii_digit());
                let is_column = ["user_id", "tags", "n", "text", "plan"].contains(&core) || message.to_lowercase().contains("field:");
                prop_assert!(core.is_empty() || core.starts_with(REMOVED) || is_status || is_known(core) || is_column, "{word}");
            }
        }
    }
}
