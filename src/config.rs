//! Settings: flags and environment variables of the same names, read here and nowhere else.
//!
//! clap reads them as text; [`ServeArgs::load`] turns the text into types and reports every
//! mistake at once, so that a deployment does not fail five times for five typos.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use url::Url;

use crate::decode::attributes::ValidAttributes;
use crate::decode::table_suffix::{BadTemplate, SuffixTemplate};
use crate::decode::{Schema, Settings};
use crate::sink::batcher::Limits;
use crate::sink::bigquery::Location;
use crate::sink::template::TemplateSettings;
use crate::telemetry::LogFormat;

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
}

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
    pub delivery: DeliveryArgs,
    /// Log lines on standard error: json, text, or auto (text on a terminal)
    #[arg(long, env, value_name = "FORMAT", default_value = "auto", help_heading = "Logs")]
    pub log_format: String,
    /// What to log: error, warn, info, debug, trace; also by module, as in `warn,pixel_pipeline=debug`
    #[arg(long, env = "RUST_LOG", value_name = "LEVEL", default_value = "info", help_heading = "Logs")]
    pub log_level: String,
    /// Address of BigQuery's API: a private or regional endpoint
    #[arg(long, env, value_name = "URL", default_value = "https://bigquery.googleapis.com")]
    pub bigquery_endpoint: String,
    /// Another BigQuery, as http://127.0.0.1:9050; asks for no credentials
    #[arg(long, env, value_name = "URL", help_heading = "For tests")]
    pub bigquery_emulator_host: Option<String>,
}

/// How rows reach BigQuery.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Delivery")]
pub struct DeliveryArgs {
    /// Table for messages that can never become a row
    #[arg(long, env, value_name = "NAME", default_value = "dead_letters")]
    pub dead_letter_table: String,
    /// Create dataset, template table and dead-letter table where they are missing
    #[arg(long, env, value_name = "BOOL", default_value = "true")]
    pub auto_create: String,
    /// Most rows in one insertAll request
    #[arg(long, env, value_name = "N", default_value = "500")]
    pub batch_max_rows: String,
    /// Most bytes of rows in one insertAll request
    #[arg(long, env, value_name = "BYTES", default_value = "8388608")]
    pub batch_max_bytes: String,
    /// Most insertAll requests under way at once
    #[arg(long, env, value_name = "N", default_value = "200")]
    pub batch_max_inserts: String,
    /// Compress insertAll requests (gzip, level 1): less traffic, more CPU
    #[arg(long, env, value_name = "BOOL", default_value = "false")]
    pub batch_gzip: String,
    /// Messages that may wait for their answer; more are answered 429
    #[arg(long, env, value_name = "N", default_value = "2000")]
    pub max_in_flight: String,
    /// Time in which a push is answered, as 8s or 500ms, up to 590s. Keep it below the subscription's ack deadline
    #[arg(long, env, value_name = "TIME", default_value = "8s")]
    pub push_deadline: String,
}

/// The settings of `serve`, all of them valid.
#[derive(Debug, Clone)]
pub struct Config {
    pub port: u16,
    pub location: Location,
    /// No credentials are asked for.
    pub emulator: bool,
    pub template: TemplateSettings,
    pub limits: Limits,
    pub gzip: bool,
    pub max_in_flight: usize,
    pub push_deadline: Duration,
}

/// The settings of decoding, all of them valid.
#[derive(Debug, Clone)]
pub struct DecodeConfig {
    pub settings: Settings,
    pub schema: Schema,
    pub table_name: String,
}

/// Every mistake in the settings, a sentence each.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Problems(Vec<String>);

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("\n"))
    }
}

impl std::error::Error for Problems {}

impl Problems {
    fn add(&mut self, name: &str, problem: impl fmt::Display) {
        self.0.push(format!("{name}: {problem}"));
    }

    /// The value, or `None` and a problem more.
    fn check<T, E: fmt::Display>(&mut self, name: &str, result: Result<T, E>) -> Option<T> {
        result.map_err(|error| self.add(name, error)).ok()
    }

    fn number<T: FromStr + PartialOrd + fmt::Display + Copy>(&mut self, name: &str, text: &str, least: T, most: T) -> Option<T> {
        let number = text.trim().parse().ok().filter(|number| (least..=most).contains(number));
        self.check(name, number.ok_or_else(|| format!("{text:?} is not a whole number from {least} to {most}")))
    }

    fn boolean(&mut self, name: &str, text: &str) -> Option<bool> {
        let boolean = match text.trim().to_ascii_lowercase().as_str() {
            "true" | "1" | "yes" | "on" => Ok(true),
            "false" | "0" | "no" | "off" => Ok(false),
            _ => Err(format!("{text:?} is neither true nor false")),
        };
        self.check(name, boolean)
    }

    fn identifier(&mut self, name: &str, text: &str, dashes: bool) {
        let legal = |c: char| c == '_' || c.is_ascii_alphanumeric() || (dashes && c == '-');
        if text.is_empty() || text.len() > 1024 || !text.chars().all(legal) {
            let also = if dashes { " and -" } else { "" };
            self.add(name, format!("{text:?} is not a name of letters, digits, _{also}"));
        }
    }

    fn or<T>(self, value: Option<T>) -> Result<T, Self> {
        match value {
            Some(value) if self.0.is_empty() => Ok(value),
            _ => Err(self),
        }
    }
}

