//! Charts as SVG, drawn by `plotters`.
//!
//! A chart is drawn for its actual width, so that the text keeps its size, and in the colours of the page ([`palette`]).
//! The page offers the same data as a table.

mod axis;
mod bars;
mod frame;
mod latency;
mod lines;
mod palette;
mod rate;
mod result;

use std::sync::Arc;

use axum::Json;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use serde::Deserialize;

use super::Console;
use super::series::{self, Minute};
use frame::Size;

/// An SVG document.
#[derive(Debug)]
struct Svg(String);

/// Why a chart cannot be drawn.
#[derive(Debug, thiserror::Error)]
enum ChartError {
    #[error("{0}")]
    Rejected(&'static str),
    #[error("cannot draw the chart: {0}")]
    Drawing(String),
}

#[derive(Debug, Deserialize)]
pub(crate) struct ChartQuery {
    width: u32,
}

/// `GET /console/charts/rate?width=`: deliveries per second by outcome.
pub(crate) async fn rate(State(console): State<Arc<Console>>, Query(ChartQuery { width }): Query<ChartQuery>) -> Response {
    let now = Timestamp::now().as_second();
    answer(rate::draw(&console.journal.seconds(now), now, Size::overview(width)))
}

/// `GET /console/minutes`: the data of both charts, per minute.
pub(crate) async fn minutes(State(console): State<Arc<Console>>) -> Json<Vec<Minute>> {
    let now = Timestamp::now().as_second();
    Json(series::minutes(&console.journal.seconds(now), now))
}

/// `GET /console/charts/latency?width=`: from request to row, median and 95th percentile.
pub(crate) async fn latency(State(console): State<Arc<Console>>, Query(ChartQuery { width }): Query<ChartQuery>) -> Response {
    let now = Timestamp::now().as_second();
    answer(latency::draw(console.journal.seconds(now), now, Size::overview(width)))
}

/// `POST /console/charts/result`: columns of a query's result.
pub(crate) async fn result(Json(wanted): Json<result::Chart>) -> Response {
    answer(result::draw(wanted))
}

fn answer(drawn: Result<Svg, ChartError>) -> Response {
    match drawn {
        Ok(Svg(svg)) => ([(CONTENT_TYPE, "image/svg+xml")], svg).into_response(),
        Err(error @ ChartError::Rejected(_)) => (StatusCode::UNPROCESSABLE_ENTITY, format!("{error}\n")).into_response(),
        Err(error @ ChartError::Drawing(_)) => (StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n")).into_response(),
    }
}
