//! The console: one page on the service's own port that shows the pipeline at work.
//!
//! It stands in for what one has open in Google Cloud: the monitoring page, BigQuery's console and
//! the dead letters. The page is plain HTML, CSS and ES modules, embedded in the binary; it speaks
//! BigQuery's REST API to the embedded BigQuery, which is served under the same origin, and asks
//! here only for what that API does not know:
//!
//! | route | answer |
//! |---|---|
//! | `GET /` | the page |
//! | `GET /console/assets/…` | its scripts, styles and icon (`assets`) |
//! | `GET /console/setup` | names and settings that the page needs, and the sample queries (`setup`) |
//! | `GET /console/live` | counts, rates and latest events, as server-sent events (`live`) |
//! | `GET /console/charts/rate`, `/latency` | the last five minutes, as SVG (`chart`) |
//! | `GET /console/minutes` | the same in state |
//! | `POST /console/charts/result` | a query's result, as SVG |
//! | `GET /console/explain?url=` | what `explain` says of a URL |
//! | `GET /console/sign?url=` | the URL, signed if URL_SIGNING_KEY is set |
//! | `POST /console/replay` | publishes a dead request's data to the topic again (`replay`) |
//! | `GET /console/dead-request-topic`, `POST …/ID/replay` | the dead-request topic, and the same for it (`given_up`) |
//! | `/bigquery/v2/…` | BigQuery's API |
//!
//! It reads what [`Handles`] give and the metrics tell and changes nothing but by a replay. Nobody but
//! this machine is let in (see [`super::loopback`]), and the page may load nothing from elsewhere
//! (`headers`).

mod assets;
mod chart;
mod explain;
mod dead_letter_topic;
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

use super::loopback;
use super::handles::Handles;
use crate::decode::Decoder;
use crate::sink::bigquery::Location;
use journal::Journal;
pub use journal::Recorder;

/// What the handlers share.
struct Console {
    handles: Handles,
    pixel_port: u16,
    names: names::Names,
    /// As of the settings. The service's own follows the template table.
    decoder: Arc<Decoder>,
    journal: Arc<Journal>,
    /// Closed when the recorder has ended. Streams end then: they would hold the server up.
    open: watch::Receiver<()>,
}

/// The console's routes, BigQuery's API among them, and what has to run beside them. `host` is the
/// address that the ports are bound to.
pub fn new(handles: Handles, location: &Location, host: IpAddr, pixel_port: u16) -> (Router, Recorder) {
    let decoder = Arc::new(Decoder::new(handles.template.decode.clone(), &handles.template.schema));
    let names = names::Names::of(location, &handles.template);
    let (journal, recorder, open) = journal::new(&handles.stats, Arc::clone(&decoder), names.table.clone());
    let bigquery = handles.bigquery.api();
    let console = Console { handles, pixel_port, names, decoder, journal, open };
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
        .route("/console/dead-request-topic", get(dead_letter_topic::list))
        .route("/console/dead-request-topic/{id}/replay", post(dead_letter_topic::replay))
        .with_state(Arc::new(console))
        .merge(bigquery)
        .layer(map_response(headers::add_security_headers));
    (loopback::restrict(routes, host), recorder)
}