impl DecodeArgs {
    /// The settings, checked one by one and against the schema of the file.
    pub fn load(&self) -> Result<DecodeConfig, Problems> {
        let mut problems = Problems::default();
        let config = self.read(&mut problems);
        if let Some(config) = &config {
            problems.0.extend(config.settings.problems_with(&config.schema));
        }
        problems.or(config)
    }

    fn read(&self, problems: &mut Problems) -> Option<DecodeConfig> {
        problems.identifier("TABLE_NAME", &self.table_name, true);
        let attributes = problems.check("VALID_ATTRIBUTES", ValidAttributes::parse(&self.valid_attributes));
        let no_attributes = ValidAttributes::default();
        let suffix = match SuffixTemplate::parse(&self.table_suffix, attributes.as_ref().unwrap_or(&no_attributes), &self.table_name) {
            // Which fields are attributes cannot be said while the list of them is wrong.
            Err(BadTemplate::UnknownField(_)) if attributes.is_none() => None,
            suffix => problems.check("TABLE_SUFFIX", suffix),
        };
        let schema = self.read_schema(problems);
        let pixel_paths = self.read_paths(problems);
        Some(DecodeConfig {
            settings: Settings { valid_attributes: attributes?, table_suffix: suffix?, pixel_paths: pixel_paths? },
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

impl ServeArgs {
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
        self.read_log_settings(&mut problems);
        let delivery = self.delivery.read(&self.decode.table_name, &mut problems);
        let config = (|| {
            let (decode, delivery) = (decode?, delivery?);
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
                limits: delivery.limits,
                gzip: delivery.gzip,
                max_in_flight: delivery.max_in_flight,
                push_deadline: delivery.push_deadline,
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
        let emulator = self.bigquery_emulator_host.as_deref().map(str::trim).filter(|host| !host.is_empty());
        if emulator.is_some() && std::env::var_os("K_SERVICE").is_some() {
            problems.add(EMULATOR, "it is set on Cloud Run, where every row would go to an emulator: unset it");
            return None;
        }
        let address = match emulator {
            Some(host) => problems.check(EMULATOR, parse_address(host)),
            None => problems.check("BIGQUERY_ENDPOINT", parse_address(&self.bigquery_endpoint)),
        };
        Some((address?, emulator.is_some()))
    }
}

struct Delivery {
    dead_letter_table: Arc<str>,
    auto_create: bool,
    limits: Limits,
    gzip: bool,
    max_in_flight: usize,
    push_deadline: Duration,
}

impl DeliveryArgs {
    fn read(&self, table_name: &str, problems: &mut Problems) -> Option<Delivery> {
        const DEAD_LETTERS: &str = "DEAD_LETTER_TABLE";
        problems.identifier(DEAD_LETTERS, &self.dead_letter_table, true);
        if !table_name.is_empty() && self.dead_letter_table.starts_with(table_name) {
            problems.add(
                DEAD_LETTERS,
                format!("{:?} would be read by queries over `{table_name}*`: it must not begin with TABLE_NAME", self.dead_letter_table),
            );
        }
        let auto_create = problems.boolean("AUTO_CREATE", &self.auto_create);
        let rows = problems.number("BATCH_MAX_ROWS", &self.batch_max_rows, 1, 50_000);
        // BigQuery takes 10 MB, of which insertIds and brackets need their share.
        let bytes = problems.number("BATCH_MAX_BYTES", &self.batch_max_bytes, 1, 9_000_000);
        let inserts = problems.number("BATCH_MAX_INSERTS", &self.batch_max_inserts, 1, 10_000);
        let gzip = problems.boolean("BATCH_GZIP", &self.batch_gzip);
        let max_in_flight = problems.number("MAX_IN_FLIGHT", &self.max_in_flight, 1, 1_000_000);
        let push_deadline = problems.check("PUSH_DEADLINE", parse_deadline(&self.push_deadline));
        // Two attempts at least, and room for a third.
        let attempt = push_deadline?.mul_f64(0.4).min(Duration::from_secs(60));
        Some(Delivery {
            dead_letter_table: self.dead_letter_table.as_str().into(),
            auto_create: auto_create?,
            limits: Limits { rows: rows?, bytes: bytes?, inserts: inserts?, attempt },
            gzip: gzip?,
            max_in_flight: max_in_flight?,
            push_deadline: push_deadline?,
        })
    }
}

/// The address of a server: a URL without path, or host:port, as Google's clients take both.
fn parse_address(text: &str) -> Result<String, String> {
    let text = text.trim();
    let url = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
    let url = Url::parse(&url).map_err(|error| format!("{text:?} is not a URL: {error}"))?;
    if !matches!(url.scheme(), "http" | "https") || url.path() != "/" || url.query().is_some() {
        return Err(format!("{text:?} is not the address of a server alone, as http://127.0.0.1:9050 is"));
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

fn parse_deadline(text: &str) -> Result<Duration, String> {
    let trimmed = text.trim();
    let (number, unit) = trimmed.split_at(trimmed.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(trimmed.len()));
    let seconds = match (number.trim().parse::<f64>(), unit) {
        (Ok(number), "s" | "") => number,
        (Ok(number), "ms") => number / 1000.0,
        _ => f64::NAN,
    };
    if (0.1..=590.0).contains(&seconds) {
        Ok(Duration::from_secs_f64(seconds))
    } else {
        Err(format!("{text:?} is not a time from 100ms to 590s, as 8s is"))
    }
}

fn check_project(project: String) -> Result<String, String> {
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | ':' | '_');
    if project.chars().all(legal) { Ok(project) } else { Err(format!("{project:?} is not a project id")) }
}

/// The project that a Google Cloud machine belongs to.
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
