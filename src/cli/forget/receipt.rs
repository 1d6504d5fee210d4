//! The output: a list before the deletion, a receipt after it.
//!
//! The receipt can be kept. It has a salted hash of the user's value, and no table name that is made of it. A person
//! who knows the value can verify that the receipt is about it. It is one line of JSON in two parts: the first is written
//! before anything is deleted, the second at the end.

use std::fmt::Write as _;

use jiff::{Timestamp, ToSpan as _};
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use super::Plan;
use super::erase::Erased;
use super::found::{KeptData, UserTable};
use super::subject::{AttributeArg, Subject};
use super::table_kind::shell;
use crate::cli::streaming_buffer::MIN_DELETE_AGE;
use crate::config::Config;

/// What would be deleted, and what would not.
pub(crate) fn list(plan: &Plan, subject: &Subject) -> String {
    let mut lines = Vec::new();
    for UserTable { table, rows, is_own, .. } in &plan.found.tables {
        let what = if *is_own { "whole table" } else { "rows of a shared table" };
        lines.push(format!("{}: {} ({what})", table.name(), count(*rows, "row")));
    }
    lines.push(count(plan.letters_count(), "dead letter"));
    for KeptData { table, rows, reason, command } in &plan.found.kept {
        let rows = rows.map(|rows| format!("{}: ", count(rows, "row"))).unwrap_or_default();
        let command = command.as_ref().map(|command| format!(": {command}")).unwrap_or_default();
        lines.push(format!("{}: not deleted: {rows}{reason}{command}", table.name()));
    }
    for (table, rows, ids) in &plan.found.similar {
        lines.push(format!("{}: not deleted: {} with a similar id", table.name(), count(*rows, "row")));
        if let [attribute] = subject.attributes() {
            let argument =
                |id: &String| format!("    if it is the same user's: --attribute {}", shell(&format!("{}={id}", attribute.name)));
            lines.extend(ids.iter().map(argument));
        }
    }
    for (table, rows) in &plan.found.mentions {
        lines.push(format!("{}: not deleted: {} of others with the id in another column", table.name(), count(*rows, "row")));
    }
    for letters in plan.letters.iter().filter(|letters| letters.mentions > 0) {
        let what = count(letters.mentions, "dead letter");
        lines.push(format!("{}: not deleted: {what} of others that contain the id or a similar one", letters.label.name()));
    }
    lines.push("Nothing was deleted. To delete it, run again with --yes.".to_owned());
    lines.iter().fold(String::new(), |mut text, line| {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{}", crate::cli::printable(line));
        text
    })
}

/// The part before the deletion.
pub(crate) fn before(plan: &Plan, subject: &Subject, config: &Config, now: Timestamp) -> Map<String, Value> {
    let salt = format!("{:032x}", fastrand::u128(..));
    let hash = |AttributeArg { name, value }: &AttributeArg| (name.clone(), Value::from(digest(&salt, value)));
    let (own, shared): (Vec<&UserTable>, Vec<&UserTable>) = plan.found.tables.iter().partition(|table| table.is_own);
    let kept = |KeptData { table, rows, reason, .. }: &KeptData| json!({"table": table.label(), "rows": rows, "reason": reason});
    let mentioning = plan.letters.iter().filter(|letters| letters.mentions > 0);
    let mentions = plan.found.mentions.iter().map(|(table, rows)| (table.label(), *rows));
    let members = json!({
        "at": now.to_string(),
        "project": config.location.project,
        "dataset": config.location.dataset,
        "attributes": subject.attributes().iter().map(hash).collect::<Map<_, _>>(),
        "hash": "SHA-256 of the salt's text and the value",
        "salt": salt,
        "planned": {
            "tables": own.len(),
            "rows_in_tables": sum(own.iter().map(|table| table.rows)),
            "rows_in_shared_tables": counts(shared.iter().map(|table| (table.table.label(), table.rows))),
            "dead_letters": plan.letters_count(),
        },
        "not_deleted": plan.found.kept.iter().map(kept).collect::<Vec<_>>(),
        "rows_with_similar_ids": counts(plan.found.similar.iter().map(|(table, rows, _)| (table.label(), *rows))),
        "rows_of_others_with_the_id": counts(mentions.chain(mentioning.map(|letters| (letters.label.label(), letters.mentions)))),
        "views_not_searched": plan.found.views,
    });
    object(members)
}

