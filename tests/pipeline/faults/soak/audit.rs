//! What is stored, row by row, held against what was sent and acked.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use super::messages::{Copies, Message, Messages};
use super::tally::Entry;
use crate::support::TestBigQuery;

const DEAD_LETTERS: &str = "dead_letters";
/// For so long BigQuery knows an insertId, less what a request may take that nobody waits for any more.
const REMEMBERED_MS: u32 = 55_000;
/// So many are enough to see what is wrong.
const PROBLEMS: usize = 20;

/// Rows that were read, of all tables that there are or were.
pub struct Audit {
    messages: Arc<Messages>,
    /// How many rows each message has.
    rows_of: Vec<u16>,
    /// More than one row in one life of a table.
    twice: Vec<u32>,
    pub rows: u64,
    pub problems: Vec<String>,
}

/// The messages of which something became.
#[derive(Debug, Default)]
pub struct Classes {
    pub stored: u64,
    pub filtered: BTreeMap<&'static str, u64>,
    pub dead_letters: BTreeMap<&'static str, u64>,
    /// Those that were meant to be acked twice, of whichever class.
    pub sent_twice: u64,
}

impl Audit {
    pub fn new(messages: Arc<Messages>) -> Self {
        let rows_of = vec![0; messages.count as usize];
        Self { messages, rows_of, twice: Vec::new(), rows: 0, problems: Vec::new() }
    }

    /// Reads a table, once in its life.
    pub async fn read_table(&mut self, bigquery: &TestBigQuery, table: &str) {
        let columns = if table == DEAD_LETTERS { "event_id,reason,message_id" } else { "event_id,user_id,order_id" };
        let mut here = HashSet::new();
        bigquery
            .each_row(table, columns, |cells| match self.sent(table, cells) {
                Ok(message) => {
                    self.rows += 1;
                    self.rows_of[message.number as usize] += 1;
                    if !here.insert(message.number) {
                        self.twice.push(message.number);
                    }
                }
                Err(problem) => self.problem(problem),
            })
            .await;
    }

    /// The message of a row that is as it should be, and where it should be.
    fn sent(&self, table: &str, cells: &[&str]) -> Result<Message, String> {
        let [event_id, what, key] = cells else { return Err(format!("a row of {table} has the cells {cells:?}")) };
        let is_dead = table == DEAD_LETTERS;
        let found = if is_dead { self.messages.of_id(key) } else { self.messages.of_order(key) };
        let Some(message) = found else { return Err(format!("nobody sent the row {cells:?} of {table}")) };
        let expected = if is_dead { message.kind.outcome().1.to_owned() } else { message.user() };
        let is_right = message.table().as_deref() == Some(table) && *event_id == message.event_id().as_str() && *what == expected;
        if is_right { Ok(message) } else { Err(format!("{message} belongs to {:?} and is in {table} as {cells:?}", message.table())) }
    }

    /// Every message is acked, and where it belongs; what is there more than once was sent over a time for which
    /// BigQuery does not remember insertIds.
    pub fn finish(&mut self, entries: &[Entry]) -> Classes {
        let mut classes = Classes::default();
        for (number, entry) in entries.iter().enumerate() {
            let message = self.messages.message(number as u32);
            if entry.acks == 0 {
                self.problem(format!("{message} was never acked: {entry:?}"));
            }
            match (message.table(), self.rows_of[number]) {
                (Some(table), 0) => self.problem(format!("{message} is not in {table}: {entry:?}")),
                (None, 1..) => self.problem(format!("{message} has a row")),
                _ => {}
            }
            classes.sent_twice += u64::from(message.copies != Copies::One);
            match message.kind.outcome() {
                ("stored", _) => classes.stored += 1,
                ("filtered", reason) => *classes.filtered.entry(reason).or_default() += 1,
                (_, reason) => *classes.dead_letters.entry(reason).or_default() += 1,
            }
        }
        for number in std::mem::take(&mut self.twice) {
            let entry = entries[number as usize];
            if entry.last - entry.first < REMEMBERED_MS {
                self.problem(format!("{} was stored twice within a minute: {entry:?}", self.messages.message(number)));
            }
        }
        classes
    }

    /// Messages with at least one row: rows after de-duplication by event_id, which [`sent`](Self::sent) has checked.
    pub fn distinct(&self) -> u64 {
        self.rows_of.iter().filter(|rows| **rows > 0).count() as u64
    }

    pub fn problem(&mut self, problem: String) {
        if self.problems.len() < PROBLEMS {
            self.problems.push(problem);
        }
    }
}
