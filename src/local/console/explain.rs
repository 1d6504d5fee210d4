//! Explains and signs a URL.

use std::sync::Arc;

use axum::extract::{Query, State};
use jiff::Timestamp;
use serde::Deserialize;

use super::Console;
use crate::decode::Explanation;

#[derive(Debug, Deserialize)]
pub(crate) struct UrlQuery {
    url: String,
}

/// `GET /console/explain?url=…`: the outcome of a request for this URL now.
pub(crate) async fn explain(State(console): State<Arc<Console>>, Query(query): Query<UrlQuery>) -> axum::Json<Explanation> {
    axum::Json(Explanation::of_url(&console.decoder, &query.url, Timestamp::now(), &console.names.table))
}

/// `GET /console/sign?url=…`: the URL with its signature; unchanged without URL_SIGNING_KEY.
pub(crate) async fn sign(State(console): State<Arc<Console>>, Query(query): Query<UrlQuery>) -> String {
    match &console.handles.template.decode.signatures {
        Some(signatures) => signatures.keys.sign(&query.url),
        None => query.url,
    }
}
