//! Compares every stored row with the message that was sent.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use super::delivery_results::MessageState;
use super::messages::{Copies, Message, Messages};
use crate::support::TestBigQuery;

const DEAD_LETTERS: &str = "dead_letters";
/// BigQuery deduplicates by insertId for a minute. Less a margin for requests that end after the service's timeout.
const DEDUPLICATION_MS: u32 = 55_000;
/// Limit of the reported problems.
const MAX_PROBLEMS: usize = 20;

/// The rows of all tables, deleted ones included.
pub struct Audit {
    messages: Arc<Messages>,
    /// Number of rows by message number.
    rows_of: Vec<u16>,
    /// Messages with more than one row in one table.
    duplicated: Vec<u32>,
    pub rows: u64,
    pub problems: Vec<String>,
}

/// Numbers of messages by outcome.
#[derive(Debug, Default)]
pub struct Totals {
    pub stored: u64,
    pub filtered: BTreeMap<&'static str, u64>,
    pub dead_letters: BTreeMap<&'static str, u64>,
    /// Messages with two deliveries on purpose, of any outcome.
    pub sent_twice: u64,
}

impl Audit {
    pub fn new(messages: Arc<Messages>) -> Self {
        let rows_of = vec![0; messages.count as usize];
        Self { messages, rows_of, duplicated: Vec::new(), rows: 0, problems: Vec::new() }
    }

    /// Reads a table: once, before its deletion or at the end.
    pub async fn read_table(&mut self, bigquery: &TestBigQuery, table: &str) {
        let columns = if table == DEAD_LETTERS { "event_id,reason,message_id" } else { "event_id,user_id,order_id" };
        let mut seen = HashSet::new();
        bigquery
            .each_row(table, columns, |cells| match self.sent(table, cells) {
                Ok(message) => {
                    self.rows += 1;
                    self.rows_of[message.number as usize] += 1;
                    if !seen.insert(message.number) {
                        self.duplicated.push(message.number);
                    }
                }
                Err(problem) => self.problem(problem),
            })
            .await;
    }

    /// The message of a row. An error if the row or its table is wrong.
    fn sent(&self, table: &str, cells: &[&str]) -> Result<Message, String> {
        let [event_id, content, key] = cells else { return Err(format!("a row of {table} has the cells {cells:?}")) };
        let is_dead = table == DEAD_LETTERS;
        let found = if is_dead { self.messages.of_id(key) } else { self.messages.of_order(key) };
        let Some(message) = found else { return Err(format!("no message belongs to the row {cells:?} of {table}")) };
        let expected = if is_dead { message.kind.outcome().1.to_owned() } else { message.user() };
        let is_right = message.table().as_deref() == Some(table) && *event_id == message.event_id().as_str() && *content == expected;
        if is_right { Ok(message) } else { Err(format!("{message} belongs to {:?} and is in {table} as {cells:?}", message.table())) }
    }

    /// Checks that every message is acked and stored in its table. A message may be stored twice only if its deliveries
    /// span more than BigQuery's deduplication window.
    pub fn finish(&mut self, states: &[MessageState]) -> Totals {
        let mut totals = Totals::default();
        for (number, state) in states.iter().enumerate() {
            let message = self.messages.message(number as u32);
            if state.acks == 0 {
                self.problem(format!("{message} was never acked: {state:?}"));
            }
            match (message.table(), self.rows_of[number]) {
                (Some(table), 0) => self.problem(format!("{message} is not in {table}: {state:?}")),
                (None, 1..) => self.problem(format!("{message} has a row")),
                _ => {}
            }
            totals.sent_twice += u64::from(message.copies != Copies::One);
            match message.kind.outcome() {
                ("stored", _) => totals.stored += 1,
                ("filtered", reason) => *totals.filtered.entry(reason).or_default() += 1,
                (_, reason) => *totals.dead_letters.entry(reason).or_default() += 1,
            }
        }
        for number in std::mem::take(&mut self.duplicated) {
            let state = states[number as usize];
            if state.last - state.first < DEDUPLICATION_MS {
                self.problem(format!("{} was stored twice within the deduplication window: {state:?}", self.messages.message(number)));
            }
        }
        totals
    }

    /// Number of messages with at least one row, which is the number of rows after deduplication by event_id.
    pub fn distinct(&self) -> u64 {
        self.rows_of.iter().filter(|rows| **rows > 0).count() as u64
    }

    pub fn problem(&mut self, problem: String) {
        if self.problems.len() < MAX_PROBLEMS {
            self.problems.push(problem);
        }
    }
}
