//! The dead-letter table, by a query.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use jiff::Timestamp;
use serde_json::Value;
use tokio::sync::mpsc;

use super::entry::{Entry, Origin, Payload};
use super::feed::{AHEAD, Event, Feed, Reach};
use super::period::{Moment, Period};
use super::shard::Shard;
use crate::cli::dead_letter_table::{DeadLetterTable, Deleted};
use crate::config::Config;
use crate::decode::PubsubMessage;
use crate::decode::message::MessageData;
use crate::google::statement::{self, Rows, Statement};
use crate::google::{ApiResult, Client};

/// The table.
#[derive(Debug, Clone)]
pub(crate) struct DeadLetters(DeadLetterTable);

/// Which of them.
pub(crate) struct Question<'a> {
    pub(crate) reasons: &'a [String],
    /// Of received_timestamp.
    pub(crate) period: Period,
    pub(crate) shard: Shard,
}

impl DeadLetters {
    pub(crate) fn new(google: Client, config: &Config) -> Self {
        Self(DeadLetterTable::new(Arc::new(google), config))
    }

    /// Asks for them. The answer is of one moment: what is written or deleted meanwhile does not change it.
    pub(crate) async fn feed(&self, question: &Question<'_>) -> ApiResult<Feed> {
        let rows = self.0.run(&self.select(question)).await?.require(format!("table {}", self.0.name()))?;
        let (events, receiver) = mpsc::channel(AHEAD);
        let reach = Reach::of(Some(rows.total()?));
        // Ends with the rows, or when nobody takes them any more.
        tokio::spawn(send(Arc::clone(self.0.google()), rows, events, reach.clone()));
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
            self.0.name(),
            conditions.join(" AND "),
        );
        Statement { sql, parameters }
    }

    /// Deletes those with these event_ids, as far as BigQuery does.
    pub(crate) async fn delete(&self, event_ids: &[String], count: &mut Deleted) -> ApiResult<()> {
        self.0.delete(event_ids, Timestamp::now(), count).await
    }
}

async fn send(google: Arc<Client>, mut rows: Rows, events: mpsc::Sender<Event>, reach: Reach) {
    loop {
        let page = match rows.take() {
            Ok(page) => page,
            Err(error) => {
                let _ = events.send(Event::Broken { what: format!("the dead letters: {error}") }).await;
                return;
            }
        };
        for row in page {
            if events.send(Event::Entry(entry(&row))).await.is_err() {
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

fn entry(row: &[Value]) -> Entry {
    let text = |index: usize| row.get(index).and_then(Value::as_str).map(str::to_owned);
    let letter = PubsubMessage {
        data: MessageData::Base64(text(1).unwrap_or_default().into()),
        message_id: text(2).map(Into::into),
        publish_time: text(3).map(Into::into),
        attributes: text(4).filter(|json| json != "null").map(Into::into),
        delivery_attempt: text(5).and_then(|attempt| attempt.parse().ok()),
    };
    Entry { payload: Payload::Letter(letter), origin: Origin::Letter { event_id: text(0).unwrap_or_default() } }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_row_is_the_message_that_it_was() {
        let row = [json!("id"), json!("e30="), json!("7"), Value::Null, json!(r#"{"a":"b"}"#), json!("3")];
        let entry = entry(&row);
        let message = entry.payload.message();
        assert_eq!(*message.data.bytes().unwrap(), *b"{}");
        assert_eq!((message.message_id.as_deref(), message.publish_time), (Some("7"), None));
        assert_eq!((message.attributes.as_deref(), message.delivery_attempt), (Some(r#"{"a":"b"}"#), Some(3)));
    }
}
