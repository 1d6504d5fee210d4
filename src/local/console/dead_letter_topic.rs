//! The dead-letter topic: messages that the service never acknowledged.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;

use super::Console;
use super::replay::ReplayError;
use crate::decode::Explanation;
use crate::local::pubsub::Attributes;

/// Prefix of the attributes that the dead-letter policy adds.
const ATTRIBUTE_PREFIX: &str = "CloudPubSubDeadLetterSource";
/// Maximum number of messages in an answer. The latest are returned.
const MAX_MESSAGES: usize = 100;

/// One message, as the page shows it.
#[derive(Debug, Serialize)]
pub(crate) struct DeadLetterMessage {
    id: String,
    /// When it was dead-lettered, in milliseconds of Unix time.
    time_ms: i64,
    attributes: Attributes,
    /// In base64.
    data: String,
}

/// `GET /console/dead-letter-topic`: the messages, latest first.
pub(crate) async fn list(State(console): State<Arc<Console>>) -> Json<Vec<DeadLetterMessage>> {
    let messages = console.handles.dead_letters.messages();
    let shown = messages.into_iter().rev().take(MAX_MESSAGES).map(|message| DeadLetterMessage {
        id: message.id,
        time_ms: message.publish_time.as_millisecond(),
        attributes: message.attributes,
        data: STANDARD.encode(&message.data),
    });
    Json(shown.collect())
}

/// `POST /console/dead-letter-topic/ID/replay`: removes a message and publishes it to the topic.
pub(crate) async fn replay(State(console): State<Arc<Console>>, Path(id): Path<String>) -> Result<Json<Explanation>, ReplayError> {
    let message =
        console.handles.dead_letters.take(&id).ok_or((StatusCode::NOT_FOUND, "the message is no longer in the dead-letter topic\n"))?;
    let attributes = message.attributes.into_iter().filter(|(name, _)| !name.starts_with(ATTRIBUTE_PREFIX)).collect();
    console.publish_again(message.data, attributes).map(Json)
}
