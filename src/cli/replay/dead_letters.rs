//! The dead-letter table, by a query.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;
use tokio::sync::mpsc;

use super::entry::{Entry, Origin, Payload};
use super::feed::{AHEAD, Event, Feed, Reach};
use super::period::{Moment, Period};
use super::shard::Shard;
use crate::cli::google::{Google, Unseen};
use crate::cli::statement::{self, Rows, Statement};
use crate::config::Config;
use crate::decode::PubsubMessage;
use crate::decode::message::MessageData;

/// BigQuery deletes no row that was streamed within half an hour
/// (<https://cloud.google.com/bigquery/docs/data-manipulation-language#limitations>), and a row may be streamed up to
/// ten minutes after it was received.
pub(in crate::cli) const TOO_YOUNG: Duration = Duration::from_secs(40 * 60);
/// event_ids in one DELETE.
const AT_ONCE: usize = 1_000;

/// The table.
#[derive(Debug, Clone)]
pub(super) struct DeadLetters {
    google: Arc<Google>,
    /// Of whom the queries are.
    project: String,
    /// In backticks.
    table: String,
}

/// Which of them.
pub(super) struct Question<'a> {
    pub(super) reasons: &'a [String],
    /// Of received_timestamp.
    pub(super) period: Period,
    pub(super) shard: Shard,
}

impl DeadLetters {
    pub(super) fn new(google: Google, config: &Config) -> Self {
        let (location, name) = (&config.location, &config.template.dead_letter_table);
        let table = format!("`{}.{}.{name}`", location.project, location.dataset);
        Self { google: Arc::new(google), project: location.project.clone(), table }
    }

    /// Asks for them. The answer is of one moment: what is written or deleted meanwhile does not change it.
    pub(super) async fn feed(&self, question: &Question<'_>) -> Result<Feed, Unseen> {
        let rows = statement::run(&self.google, &self.project, &self.select(question)).await?;
        let (events, receiver) = mpsc::channel(AHEAD);
        let reach = Reach::of(Some(rows.total()));
        // Ends with the rows, or when nobody takes them any more.
        tokio::spawn(send(Arc::clone(&self.google), rows, events, reach.clone()));
        Ok(Feed { events: receiver, sources: Vec::new(), reach, closing: Box::pin(std::future::ready(())) })
    }

    fn select(&self, Question { reasons, period, shard }: &Question<'_>) -> Statement {
        let mut conditions = vec!["TRUE"];
        let mut parameters = Vec::new();
        if !reasons.is_empty() {
            conditions.push("reason IN UNNEST(@reasons)");
            parameters.push(statement::strings("reasons", reasons));
        }
        for (moment, condition, name) in
            [(period.since, "received_timestamp >= @since", "since"), (period.until, "received_timestamp < @until", "until")]
        {
            if let Some(Moment(time)) = moment {
                conditions.push(condition);
                parameters.push(statement::timestamp(name, time));
            }
        }
        if !shard.is_whole() {
            // The fingerprint may be negative, and its absolute value too large.
            conditions.push("MOD(MOD(FARM_FINGERPRINT(event_id), @tasks) + @tasks, @tasks) = @task");
            parameters.extend([statement::integer("tasks", shard.count.into()), statement::integer("task", shard.index.into())]);
        }
        let sql = format!(
            "SELECT event_id, data, message_id, publish_time, TO_JSON_STRING(attributes) AS attributes, delivery_attempt FROM {} WHERE {} ORDER BY received_timestamp",
            self.table,
            conditions.join(" AND "),
        );
        Statement { sql, parameters }
    }

    /// Deletes those with these event_ids, as far as BigQuery does: returns how many are gone, and how many stay.
    pub(super) async fn delete(&self, event_ids: &[String]) -> Result<(u64, u64), Unseen> {
        let now = Timestamp::now();
        let youngest = now.checked_sub(TOO_YOUNG).unwrap_or(now);
        let (mut deleted, mut left) = (0, 0);
        for ids in event_ids.chunks(AT_ONCE) {
            let parameters = vec![statement::strings("ids", ids), statement::timestamp("youngest", youngest)];
            let sql = format!("DELETE FROM {} WHERE event_id IN UNNEST(@ids) AND received_timestamp < @youngest", self.table);
            deleted += statement::run(&self.google, &self.project, &Statement { sql, parameters: parameters.clone() }).await?.affected();
            let sql = format!("SELECT COUNT(*) FROM {} WHERE event_id IN UNNEST(@ids) AND received_timestamp >= @youngest", self.table);
            left += statement::run(&self.google, &self.project, &Statement { sql, parameters }).await?.count();
        }
        Ok((deleted, left))
    }
}

async fn send(google: Arc<Google>, mut rows: Rows, events: mpsc::Sender<Event>, reach: Reach) {
    loop {
        for row in rows.take() {
            let Some(entry) = entry(&row) else { continue };
            if events.send(Event::Entry(entry)).await.is_err() {
                return;
            }
            reach.done.fetch_add(1, Ordering::Relaxed);
        }
        match rows.next(&google).await {
            Ok(true) => {}
            Ok(false) => return,
            Err(error) => {
                let _ = events.send(Event::Broken { what: format!("the dead letters: {error}") }).await;
                return;
            }
        }
    }
}

fn entry(row: &[Value]) -> Option<Entry> {
    let text = |index: usize| row.get(index).and_then(Value::as_str).map(str::to_owned);
    let letter = PubsubMessage {
        data: MessageData::Base64(text(1).unwrap_or_default().into()),
        message_id: text(2).map(Into::into),
        publish_time: text(3).map(Into::into),
        attributes: text(4).filter(|json| json != "null").map(Into::into),
        delivery_attempt: text(5).and_then(|attempt| attempt.parse().ok()),
    };
    Some(Entry { payload: Payload::Letter(letter), origin: Origin::Letter { event_id: text(0)? } })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_row_is_the_message_that_it_was() {
        let row = [json!("id"), json!("e30="), json!("7"), Value::Null, json!(r#"{"a":"b"}"#), json!("3")];
        let entry = entry(&row).unwrap();
        let message = entry.payload.message();
        assert_eq!(*message.data.bytes().unwrap(), *b"{}");
        assert_eq!((message.message_id.as_deref(), message.publish_time), (Some("7"), None));
        assert_eq!((message.attributes.as_deref(), message.delivery_attempt), (Some(r#"{"a":"b"}"#), Some(3)));
    }
}
