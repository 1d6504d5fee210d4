//! Names and settings that the page needs at its start.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use serde::Serialize;

use super::Console;
use super::assets::pixel_origin;
use super::names::ConsoleNames;
use super::samples::{self, Sample};
use crate::local::front::FrontKind;
use crate::telemetry::with_causes;

#[derive(Debug, Serialize)]
pub(crate) struct PageSetup {
    #[serde(flatten)]
    names: ConsoleNames,
    version: &'static str,
    /// The pixel's URL, with the host of the request.
    pixel: String,
    /// Whether Google's emulator delivers the messages. The page cannot show events then.
    emulator: bool,
    /// Whether the pixel is a service on Cloud Run.
    cloud_run: bool,
    samples: Vec<Sample>,
}

/// `GET /console/setup`
pub(crate) async fn setup(State(console): State<Arc<Console>>, request: HeaderMap) -> Json<PageSetup> {
    let names = console.names.clone();
    let samples = match console.tables.columns(&names.table).await {
        Ok(schema) => samples::all(&names, &schema),
        Err(error) => samples::unavailable(&format!("cannot read the template table: {}", with_causes(&error))),
    };
    let pixel = format!("{}{}", pixel_origin(&request, console.pixel_port), names.example_path);
    let (emulator, cloud_run) = (console.handles.emulator.is_some(), console.handles.front == FrontKind::CloudRun);
    Json(PageSetup { samples, names, version: env!("CARGO_PKG_VERSION"), pixel, emulator, cloud_run })
}
