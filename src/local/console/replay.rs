//! Replays a dead letter: publishes its data to the topic again.
//!
//! The message is processed as before. If it becomes a row, the row has the same event id as before,
//! because the id is derived from the log entry. If it still cannot become a row, it becomes a second dead letter. The row
//! in the dead-letter table is kept.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use jiff::Timestamp;
use serde::Deserialize;

use super::Console;
use crate::decode::{Explanation, PubsubMessage};
use crate::local::pubsub::Attributes;

/// The columns of a dead letter that are published again.
#[derive(Debug, Deserialize)]
pub(crate) struct ReplayRequest {
    /// In base64, as in the table.
    data: String,
    #[serde(default)]
    attributes: Attributes,
}

/// Why nothing was published.
pub(crate) type ReplayError = (StatusCode, &'static str);

/// `POST /console/replay`: publishes the message, and returns its outcome according to the decoder.
pub(crate) async fn replay(
    State(console): State<Arc<Console>>,
    Json(request): Json<ReplayRequest>,
) -> Result<Json<Explanation>, ReplayError> {
    let unprocessable = |problem| (StatusCode::UNPROCESSABLE_ENTITY, problem);
    let data = STANDARD.decode(&request.data).map_err(|_| unprocessable("the data is not base64\n"))?;
    if data.is_empty() {
        return Err(unprocessable("the message has no data, and Pub/Sub rejects empty messages\n"));
    }
    console.publish_again(data.into(), request.attributes).map(Json)
}

impl Console {
    /// Publishes a message to the topic.
    pub(crate) fn publish_again(&self, data: Bytes, attributes: Attributes) -> Result<Explanation, ReplayError> {
        let explanation = Explanation::of_message(&self.decoder, &PubsubMessage::raw(&data), Timestamp::now(), &self.names.table);
        match self.handles.topic.publish(data, attributes) {
            Some(_) => Ok(explanation),
            None => Err((StatusCode::SERVICE_UNAVAILABLE, "the pipeline is shutting down\n")),
        }
    }
}
