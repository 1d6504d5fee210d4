//! A dead request's second chance: its data is published to the topic once more.
//!
//! It makes the same way as it did the first time. An event that is stored by it has the identity
//! that it would have had then, because that is made of the log entry; one that still cannot
//! become a row makes a second dead request. The row in the dead-request table stays.

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

/// The columns of the dead request that are published again.
#[derive(Debug, Deserialize)]
pub(crate) struct ReplayRequest {
    /// In base64, as the table has it.
    data: String,
    #[serde(default)]
    attributes: Attributes,
}

/// Why nothing was published.
pub(crate) type ReplayError = (StatusCode, &'static str);

/// `POST /console/replay`: publishes, and answers what the decoder makes of it now.
pub(crate) async fn replay(State(console): State<Arc<Console>>, Json(request): Json<ReplayRequest>) -> Result<Json<Explanation>, ReplayError> {
    let unfit = |problem| (StatusCode::UNPROCESSABLE_ENTITY, problem);
    let data = STANDARD.decode(&request.data).map_err(|_| unfit("the data is not base64\n"))?;
    if data.is_empty() {
        return Err(unfit("there is no data, and Pub/Sub takes no empty message\n"));
    }
    console.publish_again(data.into(), request.attributes).map(Json)
}

impl Console {
    /// Publishes to the topic.
    pub(crate) fn publish_again(&self, data: Bytes, attributes: Attributes) -> Result<Explanation, ReplayError> {
        let decoded = self.decoder.decode(&PubsubMessage::raw(&data), Timestamp::now());
        let explanation = Explanation::of(decoded, &self.names.table);
        match self.handles.topic.publish(data, attributes) {
            Some(_) => Ok(explanation),
            None => Err((StatusCode::SERVICE_UNAVAILABLE, "the pipeline is about to end\n")),
        }
    }
}
