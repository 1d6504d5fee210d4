//! The dead letters of the user. Their data is base64, which no query can look into, so that all are read.

use jiff::Timestamp;
use serde_json::Value;

use super::Failure;
use super::subject::Subject;
use crate::cli::google::{Google, Unseen};
use crate::cli::statement::{self, Statement};
use crate::config::Config;
use crate::decode::PubsubMessage;
use crate::decode::message::MessageData;

/// A dead letter, by what tells it from the others.
#[derive(Debug, Clone)]
pub(super) struct Letter {
    pub(super) event_id: String,
    pub(super) received: Timestamp,
}

/// The table, in backticks.
pub(super) fn table(config: &Config) -> String {
    format!("`{}.{}.{}`", config.location.project, config.location.dataset, config.template.dead_letter_table)
}

/// Reads them all; none if there is no such table.
pub(super) async fn find(google: &Google, config: &Config, subject: &Subject) -> Result<Vec<Letter>, Failure> {
    let failed = |error| Failure::Google { what: "read the dead letters".to_owned(), error };
    let sql = format!("SELECT event_id, UNIX_MICROS(received_timestamp), data FROM {}", table(config));
    let statement = Statement { sql, parameters: Vec::new() };
    let mut rows = match statement::run(google, &config.location.project, &statement).await {
        Ok(rows) => rows,
        Err(Unseen::Missing) => return Ok(Vec::new()),
        Err(error) => return Err(failed(error)),
    };
    let mut letters = Vec::new();
    loop {
        letters.extend(rows.take().iter().filter_map(|row| theirs(row, subject)));
        if !rows.next(google).await.map_err(failed)? {
            return Ok(letters);
        }
    }
}

fn theirs(row: &[Value], subject: &Subject) -> Option<Letter> {
    let [event_id, received, data] = row else { return None };
    let data = MessageData::Base64(data.as_str().unwrap_or_default().into());
    let message = PubsubMessage { data, ..PubsubMessage::raw(&[]) };
    subject.is_of(&message).then_some(())?;
    let received = received.as_str()?.parse().ok().and_then(|micros| Timestamp::from_microsecond(micros).ok());
    Some(Letter { event_id: event_id.as_str()?.to_owned(), received: received.unwrap_or(Timestamp::MAX) })
}
