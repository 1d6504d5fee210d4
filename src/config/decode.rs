//! The settings that decide how an entry becomes a row.

use super::settings::{PIXEL_METHODS, PIXEL_PATH, SCHEMA_FILE, STATUS, TABLE_NAME, TABLE_SUFFIX, VALID_ATTRIBUTES};
use super::{Problems, RawSettings, Values, privacy, signing};
use crate::decode::attributes::ValidAttributes;
use crate::decode::table_suffix::{BadTemplate, SuffixTemplate};
use crate::decode::{PixelPaths, RequestFilter, Schema, Settings, claimed_columns};

/// The settings of decoding, all of them valid.
#[derive(Debug, Clone)]
pub struct DecodeConfig {
    pub settings: Settings,
    pub schema: Schema,
    pub table_name: String,
    /// Warnings about settings without an effect.
    pub warnings: Vec<&'static str>,
}

impl RawSettings {
    /// The settings of decoding alone, checked one by one and against the schema of the file.
    pub fn load_decode(&self) -> Result<DecodeConfig, Problems> {
        let mut problems = Problems::default();
        let values = self.check(&mut problems);
        let config = read(&values, &mut problems);
        if let Some(config) = &config {
            problems.0.extend(config.settings.problems_with(&config.schema).iter().map(ToString::to_string));
        }
        problems.or(config)
    }
}

pub(crate) fn read(values: &Values, problems: &mut Problems) -> Option<DecodeConfig> {
    let table_name = values.text(&TABLE_NAME);
    let attributes = problems.check(VALID_ATTRIBUTES.name, read_attributes(values.text(&VALID_ATTRIBUTES)));
    let no_attributes = ValidAttributes::default();
    let suffix = match SuffixTemplate::parse(values.text(&TABLE_SUFFIX), attributes.as_ref().unwrap_or(&no_attributes), table_name) {
        // While the list of attributes is wrong, the fields cannot be compared with it.
        Err(BadTemplate::UnknownField { .. }) if attributes.is_none() => None,
        suffix => problems.check(TABLE_SUFFIX.name, suffix),
    };
    let privacy = privacy::read(values, attributes.as_ref(), problems);
    let signatures = signing::read(values, problems);
    let schema = read_schema(values, problems);
    let requests = read_requests(values, problems);
    Some(DecodeConfig {
        settings: Settings {
            valid_attributes: attributes?,
            table_suffix: suffix?,
            requests: requests?,
            privacy: privacy?,
            signatures: signatures?,
        },
        schema: schema?,
        table_name: table_name.to_owned(),
        warnings: privacy::warning(values).into_iter().collect(),
    })
}

fn read_attributes(list: &str) -> Result<ValidAttributes, String> {
    let attributes = ValidAttributes::parse(list).map_err(|error| error.to_string())?;
    let claimed = claimed_columns(&attributes);
    if claimed.is_empty() {
        return Ok(attributes);
    }
    let claimed = claimed.join(", ");
    Err(format!("{claimed} cannot be an attribute: the service fills the column itself. Remove the name from the list"))
}

fn read_schema(values: &Values, problems: &mut Problems) -> Option<Schema> {
    let Some(file) = values.path(&SCHEMA_FILE) else {
        return Some(Schema::shipped());
    };
    let read = std::fs::read_to_string(&file).map_err(|error| error.to_string());
    let schema = read.and_then(|json| Schema::parse(&json).map_err(|error| error.to_string()));
    problems.check(SCHEMA_FILE.name, schema.map_err(|error| format!("{}: {error}", file.display())))
}

fn read_requests(values: &Values, problems: &mut Problems) -> Option<RequestFilter> {
    let paths = problems.check(PIXEL_PATH.name, PixelPaths::parse(values.text(&PIXEL_PATH)));
    let methods = problems.check(PIXEL_METHODS.name, values.text(&PIXEL_METHODS).parse());
    let statuses = problems.check(STATUS.name, values.text(&STATUS).parse());
    Some(RequestFilter { paths: paths?, methods: methods?, statuses: statuses? })
}
