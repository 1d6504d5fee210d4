//! The console: a web page on the service's port that shows the pipeline at work.
//!
//! It replaces three pages of Google Cloud's console: monitoring, BigQuery and dead letters. The page is plain HTML, CSS
//! and ES modules, embedded in the binary. It uses BigQuery's REST API, which is served under the same origin, and the
//! routes below for what that API does not provide:
//!
//! | route | answer |
//! |---|---|
//! | `GET /` | the page |
//! | `GET /console/assets/…` | its scripts, styles and icon (`assets`) |
//! | `GET /console/setup` | names and settings that the page needs, and the sample queries (`setup`) |
//! | `GET /console/live` | counts, rates and latest events, as server-sent events (`live`) |
//! | `GET /console/charts/rate`, `/latency` | the last five minutes, as SVG (`chart`) |
//! | `GET /console/minutes` | the same as numbers, per minute |
//! | `POST /console/charts/result` | a query's result, as SVG |
//! | `GET /console/explain?url=` | the result of `explain` for a URL |
//! | `GET /console/sign?url=` | the URL, signed if URL_SIGNING_KEY is set |
//! | `POST /console/replay` | publishes a dead letter's data to the topic again (`replay`) |
//! | `GET /console/dead-letter-topic`, `POST …/ID/replay` | the messages of the dead-letter topic, and their replay (`dead_letter_topic`) |
//! | `/bigquery/v2/…` | BigQuery's API |
//!
//! It reads from [`Handles`] and changes nothing except by a replay. Only this machine has access (see
//! [`super::loopback`]), and the page loads nothing from other origins (`headers`).

mod assets;
mod chart;
mod dead_letter_topic;
mod explain;
mod headers;
mod journal;
mod live;
mod names;
mod replay;
mod samples;
mod series;
mod setup;

use std::net::IpAddr;
use std::sync::Arc;

use axum::Router;
use axum::middleware::map_response;
use axum::routing::{get, post};
use tokio::sync::watch;

use super::handles::Handles;
use super::loopback;
use super::tables_api::TablesApi;
use crate::decode::Decoder;
use crate::sink::bigquery::Location;
use journal::Journal;
pub use journal::JournalWriter;

/// Shared by the handlers.
struct Console {
    handles: Handles,
    tables: TablesApi,
    pixel_port: u16,
    names: names::ConsoleNames,
    /// Decoder of the settings. The service's decoder also follows changes of the template table.
    decoder: Arc<Decoder>,
    journal: Arc<Journal>,
    /// Closed when the writer has ended. Event streams end then; otherwise they would delay the shutdown.
    open: watch::Receiver<()>,
}

/// Creates the console's routes, including BigQuery's API, and the writer to run beside them. `host` is the address that
/// the ports are bound to.
pub fn new(handles: Handles, tables: TablesApi, location: &Location, host: IpAddr, pixel_port: u16) -> (Router, JournalWriter) {
    let decoder = Arc::new(Decoder::new(handles.template.decode.clone(), &handles.template.schema));
    let names = names::ConsoleNames::of(location, &handles.template);
    let (journal, journal_writer, open) = journal::new(&handles.stats, Arc::clone(&decoder), names.table.clone());
    let bigquery = handles.bigquery.api();
    let console = Console { handles, tables, pixel_port, names, decoder, journal, open };
    let routes = Router::new()
        .route("/", get(assets::page))
        .route("/console/assets/{*path}", get(assets::asset))
        .route("/console/setup", get(setup::setup))
        .route("/console/live", get(live::live))
        .route("/console/charts/rate", get(chart::rate))
        .route("/console/charts/latency", get(chart::latency))
        .route("/console/minutes", get(chart::minutes))
        .route("/console/charts/result", post(chart::result))
        .route("/console/explain", get(explain::explain))
        .route("/console/sign", get(explain::sign))
        .route("/console/replay", post(replay::replay))
        .route("/console/dead-letter-topic", get(dead_letter_topic::list))
        .route("/console/dead-letter-topic/{id}/replay", post(dead_letter_topic::replay))
        .with_state(Arc::new(console))
        .merge(bigquery)
        .layer(map_response(headers::add_security_headers));
    (loopback::restrict(routes, host), journal_writer)
}
