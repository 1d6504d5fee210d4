//! The output: a list before the deletion, a receipt after it.
//!
//! The receipt can be kept. It has a salted hash of the user's value, and no table name that is made of it. A person
//! who knows the value can verify that the receipt is about it.

use std::fmt::Write as _;

use jiff::{Timestamp, ToSpan as _};
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use super::erase::Erased;
use super::subject::{AttributeArg, Subject};
use super::tables::UserTable;
use crate::cli::streaming_buffer::MIN_DELETE_AGE;
use crate::config::Config;

/// What would be deleted.
pub(crate) fn list(tables: &[UserTable], letters: usize) -> String {
    let mut text = String::new();
    for UserTable { table, rows, is_own, .. } in tables {
        let (table, what) = (table.name(), if *is_own { "whole table" } else { "rows of a shared table" });
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{table}: {} ({what})", count(*rows, "row"));
    }
    let _ = writeln!(text, "{}", count(letters as u64, "dead letter"));
    text + "Nothing was deleted. To delete it, run again with --yes.\n"
}

/// `is_finished` is false after an error or a signal.
pub(crate) fn receipt(erased: &Erased, is_finished: bool, subject: &Subject, config: &Config, now: Timestamp) -> Value {
    let salt = format!("{:032x}", fastrand::u128(..));
    let hash = |AttributeArg { name, value }: &AttributeArg| (name.clone(), Value::from(digest(&salt, value)));
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
        "is_complete": is_finished && !is_held,
        "run_again_after": is_held.then(|| retry_time(now).to_string()),
        "restorable_until": now.checked_add((7 * 24).hours()).unwrap_or(now).to_string(),
    })
}

/// Remarks for standard error: what is left, and what is not searched.
pub(crate) fn remarks(erased: &Erased, now: Timestamp) -> Vec<String> {
    let mut remarks = Vec::new();
    if erased.held() > 0 {
        remarks.push(format!(
            "BigQuery still holds {} rows in its streaming buffer. To delete them, run the command again after {}.",
            erased.held(),
            retry_time(now)
        ));
    }
    remarks.push("Archives are not searched. BigQuery's time travel can restore deleted data for up to seven days.".to_owned());
    remarks
}

fn retry_time(now: Timestamp) -> Timestamp {
    now.checked_add(MIN_DELETE_AGE).unwrap_or(now)
}

fn digest(salt: &str, value: &str) -> String {
    let hash = Sha256::new().chain_update(salt).chain_update(value).finalize();
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn count(number: u64, thing: &str) -> String {
    if number == 1 { format!("1 {thing}") } else { format!("{number} {thing}s") }
}
