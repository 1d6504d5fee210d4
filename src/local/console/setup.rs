//! What the page has to know of the settings before it can ask for anything.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use serde::Serialize;
use serde_json::Value;

use super::Console;
use super::assets::pixel_origin;
use super::samples::{self, Sample};
use crate::decode::{Schema, Settings};
use crate::sink::bigquery::Location;
use crate::sink::template::TemplateSettings;

/// Names that the settings give to things.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Names {
    project: String,
    pub(crate) dataset: String,
    /// TABLE_NAME.
    pub(crate) table: String,
    pub(crate) dead_letter_table: String,
    /// Each URL parameter that becomes a column, with what the schema says of it.
    attributes: Vec<Attribute>,
    /// PIXEL_PATH; empty for any path.
    pixel_paths: Vec<String>,
    /// URLs are signed.
    signs: bool,
}

#[derive(Debug, Clone, Serialize)]
struct Attribute {
    name: String,
    description: Option<String>,
    /// TABLE_SUFFIX names it: an event without it is not stored.
    names_table: bool,
}

#[derive(Debug, Serialize)]
pub(crate) struct Setup {
    #[serde(flatten)]
    names: Names,
    version: &'static str,
    /// The pixel, by the name by which the console was asked for.
    pixel: String,
    /// Google's emulator delivers, and does not tell of it.
    emulator: bool,
    samples: Vec<Sample>,
}

impl Names {
    pub(crate) fn of(location: &Location, template: &TemplateSettings) -> Self {
        let Settings { valid_attributes, pixel_paths, table_suffix, signatures, .. } = &template.decode;
        let described = |(position, name): (usize, &String)| Attribute {
            name: name.clone(),
            description: description(&template.schema, name),
            names_table: table_suffix.attributes().any(|of_suffix| of_suffix == position),
        };
        let mut attributes: Vec<Attribute> = valid_attributes.names().iter().enumerate().map(described).collect();
        // Those without which nothing is stored come first.
        attributes.sort_by_key(|attribute| !attribute.names_table);
        Self {
            project: location.project.clone(),
            dataset: location.dataset.clone(),
            table: template.table.to_string(),
            dead_letter_table: template.dead_letter_table.to_string(),
            attributes,
            pixel_paths: pixel_paths.clone(),
            signs: signatures.is_some(),
        }
    }
}

/// `GET /console/setup`
pub(crate) async fn setup(State(console): State<Arc<Console>>, request: HeaderMap) -> Json<Setup> {
    let names = console.names.clone();
    let path = names.pixel_paths.first().map_or("/pixel.png", String::as_str);
    let pixel = format!("{}{path}", pixel_origin(&request, console.pixel_port));
    Json(Setup {
        samples: samples::all(&names),
        names,
        version: env!("CARGO_PKG_VERSION"),
        pixel,
        emulator: console.handles.emulator.is_some(),
    })
}

fn description(schema: &Schema, column: &str) -> Option<String> {
    let is_it = |field: &&Value| field["name"].as_str().is_some_and(|name| name.eq_ignore_ascii_case(column));
    schema.fields().as_array()?.iter().find(is_it)?["description"].as_str().map(str::to_owned)
}
