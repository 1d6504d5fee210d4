//! `pixel-pipeline check`: checks the deployment in the live project, link by link, in the order of an event's path.
//!
//! ```text
//! defaults ▶ Deployment ▶ names
//!                           │
//!       google ▶ state (every resource) ▶ pixel, sink, subscription, dead_letters, service, tables ▶ link ▶ print
//!                                                                            live (one event) ───┘
//! ```
//!
//! It changes nothing: `state` reads with the caller's credentials, and the links' files judge the answers without I/O.
//! Each link is judged separately. A link that depends on an absent part is reported as not checked.

mod dead_letters;
mod defaults;
mod link;
mod live;
mod names;
mod pixel;
mod policy;
mod print;
mod resource;
mod service;
mod shell;
mod sink;
mod state;
mod subscription;
mod tables;

use std::process::ExitCode;

use clap::ValueEnum;
use serde_json::Value;
use url::Url;

use super::duration_arg::DurationArg;
use super::error::{CliError, printed};
use super::settings_file::SettingsFile;
use super::{printable, usage};
use crate::config::SettingArgs;
use crate::config::command::Command;
use crate::google::{Client, Tokens, gcloud};
use names::ResourceNames;
use state::DeploymentState;

/// Check the deployment in the project and print the commands that fix it
///
/// Prints a line for each link between the pixel and the tables: ✓, ✗ with the commands that fix it, or ? if it could not
/// be checked. Changes nothing. Takes the settings of deploy.sh: flags, else the environment, else the file, else
/// deploy.sh's defaults. With BIGQUERY_EMULATOR_HOST, as `local` prints it, only the tables are checked.
///
/// Exit codes: 0 if every link is right; 1 if not, or without credentials; 2 if the command line or a setting is wrong.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    settings: SettingsFile,
    /// Request the pixel once, as `https://track.example.com/pixel.png`, and wait for the row
    #[arg(long, value_name = "URL")]
    live: Option<Url>,
    /// Maximum time to wait for the row
    #[arg(long, value_name = "DURATION", default_value = "5m", requires = "live")]
    live_timeout: DurationArg,
    /// Format of the report
    #[arg(long, value_enum, default_value_t = ReportFormat::Text)]
    format: ReportFormat,
    #[command(flatten)]
    deployment: SettingArgs<{ Command::Check as u8 }>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ReportFormat {
    /// A line for each link
    Text,
    /// One object
    Json,
}

/// Checks everything once.
pub async fn run(args: Args) -> ExitCode {
    let (args, service_settings) = match defaults::resolve(&args) {
        Ok(read) => read,
        Err(error) => return error.report(),
    };
    let is_local = args.deployment.is_local();
    let deployment = match args.deployment.load_deployment(|| gcloud(&["config", "get-value", "project"])).await {
        Ok(deployment) => deployment,
        Err(problems) => return usage(&format!("invalid settings:\n{problems}")),
    };
    let tokens = if is_local { Ok(Tokens::None) } else { Tokens::user_credentials(deployment.access_token_file.as_deref()).await };
    let tokens = match tokens {
        Ok(tokens) => tokens,
        Err(error) => return failure(&error.to_string()),
    };
    let google = match Client::new(deployment.endpoints.clone(), tokens, &deployment.project).await {
        Ok(google) => google,
        Err(error) => return failure(&format!("cannot create an HTTP client: {error}")),
    };
    let names = ResourceNames::of(&deployment, args.settings.path.as_deref());
    let paths = &deployment.service.template.decode.requests.paths.texts();
    let (mut links, template) = if is_local {
        let tables = state::TableStates::fetch(&google, &names).await;
        (tables::emulator_links(&tables, &names, &deployment), tables.template)
    } else {
        let state = DeploymentState::fetch(&google, &names, paths).await;
        let links = [
            pixel::links(&state.edge, &state.project_policy, &names, &deployment),
            sink::links(&state, &names, &deployment),
            subscription::links(&state, &names, &deployment),
            dead_letters::links(&state, &names),
            service::links(&state, &names, &service_settings),
            tables::links(&state.tables, &state.project_policy, &names, &deployment),
        ];
        (links.concat(), state.tables.template)
    };
    let mut printer = print::Printer::new(args.format);
    links.iter().for_each(|link| printer.link(link));
    if let Some(url) = args.live {
        let stages = live::run(&google, &names, &deployment, &template, url, args.live_timeout.0).await;
        stages.iter().for_each(|stage| printer.link(stage));
        links.extend(stages);
    }
    if let Err(error) = printed(printer.end()) {
        return error.report();
    }
    if links.iter().all(|link| link.ok == Some(true)) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Reports why nothing was checked.
fn failure(problem: &str) -> ExitCode {
    CliError::failed(printable(problem)).report()
}

/// A JSON value in a message.
fn text(value: &Value) -> String {
    match value {
        Value::Null => "not set".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
