//! The settings of the service.

use std::sync::Arc;
use std::time::Duration;

use super::settings::{AUTO_CREATE, BIGQUERY_EMULATOR_HOST, BIGQUERY_ENDPOINT, DATASET, DEAD_LETTER_TABLE, PROJECT_ID, PUSH_DEADLINE};
use super::{Problems, PushAuth, RawSettings, Values, auth, decode, logging, table_limit};
#[cfg(test)]
use crate::decode::{Privacy, RequestFilter, attributes::ValidAttributes, table_suffix::SuffixTemplate};
use crate::decode::{Schema, Settings};
use crate::google::body::read_body;
use crate::table_limit::TableLimits;

/// Longest answer of the metadata server that is read. A project id has at most 30 characters.
const MAX_PROJECT_BYTES: usize = 1024;

/// The settings of the service, all of them valid. A setting without a field is read from `values` where it is used.
#[derive(Debug, Clone)]
pub struct Config {
    pub values: Values,
    pub location: Location,
    /// Whether BigQuery is an emulator, which needs no credentials.
    pub emulator: bool,
    pub template: TemplateSettings,
    pub table_limits: TableLimits,
    pub push_deadline: Duration,
    pub push_auth: PushAuth,
    /// What is insecure about PUSH_AUTH.
    pub auth_warning: Option<&'static str>,
    /// Warnings about settings that have no effect.
    pub warnings: Vec<&'static str>,
}

/// The address of the dataset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location {
    /// `https://bigquery.googleapis.com`, or an emulator's address; without `/bigquery/v2`.
    pub endpoint: String,
    /// The project that owns the dataset.
    pub project: String,
    /// DATASET.
    pub dataset: String,
}

/// The settings of the template table and the decoder.
#[derive(Debug, Clone)]
pub struct TemplateSettings {
    /// TABLE_NAME.
    pub table: Arc<str>,
    /// DEAD_LETTER_TABLE.
    pub dead_letter_table: Arc<str>,
    /// SCHEMA_FILE, or the shipped schema: the table is created with it.
    pub schema: Schema,
    /// AUTO_CREATE.
    pub auto_create: bool,
    /// The settings of the decoder.
    pub decode: Settings,
}

#[cfg(test)]
impl TemplateSettings {
    /// With the shipped schema and this TABLE_SUFFIX.
    pub(crate) fn example(table_suffix: &str) -> Self {
        let valid_attributes = ValidAttributes::parse("order_id,type,user_id").unwrap();
        let table_suffix = SuffixTemplate::parse(table_suffix, &valid_attributes, "pixel").unwrap();
        let (requests, privacy) = (RequestFilter::default(), Privacy::default());
        Self {
            table: "pixel".into(),
            dead_letter_table: "dead_letters".into(),
            schema: Schema::shipped(),
            auto_create: true,
            decode: Settings { valid_attributes, table_suffix, requests, privacy, signatures: None },
        }
    }
}

#[cfg(test)]
impl Location {
    /// Of no server.
    pub(crate) fn example() -> Self {
        Self { endpoint: "http://bigquery".to_owned(), project: "p".to_owned(), dataset: "d".to_owned() }
    }
}

impl RawSettings {
    /// Every setting, checked. Reads the project from the metadata server if it is not set.
    pub async fn load(&self) -> Result<Config, Problems> {
        let mut problems = Problems::default();
        let values = self.check(&mut problems);
        let config = self.read_service(&values, &mut problems).await;
        problems.or(config)
    }

    /// `values` and `problems` are the result of [`check`](Self::check).
    pub(crate) async fn read_service(&self, values: &Values, problems: &mut Problems) -> Option<Config> {
        let (setting, project) = match self.project() {
            Some((setting, project)) => (setting, Ok(project)),
            None => (&PROJECT_ID, metadata_project().await),
        };
        let project = problems.check(setting.name, project.and_then(check_project));
        let emulator = self.is_local();
        if emulator && on_cloud_run() {
            problems.add(BIGQUERY_EMULATOR_HOST.name, "it is set on Cloud Run, where every row would go to an emulator: unset it");
        }
        let endpoint = values.address(if emulator { &BIGQUERY_EMULATOR_HOST } else { &BIGQUERY_ENDPOINT });
        let decode = decode::read(values, problems);
        let table_limits = table_limit::read(values, decode.as_ref(), problems);
        logging::check(values, problems);
        let (table_name, dead_letter_table) = (self.raw(&super::settings::TABLE_NAME), values.text(&DEAD_LETTER_TABLE));
        if !table_name.is_empty() && dead_letter_table.starts_with(table_name) {
            let problem = format!(
                "{dead_letter_table:?} would be read by queries over `{table_name}*`: choose a name that does not begin with TABLE_NAME"
            );
            problems.add(DEAD_LETTER_TABLE.name, problem);
        }
        let auth = auth::read(values, on_cloud_run(), emulator, problems);
        let (decode, (push_auth, auth_warning)) = (decode?, auth?);
        Some(Config {
            location: Location { endpoint: endpoint?, project: project?, dataset: values.text(&DATASET).to_owned() },
            emulator,
            template: TemplateSettings {
                table: decode.table_name.into(),
                dead_letter_table: dead_letter_table.into(),
                schema: decode.schema,
                auto_create: values.boolean(&AUTO_CREATE),
                decode: decode.settings,
            },
            table_limits: table_limits?,
            push_deadline: values.duration(&PUSH_DEADLINE),
            push_auth,
            auth_warning,
            warnings: decode.warnings,
            values: values.clone(),
        })
    }
}

/// <https://cloud.google.com/run/docs/container-contract#services-env-vars>
fn on_cloud_run() -> bool {
    std::env::var_os("K_SERVICE").is_some_and(|service| !service.is_empty())
}

pub(crate) fn check_project(project: String) -> Result<String, String> {
    let is_legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | ':' | '_');
    if project.chars().all(is_legal) { Ok(project) } else { Err(format!("{project:?} is not a project id")) }
}

/// The project that a Google Cloud machine belongs to. GCE_METADATA_HOST is what Google's own
/// libraries read in tests.
async fn metadata_project() -> Result<String, String> {
    let host = std::env::var("GCE_METADATA_HOST").unwrap_or_else(|_| "metadata.google.internal".to_owned());
    let ask = async || {
        let client = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(2)).build().ok()?;
        let request = client.get(format!("http://{host}/computeMetadata/v1/project/project-id")).header("Metadata-Flavor", "Google");
        let response = request.send().await.ok()?.error_for_status().ok()?;
        String::from_utf8(read_body(response, MAX_PROJECT_BYTES).await.ok()?).ok()
    };
    match ask().await {
        Some(project) => Ok(project.trim().to_owned()),
        None => Err("it is not set, and no metadata server responds: set it to the project of the dataset".to_owned()),
    }
}
