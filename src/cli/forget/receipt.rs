//! What is said of it: a list before, a receipt after.
//!
//! The receipt can be kept: it names the user by a hash, with a salt of its own so that a list of all users does not
//! lead back at once, and no table whose name is made of the user's values. Whoever knows the value can check that it was meant.

use std::fmt::Write as _;

use jiff::{Timestamp, ToSpan as _};
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use super::erase::Erased;
use super::subject::{Attribute, Subject};
use super::tables::Found;
use crate::cli::streaming_buffer::TOO_YOUNG;
use crate::config::Config;

/// What would be deleted.
pub(crate) fn list(found: &[Found], letters: usize) -> String {
    let mut text = String::new();
    for Found { table, rows, is_own, .. } in found {
        let (table, what) = (table.name(), if *is_own { "the table" } else { "rows of a table that others share" });
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{table}: {rows} rows ({what})");
    }
    let _ = writeln!(text, "{letters} dead letters");
    text + "Nothing is deleted; --yes does it.\n"
}

/// `is_ended` says that nothing was given up halfway.
pub(crate) fn receipt(erased: &Erased, is_ended: bool, subject: &Subject, config: &Config, now: Timestamp) -> Value {
    let salt = format!("{:032x}", fastrand::u128(..));
    let hash = |Attribute { name, value }: &Attribute| (name.clone(), Value::from(digest(&salt, value)));
    let counts =
        |rows: &[(String, u64)]| -> Map<String, Value> { rows.iter().map(|(table, rows)| (table.clone(), (*rows).into())).collect() };
    let is_held = erased.held() > 0;
    json!({
        "at": now.to_string(),
        "project": config.location.project,
        "dataset": config.location.dataset,
        "attributes": subject.attributes().iter().map(hash).collect::<Map<_, _>>(),
        "hash": "SHA-256 of the salt's text and the value",
        "salt": salt,
        "deleted": {
            "tables": erased.tables,
            "rows_in_tables": erased.rows_in_tables,
            "rows_in_shared_tables": counts(&erased.rows),
            "dead_letters": erased.dead_letters.deleted,
        },
        "still_held": {"rows_in_shared_tables": counts(&erased.held_rows), "dead_letters": erased.dead_letters.held},
        "is_complete": is_ended && !is_held,
        "run_again_after": is_held.then(|| again(now).to_string()),
        "restorable_until": now.checked_add((7 * 24).hours()).unwrap_or(now).to_string(),
    })
}

/// What a person should know.
pub(crate) fn remarks(erased: &Erased, now: Timestamp) -> Vec<String> {
    let mut remarks = Vec::new();
    if erased.held() > 0 {
        remarks.push(format!("BigQuery still holds {} rows in its streaming buffer: run this again after {}", erased.held(), again(now)));
    }
    remarks.push("Archives are not touched, and BigQuery's time travel can restore what was deleted for up to seven days.".to_owned());
    remarks
}

fn again(now: Timestamp) -> Timestamp {
    now.checked_add(TOO_YOUNG).unwrap_or(now)
}

fn digest(salt: &str, value: &str) -> String {
    let hash = Sha256::new().chain_update(salt).chain_update(value).finalize();
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}
