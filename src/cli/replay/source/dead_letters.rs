//! The dead-letter table, read by a query.

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;
use tokio::sync::mpsc;

use super::{CHANNEL_CAPACITY, Closed, Entry, Source, SourceEvent};
use crate::ack::Outcome;
use crate::cli::dead_letter_table::{DeadLetterTable, Deleted};
use crate::cli::replay::outcome::EntryOutcome;
use crate::cli::replay::period::{Period, TimeArg};
use crate::cli::replay::progress::ReadProgress;
use crate::cli::replay::shard::Shard;
use crate::config::Config;
use crate::decode::PubsubMessage;
use crate::decode::message::MessageData;
use crate::google::statement::{self, Rows, Statement};
use crate::google::{ApiResult, Client};

/// Which dead letters are replayed.
pub(crate) struct Selection<'a> {
    pub(crate) reasons: &'a [String],
    /// Of received_timestamp.
    pub(crate) period: Period,
    pub(crate) shard: Shard,
}

/// A row of the table.
#[derive(Debug)]
pub(crate) struct StoredDeadLetter {
    /// `None` in a row of a table that was created by hand.
    event_id: Option<String>,
    message: PubsubMessage<'static>,
}

impl Entry for StoredDeadLetter {
    fn message(&self) -> PubsubMessage<'_> {
        self.message.clone()
    }
}

impl fmt::Display for StoredDeadLetter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "dead letter {}", self.event_id.as_deref().unwrap_or("without event_id"))
    }
}

pub(crate) struct DeadLetterSource {
    events: mpsc::Receiver<SourceEvent<StoredDeadLetter>>,
    table: DeadLetterTable,
    progress: ReadProgress,
    /// Delete the dead letters that become rows.
    delete: bool,
    /// event_ids of dead letters that became rows.
    recovered: Vec<String>,
    recovered_without_id: u64,
}

impl DeadLetterSource {
    /// Runs the query. Its result is a snapshot: later changes of the table do not show.
    pub(crate) async fn open(google: Client, config: &Config, selection: &Selection<'_>, delete: bool) -> ApiResult<Self> {
        let table = DeadLetterTable::new(Arc::new(google), config);
        let rows = table.query(&select(&table, selection)).await?.require(format!("table {}", table.name()))?;
        let (events, receiver) = mpsc::channel(CHANNEL_CAPACITY);
        let progress = ReadProgress::new(Some(rows.total()));
        // Ends with the rows, or when the receiver is closed.
        tokio::spawn(read(Arc::clone(table.google()), rows, events, progress.clone()));
        Ok(Self { events: receiver, table, progress, delete, recovered: Vec::new(), recovered_without_id: 0 })
    }
}

impl Source for DeadLetterSource {
    type Entry = StoredDeadLetter;

    fn read_progress(&self) -> ReadProgress {
        self.progress.clone()
    }

    fn if_empty(&self) -> &'static str {
        "no dead letter was selected"
    }

    async fn next(&mut self) -> Option<SourceEvent<StoredDeadLetter>> {
        self.events.recv().await
    }

    fn complete(&mut self, entry: StoredDeadLetter, outcome: EntryOutcome) {
        if outcome == EntryOutcome::Processed(Outcome::Stored) {
            match entry.event_id {
                Some(event_id) => self.recovered.push(event_id),
                None => self.recovered_without_id += 1,
            }
        }
    }

    fn stop(&mut self) {
        self.events.close();
    }

    async fn close(&mut self) -> Closed {
        let mut closed = Closed::default();
        if !self.delete {
            return closed;
        }
        let mut deleted = Deleted::default();
        if let Err(error) = self.table.delete(&self.recovered, Timestamp::now(), &mut deleted).await {
            closed.errors.push(format!("cannot delete the dead letters that became rows: {error}"));
        }
        if self.recovered_without_id > 0 {
            closed.errors.push(format!("cannot delete {} dead letters that became rows: they have no event_id", self.recovered_without_id));
        }
        closed.deleted = Some(deleted);
        closed
    }
}

fn select(table: &DeadLetterTable, Selection { reasons, period, shard }: &Selection<'_>) -> Statement {
    let mut conditions = vec!["TRUE"];
    let mut parameters = Vec::new();
    if !reasons.is_empty() {
        conditions.push("reason IN UNNEST(@reasons)");
        parameters.push(statement::strings("reasons", reasons));
    }
    for (time, condition, name) in
        [(period.since, "received_timestamp >= @since", "since"), (period.until, "received_timestamp < @until", "until")]
    {
        if let Some(TimeArg(time)) = time {
            conditions.push(condition);
            parameters.push(statement::timestamp(name, time));
        }
    }
    if !shard.is_whole() {
        // FARM_FINGERPRINT may be negative, and ABS fails for the smallest INT64.
        conditions.push("MOD(MOD(FARM_FINGERPRINT(event_id), @tasks) + @tasks, @tasks) = @task");
        parameters.extend([statement::integer("tasks", shard.count.into()), statement::integer("task", shard.index.into())]);
    }
    let sql = format!(
        "SELECT event_id, data, message_id, publish_time, TO_JSON_STRING(attributes) AS attributes, delivery_attempt FROM {} WHERE {} ORDER BY received_timestamp",
        table.name(),
        conditions.join(" AND "),
    );
    Statement { sql, parameters }
}

async fn read(google: Arc<Client>, mut rows: Rows, events: mpsc::Sender<SourceEvent<StoredDeadLetter>>, progress: ReadProgress) {
    loop {
        for row in rows.take() {
            if events.send(SourceEvent::Entry(dead_letter(&row))).await.is_err() {
                return;
            }
            progress.add(1);
        }
        match rows.next(&google).await {
            Ok(true) => {}
            Ok(false) => return,
            Err(error) => {
                let _ = events.send(SourceEvent::Error(format!("cannot read the dead letters: {error}"))).await;
                return;
            }
        }
    }
}

/// The columns are those of [`select`].
fn dead_letter(row: &[Value]) -> StoredDeadLetter {
    let text = |index: usize| row.get(index).and_then(Value::as_str).map(str::to_owned);
    let message = PubsubMessage {
        // A message without data has an empty payload, and becomes a dead letter again.
        data: MessageData::Base64(text(1).map_or("".into(), Into::into)),
        message_id: text(2).map(Into::into),
        publish_time: text(3).map(Into::into),
        attributes: text(4).filter(|json| json != "null").map(Into::into),
        delivery_attempt: text(5).and_then(|attempt| attempt.parse().ok()),
    };
    StoredDeadLetter { event_id: text(0), message }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_row_becomes_the_original_message() {
        let row = [json!("id"), json!("e30="), json!("7"), Value::Null, json!(r#"{"a":"b"}"#), json!("3")];
        let dead_letter = dead_letter(&row);
        let message = dead_letter.message();
        assert_eq!(*message.data.bytes().unwrap(), *b"{}");
        assert_eq!((message.message_id.as_deref(), message.publish_time), (Some("7"), None));
        assert_eq!((message.attributes.as_deref(), message.delivery_attempt), (Some(r#"{"a":"b"}"#), Some(3)));
    }
}