/// The part after it. `is_finished` is false after an error or a signal.
pub(crate) fn after(plan: &Plan, erased: &Erased, is_finished: bool, now: Timestamp) -> Map<String, Value> {
    let pairs = |rows: &[(String, u64)]| counts(rows.iter().map(|(table, rows)| (table.as_str(), *rows)));
    let is_held = erased.held() > 0;
    let members = json!({
        "deleted": {
            "tables": erased.tables,
            "rows_in_tables": erased.rows_in_tables,
            "rows_in_shared_tables": pairs(&erased.rows),
            "dead_letters": erased.dead_letters.deleted,
        },
        "still_held": {"rows_in_shared_tables": pairs(&erased.held_rows), "dead_letters": erased.dead_letters.held},
        "failed": erased.failed.iter().map(|(table, reason)| json!({"table": table, "reason": reason})).collect::<Vec<_>>(),
        "is_complete": is_finished && is_complete(plan, erased),
        "run_again_after": is_held.then(|| retry_time(now).to_string()),
        "restorable_until": now.checked_add((7 * 24).hours()).unwrap_or(now).to_string(),
    });
    object(members)
}

/// Whether no data of the user is left in what was searched.
pub(crate) fn is_complete(plan: &Plan, erased: &Erased) -> bool {
    erased.held() == 0 && erased.failed.is_empty() && plan.found.kept.is_empty()
}

/// The text of the first part: a JSON object without its end.
pub(crate) fn begin(before: &Map<String, Value>) -> String {
    let text = json!(before).to_string();
    text.strip_suffix('}').unwrap_or(&text).to_owned()
}

/// The text of the second part.
pub(crate) fn end(after: &Map<String, Value>) -> String {
    let text = json!(after).to_string();
    format!(",{}\n", text.strip_prefix('{').unwrap_or(&text))
}

/// Remarks for standard error: what is left, and what is not searched.
pub(crate) fn remarks(plan: &Plan, erased: &Erased, now: Timestamp) -> Vec<String> {
    let mut remarks: Vec<String> = erased.failed.iter().map(|(_, reason)| format!("error: {reason}")).collect();
    if !erased.failed.is_empty() {
        remarks.push("After an error, data may be left. Run the command again.".to_owned());
    }
    if erased.held() > 0 {
        remarks.push(format!(
            "BigQuery still holds {} rows in its streaming buffer. To delete them, run the command again after {}.",
            erased.held(),
            retry_time(now)
        ));
    }
    let found = &plan.found;
    for KeptData { table, rows, reason, .. } in &found.kept {
        let rows = rows.map(|rows| format!("{}: ", count(rows, "row"))).unwrap_or_default();
        remarks.push(format!("{}: not deleted: {rows}{reason}", table.label()));
    }
    let similar = sum(found.similar.iter().map(|(_, rows, _)| *rows));
    let mentions = sum(found.mentions.iter().map(|(_, rows)| *rows).chain(plan.letters.iter().map(|letters| letters.mentions)));
    if similar > 0 || mentions > 0 {
        remarks.push(format!(
            "Not deleted: {} with a similar id, {} of others with the id in another column.",
            count(similar, "row"),
            count(mentions, "row")
        ));
    }
    if !found.kept.is_empty() || similar > 0 || mentions > 0 {
        remarks.push("Run the command without --yes: it lists names, ids and commands.".to_owned());
    }
    remarks.push(
        "Archives and other datasets are not searched. BigQuery's time travel can restore deleted data for up to seven days, and \
         its fail-safe storage keeps it for seven more."
            .to_owned(),
    );
    remarks
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}

fn counts<'a>(rows: impl Iterator<Item = (&'a str, u64)>) -> Map<String, Value> {
    rows.map(|(table, rows)| (table.to_owned(), rows.into())).collect()
}

/// The counts come from outside, and their sum may be too large for the type.
fn sum(rows: impl Iterator<Item = u64>) -> u64 {
    rows.fold(0, u64::saturating_add)
}

fn retry_time(now: Timestamp) -> Timestamp {
    now.checked_add(MIN_DELETE_AGE).unwrap_or(now)
}

fn digest(salt: &str, value: &str) -> String {
    let hash = Sha256::new().chain_update(salt).chain_update(value).finalize();
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(crate) fn count(number: u64, thing: &str) -> String {
    if number == 1 { format!("1 {thing}") } else { format!("{number} {thing}s") }
}
