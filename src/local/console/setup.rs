//! What the page has to know of the settings before it can ask for anything.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use serde::Serialize;

use super::Console;
use super::assets::pixel_origin;
use super::names::Names;
use super::samples::{self, Sample};

#[derive(Debug, Serialize)]
pub(crate) struct PageSetup {
    #[serde(flatten)]
    names: Names,
    version: &'static str,
    /// The pixel, by the name by which the console was asked for.
    pixel: String,
    /// Google's emulator delivers, and does not tell of it.
    emulator: bool,
    samples: Vec<Sample>,
}

/// `GET /console/setup`
pub(crate) async fn setup(State(console): State<Arc<Console>>, request: HeaderMap) -> Json<PageSetup> {
    let names = console.names.clone();
    let path = names.pixel_paths.first().map_or("/pixel.png", String::as_str);
    let pixel = format!("{}{path}", pixel_origin(&request, console.pixel_port));
    Json(PageSetup {
        samples: samples::all(&names),
        names,
        version: env!("CARGO_PKG_VERSION"),
        pixel,
        emulator: console.handles.emulator.is_some(),
    })
}
