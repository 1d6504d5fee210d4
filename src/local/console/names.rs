//! The names that the settings give to project, dataset, tables and URL parameters.

use serde::Serialize;
use serde_json::Value;

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
    pub(crate) pixel_paths: Vec<String>,
    /// URLs are signed.
    url_signing: bool,
}

#[derive(Debug, Clone, Serialize)]
struct Attribute {
    name: String,
    description: Option<String>,
    /// TABLE_SUFFIX names it: an event without it is not stored.
    in_table_suffix: bool,
}

impl Names {
    pub(crate) fn of(location: &Location, template: &TemplateSettings) -> Self {
        let Settings { valid_attributes, pixel_paths, table_suffix, signatures, .. } = &template.decode;
        let described = |(position, name): (usize, &String)| Attribute {
            name: name.clone(),
            description: description(&template.schema, name),
            in_table_suffix: table_suffix.attributes().any(|of_suffix| of_suffix == position),
        };
        let mut attributes: Vec<Attribute> = valid_attributes.names().iter().enumerate().map(described).collect();
        // Those without which nothing is stored come first.
        attributes.sort_by_key(|attribute| !attribute.in_table_suffix);
        Self {
            project: location.project.clone(),
            dataset: location.dataset.clone(),
            table: template.table.to_string(),
            dead_letter_table: template.dead_letter_table.to_string(),
            attributes,
            pixel_paths: pixel_paths.clone(),
            url_signing: signatures.is_some(),
        }
    }
}

fn description(schema: &Schema, column: &str) -> Option<String> {
    let is_it = |field: &&Value| field["name"].as_str().is_some_and(|name| name.eq_ignore_ascii_case(column));
    schema.fields().as_array()?.iter().find(is_it)?["description"].as_str().map(str::to_owned)
}
