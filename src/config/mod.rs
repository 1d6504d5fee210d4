//! Settings: flags and environment variables of the same names, read here and nowhere else.
//!
//! clap reads them as text; [`ServeArgs::load`] turns the text into types and reports every
//! mistake at once, so that a deployment does not fail five times for five typos.

mod auth;
mod decode;
mod delivery;
mod deployment;
mod endpoints;
mod operator;
mod privacy;
mod problems;
mod secret;
mod signing;
mod table_limit;

use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use url::Url;

use crate::sink::batcher::Limits;
use crate::sink::bigquery::Location;
use crate::sink::template::TemplateSettings;
use crate::source::auth::PushAuth;
use crate::table_limit::TableLimits;
use crate::telemetry::LogFormat;

pub use auth::AuthArgs;
pub use decode::{DecodeArgs, DecodeConfig};
pub use delivery::DeliveryArgs;
pub use deployment::{Deployment, DeploymentArgs};
pub use operator::{Operator, OperatorArgs};
pub use problems::Problems;
pub use signing::SigningKeyArgs;
pub use table_limit::TableLimitArgs;

/// Everything that `serve` can be told.
#[derive(Debug, Clone, Args)]
pub struct ServeArgs {
    /// Port to listen on, on all addresses
    #[arg(long, env, value_name = "PORT", default_value = "8080")]
    pub port: String,
    /// Project of the dataset [default: the metadata server's]
    #[arg(long, env, value_name = "PROJECT")]
    pub google_cloud_project: Option<String>,
    /// Dataset of all tables
    #[arg(long, env, value_name = "NAME", default_value = "parsed_pixel")]
    pub dataset: String,
    #[command(flatten)]
    pub decode: DecodeArgs,
    #[command(flatten)]
    pub new_tables: TableLimitArgs,
    #[command(flatten)]
    pub delivery: DeliveryArgs,
    #[command(flatten)]
    pub auth: AuthArgs,
    /// Log lines on standard error: json, text, or auto (text on a terminal)
    #[arg(long, env, value_name = "FORMAT", default_value = "auto", help_heading = "Logs")]
    pub log_format: String,
    /// What to log: error, warn, info, debug, trace; also by module, as in `warn,pixel_pipeline=debug`. Of other crates,
    /// nothing below info
    #[arg(long, env = "RUST_LOG", value_name = "LEVEL", default_value = "info", help_heading = "Logs")]
    pub log_level: String,
    /// Address of BigQuery's API: a private or regional endpoint
    #[arg(long, env, value_name = "URL", default_value = "https://bigquery.googleapis.com")]
    pub bigquery_endpoint: String,
    /// Another BigQuery, as http://127.0.0.1:9050; asks for no credentials
    #[arg(long, env, value_name = "URL", help_heading = "For tests")]
    pub bigquery_emulator_host: Option<String>,
}

/// The settings of `serve`, all of them valid.
#[derive(Debug, Clone)]
pub struct Config {
    pub port: u16,
    pub location: Location,
    /// No credentials are asked for.
    pub emulator: bool,
    pub template: TemplateSettings,
    pub new_tables: TableLimits,
    pub limits: Limits,
    pub gzip: bool,
    pub max_in_flight: usize,
    pub push_deadline: Duration,
    pub push_auth: PushAuth,
    /// What is doubtful about the settings, for the log.
    pub warnings: Vec<&'static str>,
}

impl ServeArgs {
    /// Whether the tables are those of an emulator.
    pub fn is_local(&self) -> bool {
        self.emulator().is_some()
    }

    /// Every setting, checked. Asks the metadata server for the project if none is given.
    pub async fn load(&self) -> Result<Config, Problems> {
        let mut problems = Problems::default();
        let given = self.google_cloud_project.clone().filter(|project| !project.trim().is_empty());
        let project = match given {
            Some(project) => Ok(project),
            None => metadata_project().await,
        };
        let project = problems.check("GOOGLE_CLOUD_PROJECT", project.and_then(check_project));
        let endpoint = self.read_endpoint(&mut problems);
        problems.identifier("DATASET", &self.dataset, false);
        let port = problems.number("PORT", &self.port, 0, u16::MAX);
        let decode = self.decode.read(&mut problems);
        let new_tables = self.new_tables.read(decode.as_ref(), &mut problems);
        self.read_log_settings(&mut problems);
        let delivery = self.delivery.read(&self.decode.table_name, &mut problems);
        let auth = self.auth.read(on_cloud_run(), self.is_local(), &mut problems);
        let config = (|| {
            let (decode, delivery) = (decode?, delivery?);
            let (push_auth, warning) = auth?;
            let (endpoint, emulator) = endpoint?;
            Some(Config {
                port: port?,
                location: Location { endpoint, project: project?, dataset: self.dataset.clone() },
                emulator,
                template: TemplateSettings {
                    table: decode.table_name.into(),
                    dead_letter_table: Arc::clone(&delivery.dead_letter_table),
                    schema: decode.schema,
                    auto_create: delivery.auto_create,
                    decode: decode.settings,
                },
                new_tables: new_tables?,
                limits: delivery.limits,
                gzip: delivery.gzip,
                max_in_flight: delivery.max_in_flight,
                push_deadline: delivery.push_deadline,
                push_auth,
                warnings: warning.into_iter().collect(),
            })
        })();
        problems.or(config)
    }

