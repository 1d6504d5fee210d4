//! The settings that decide how an entry becomes a row.

use std::path::PathBuf;

use clap::Args;

use super::Problems;
use super::privacy::PrivacyArgs;
use super::signing::SigningArgs;
use crate::decode::attributes::ValidAttributes;
use crate::decode::table_suffix::{BadTemplate, SuffixTemplate};
use crate::decode::{Schema, Settings};

/// What decides how an entry becomes a row. `serve` and `explain` share it.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Events")]
pub struct DecodeArgs {
    /// URL parameters that may become columns, separated by commas. Each must be a column of the template table
    #[arg(long, env, value_name = "NAMES", default_value = "order_id,type,user_id")]
    pub valid_attributes: String,
    /// Template table. Generated tables are named after it: TABLE_NAME followed by the suffix
    #[arg(long, env, value_name = "NAME", default_value = "pixel")]
    pub table_name: String,
    /// Suffix of an event's table: letters, digits, `_`, {ATTRIBUTE}, {date} (UTC, as 20260102) and {date:STRFTIME}.
    /// Empty for a single table
    #[arg(long, env, value_name = "TEMPLATE", default_value = "_{user_id}_{date}")]
    pub table_suffix: String,
    /// Paths that count as the pixel, separated by commas; `*` for any
    #[arg(long, env, value_name = "PATHS", default_value = "/pixel.png")]
    pub pixel_path: String,
    /// BigQuery schema file (as `bq mk --schema` takes it) to create the template table from, in place of the built-in one
    #[arg(long, env, value_name = "FILE")]
    pub schema_file: Option<PathBuf>,
    #[command(flatten)]
    pub privacy: PrivacyArgs,
    #[command(flatten)]
    pub signing: SigningArgs,
}

/// The settings of decoding, all of them valid.
#[derive(Debug, Clone)]
pub struct DecodeConfig {
    pub settings: Settings,
    pub schema: Schema,
    pub table_name: String,
}

impl DecodeArgs {
    /// The settings, checked one by one and against the schema of the file.
    pub fn load(&self) -> Result<DecodeConfig, Problems> {
        let mut problems = Problems::default();
        let config = self.read(&mut problems);
        if let Some(config) = &config {
            problems.0.extend(config.settings.problems_with(&config.schema).iter().map(ToString::to_string));
        }
        problems.or(config)
    }

    pub(crate) fn read(&self, problems: &mut Problems) -> Option<DecodeConfig> {
        problems.identifier("TABLE_NAME", &self.table_name, true);
        let attributes = problems.check("VALID_ATTRIBUTES", ValidAttributes::parse(&self.valid_attributes));
        let no_attributes = ValidAttributes::default();
        let suffix = match SuffixTemplate::parse(&self.table_suffix, attributes.as_ref().unwrap_or(&no_attributes), &self.table_name) {
            // Which fields are attributes cannot be said while the list of them is wrong.
            Err(BadTemplate::UnknownField(_)) if attributes.is_none() => None,
            suffix => problems.check("TABLE_SUFFIX", suffix),
        };
        let privacy = self.privacy.read(attributes.as_ref(), problems);
        let signatures = self.signing.read(problems);
        let schema = self.read_schema(problems);
        let pixel_paths = self.read_paths(problems);
        Some(DecodeConfig {
            settings: Settings {
                valid_attributes: attributes?,
                table_suffix: suffix?,
                pixel_paths: pixel_paths?,
                privacy: privacy?,
                signatures: signatures?,
            },
            schema: schema?,
            table_name: self.table_name.clone(),
        })
    }

    fn read_schema(&self, problems: &mut Problems) -> Option<Schema> {
        let Some(file) = self.schema_file.as_ref().filter(|file| !file.as_os_str().is_empty()) else {
            return Some(Schema::shipped());
        };
        let json = problems.check("SCHEMA_FILE", std::fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display())))?;
        problems.check("SCHEMA_FILE", Schema::parse(&json).map_err(|error| format!("{}: {error}", file.display())))
    }

    fn read_paths(&self, problems: &mut Problems) -> Option<Vec<String>> {
        let paths: Vec<&str> = self.pixel_path.split(',').map(str::trim).filter(|path| !path.is_empty()).collect();
        if paths.contains(&"*") {
            return Some(Vec::new());
        }
        let bad = |path: &&str| !path.starts_with('/') || path.contains(['?', '#']);
        if paths.is_empty() || paths.iter().any(bad) {
            problems.add("PIXEL_PATH", format!("{:?} is not a list of paths, each beginning with /, and not *", self.pixel_path));
            return None;
        }
        Some(paths.into_iter().map(str::to_owned).collect())
    }
}
