//! What the search has found: tables with rows of the user, and data that is not deleted.

use std::fmt::Display;

use super::condition::Condition;
use super::counts::Counts;
use super::ownership::Ownership;
use super::table_kind::{Protection, TableKind, delete_command};
use super::table_label::TableLabel;
use crate::config::Config;

/// Why rows that may be the user's are not deleted.
const JOINT: &str = "they name other users as well: check and delete them";
const UNPROVEN: &str = "the table is named after the user, and these rows do not show whose they are: check and delete it";
const DOUBTFUL: &str = "the id is in a column of another name, or may be the hash of another user (see --unhashed): check these rows";

/// The result of the search.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) tables: Vec<UserTable>,
    pub(crate) kept: Vec<KeptData>,
    /// Rows with another spelling of the id, and these ids.
    pub(crate) similar: Vec<(TableLabel, u64, Vec<String>)>,
    /// Rows of others that contain the id.
    pub(crate) mentions: Vec<(TableLabel, u64)>,
    /// The tables of dead letters.
    pub(crate) dead_letters: Vec<(TableLabel, TableKind)>,
    /// Number of views, which hold no rows.
    pub(crate) views: u64,
}

/// A table with rows of the user.
#[derive(Debug)]
pub(crate) struct UserTable {
    pub(crate) table: TableLabel,
    pub(crate) condition: Condition,
    pub(crate) ownership: Ownership,
    /// Number of the user's rows.
    pub(crate) rows: u64,
    /// The table is deleted as a whole.
    pub(crate) is_own: bool,
}

/// Data that may be the user's and is not deleted.
#[derive(Debug)]
pub(crate) struct KeptData {
    pub(crate) table: TableLabel,
    /// `None` if the table could not be searched.
    pub(crate) rows: Option<u64>,
    pub(crate) reason: String,
    /// The command that deletes it, if there is one. It contains the table's name.
    pub(crate) command: Option<String>,
}

/// What a table has of the user.
pub(crate) enum Content {
    Irrelevant,
    DeadLetters,
    Rows(Box<SearchedRows>),
}

/// What the search counted in a table of rows.
pub(crate) struct SearchedRows {
    pub(crate) condition: Condition,
    pub(crate) ownership: Ownership,
    pub(crate) counts: Counts,
    /// Number of rows that do not show whose they are, in a table that is named after the user.
    pub(crate) unproven: u64,
    /// All rows are the user's.
    pub(crate) is_own: bool,
    pub(crate) similar_ids: Vec<String>,
}

impl Found {
    /// Adds the content of a table.
    pub(crate) fn add(&mut self, config: &Config, table: TableLabel, kind: TableKind, content: Content) {
        let SearchedRows { condition, ownership, counts, unproven, is_own, similar_ids } = match content {
            Content::Irrelevant => return,
            Content::DeadLetters => return self.dead_letters.push((table, kind)),
            Content::Rows(rows) => *rows,
        };
        if counts.similar > 0 {
            self.similar.push((table.clone(), counts.similar, similar_ids));
        }
        if counts.mentions > 0 {
            self.mentions.push((table.clone(), counts.mentions));
        }
        let rows = counts.matching;
        // Rows that may be the user's. Those without proof include the doubtful ones.
        let kept = [
            (counts.joint, JOINT, None),
            (unproven, UNPROVEN, Some(delete_command(config, table.name()))),
            (if unproven == 0 { counts.doubtful } else { 0 }, DOUBTFUL, None),
        ];
        if let Some(protection) = kind.protection(config, table.name()) {
            let all = kept.iter().fold(rows, |sum, (rows, ..)| sum.saturating_add(*rows));
            self.keep_protected(table, all, protection);
            return;
        }
        for (rows, reason, command) in kept {
            self.keep(&table, rows, reason, command);
        }
        if is_own || rows > 0 {
            self.tables.push(UserTable { table, condition, ownership, rows, is_own });
        }
    }

    /// Adds dead letters that name other users as well.
    pub(crate) fn keep_joint_letters(&mut self, table: &TableLabel, letters: u64) {
        self.keep(table, letters, JOINT, None);
    }

    fn keep(&mut self, table: &TableLabel, rows: u64, reason: &str, command: Option<String>) {
        if rows > 0 {
            self.kept.push(KeptData { table: table.clone(), rows: Some(rows), reason: reason.to_owned(), command });
        }
    }

    /// Adds rows or dead letters of a table that cannot be changed.
    pub(crate) fn keep_protected(&mut self, table: TableLabel, rows: u64, Protection { reason, command }: Protection) {
        self.keep(&table, rows, reason, command);
    }

    /// Adds a table that could not be searched.
    pub(crate) fn keep_unread(&mut self, table: TableLabel, error: &impl Display) {
        let reason = format!("cannot search it: {}", table.redact(error));
        self.kept.push(KeptData { table, rows: None, reason, command: None });
    }
}