    /// LOG_FORMAT, leniently: the mistakes themselves have to be logged somehow.
    pub fn log_format(&self) -> LogFormat {
        parse_log_format(&self.log_format).unwrap_or(LogFormat::Auto)
    }

    fn read_log_settings(&self, problems: &mut Problems) {
        problems.check("LOG_FORMAT", parse_log_format(&self.log_format));
        problems.check("RUST_LOG", self.log_level.parse::<tracing_subscriber::filter::Targets>());
    }

    /// BigQuery's address, and whether it is an emulator's.
    fn read_endpoint(&self, problems: &mut Problems) -> Option<(String, bool)> {
        const EMULATOR: &str = "BIGQUERY_EMULATOR_HOST";
        let emulator = self.emulator();
        if emulator.is_some() && on_cloud_run() {
            problems.add(EMULATOR, "it is set on Cloud Run, where every row would go to an emulator: unset it");
            return None;
        }
        let address = match emulator {
            Some(host) => problems.check(EMULATOR, parse_address(host)),
            None => problems.check("BIGQUERY_ENDPOINT", parse_address(&self.bigquery_endpoint)),
        };
        Some((address?, emulator.is_some()))
    }

    fn emulator(&self) -> Option<&str> {
        self.bigquery_emulator_host.as_deref().map(str::trim).filter(|host| !host.is_empty())
    }
}

/// <https://cloud.google.com/run/docs/container-contract#services-env-vars>
fn on_cloud_run() -> bool {
    std::env::var_os("K_SERVICE").is_some()
}

/// The address of a server: a URL without path, or host:port, as Google's clients take both.
pub(crate) fn parse_address(text: &str) -> Result<String, String> {
    let text = text.trim();
    let url = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
    let url = Url::parse(&url).map_err(|error| format!("{text:?} is not a URL: {error}"))?;
    if !matches!(url.scheme(), "http" | "https") || url.path() != "/" || url.query().is_some() {
        return Err(format!("{text:?} is not the address of a server alone, as http://127.0.0.1:9050 is"));
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

/// The beginning of URLs: an address that may have a path.
fn parse_base(text: &str) -> Result<String, String> {
    let url = Url::parse(text.trim()).map_err(|error| format!("{text:?} is not a URL: {error}"))?;
    if !matches!(url.scheme(), "http" | "https") || url.query().is_some() {
        return Err(format!("{text:?} is not the beginning of URLs, as https://pubsub.googleapis.com/ is"));
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

fn parse_log_format(text: &str) -> Result<LogFormat, String> {
    match text.trim().to_ascii_lowercase().as_str() {
        "auto" => Ok(LogFormat::Auto),
        "json" => Ok(LogFormat::Json),
        "text" => Ok(LogFormat::Text),
        _ => Err(format!("{text:?} is none of auto, json, text")),
    }
}

fn check_project(project: String) -> Result<String, String> {
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | ':' | '_');
    if project.chars().all(legal) { Ok(project) } else { Err(format!("{project:?} is not a project id")) }
}

/// The project that a Google Cloud machine belongs to. GCE_METADATA_HOST is what Google's own
/// libraries read in tests.
async fn metadata_project() -> Result<String, String> {
    let host = std::env::var("GCE_METADATA_HOST").unwrap_or_else(|_| "metadata.google.internal".to_owned());
    let ask = async || {
        let client = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(2)).build()?;
        let request = client.get(format!("http://{host}/computeMetadata/v1/project/project-id")).header("Metadata-Flavor", "Google");
        request.send().await?.error_for_status()?.text().await
    };
    match ask().await {
        Ok(project) => Ok(project.trim().to_owned()),
        Err(_) => Err("it is not set, and there is no metadata server to ask: set it to the project of the dataset".to_owned()),
    }
}
