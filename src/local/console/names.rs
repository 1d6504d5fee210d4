//! Names from the settings: project, dataset, tables and URL parameters.

use serde::Serialize;
use serde_json::Value;

use crate::decode::hashed_ids::HashedIds;
use crate::decode::{Schema, Settings};
use crate::sink::bigquery::Location;
use crate::sink::template::TemplateSettings;

/// Names and related settings that the page needs.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct ConsoleNames {
    project: String,
    pub(crate) dataset: String,
    /// TABLE_NAME
    pub(crate) table: String,
    pub(crate) dead_letter_table: String,
    /// The URL parameters that become columns.
    attributes: Vec<UrlParameter>,
    /// PIXEL_PATH. Empty for any path.
    pixel_paths: Vec<String>,
    #[serde(skip)]
    pub(crate) example_path: String,
    /// Whether URL_SIGNING_KEY is set.
    url_signing: bool,
}

#[derive(Debug, Clone, Serialize)]
struct UrlParameter {
    name: String,
    /// Description of its column in the schema.
    description: Option<String>,
    /// Whether TABLE_SUFFIX contains it. An event without it is not stored.
    in_table_suffix: bool,
    /// Whether HASH_ATTRIBUTES contains it, so that the tables hold hashes of its values.
    is_hashed: bool,
}

impl ConsoleNames {
    pub(crate) fn of(location: &Location, template: &TemplateSettings) -> Self {
        let Settings { valid_attributes, requests, table_suffix, signatures, privacy, .. } = &template.decode;
        let attribute = |(position, name): (usize, &String)| UrlParameter {
            name: name.clone(),
            description: description(&template.schema, name),
            in_table_suffix: table_suffix.attributes().any(|used| used == position),
            is_hashed: privacy.hashed_ids.iter().flat_map(HashedIds::names).any(|hashed| hashed.eq_ignore_ascii_case(name)),
        };
        let mut attributes: Vec<UrlParameter> = valid_attributes.names().iter().enumerate().map(attribute).collect();
        // Required ones first.
        attributes.sort_by_key(|attribute| !attribute.in_table_suffix);
        Self {
            project: location.project.clone(),
            dataset: location.dataset.clone(),
            table: template.table.to_string(),
            dead_letter_table: template.dead_letter_table.to_string(),
            attributes,
            pixel_paths: requests.paths.texts(),
            example_path: requests.paths.example(),
            url_signing: signatures.is_some(),
        }
    }
}

fn description(schema: &Schema, column: &str) -> Option<String> {
    let has_name = |field: &&Value| field["name"].as_str().is_some_and(|name| name.eq_ignore_ascii_case(column));
    schema.fields().as_array()?.iter().find(has_name)?["description"].as_str().map(str::to_owned)
}
