//! `pixel-pipeline check`: checks the deployment in the live project, link by link, in the order of an event's path.
//!
//! ```text
//! defaults ▶ Deployment ▶ names ▶ parts (the description) ▶ part (the comparison) ▶ link ▶ print
//!                                           │                 ▲                      ▲
//!                                           └▶ state (every resource)      live (one event)
//! ```
//!
//! `parts` describes each resource that a deployment makes: how to read it, the value of each member, what a difference
//! causes, and how to fix it. It changes nothing: `state` reads with the caller's credentials. What cannot be read is
//! reported as not checked, never as right.

mod defaults;
mod difference;
mod link;
mod live;
mod names;
mod part;
mod parts;
mod policy;
mod print;
mod shell;
mod state;

use std::process::ExitCode;

use clap::ValueEnum;
use url::Url;

use super::duration_arg::DurationArg;
use super::error::{CliError, printed};
use super::settings_file::SettingsFile;
use super::{printable, usage};
use crate::config::SettingArgs;
use crate::config::command::Command;
use crate::google::{Client, Tokens, gcloud};
use link::Link;
use names::ResourceNames;
use part::Part;
use parts::Context;
use state::State;

/// Check the deployment in the project and print the commands that fix it
///
/// Compares everything that a deployment sets with the project. Prints a line for each link between the pixel and the
/// tables: ✓, ✗ with each difference, what it causes and the commands that fix it, or ? if it could not be checked. Changes
/// nothing. Takes the settings of deploy.sh: flags, else the environment, else the file, else
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
    let context = Context::new(&names, &deployment, &service_settings);
    let parts = if is_local { parts::of_emulator(&context) } else { parts::all(&context) };
    let service = parts::service_source(&context);
    let state = State::fetch(&google, &parts, (!is_local).then_some(&service)).await;
    let mut links = links(&parts, &state);
    let mut printer = print::Printer::new(args.format);
    links.iter().for_each(|link| printer.link(link));
    if let Some(url) = args.live {
        let stages = live::run(&google, &context, &state, url, args.live_timeout.0).await;
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

/// The lines of the report, in the order of the description.
fn links(parts: &[Part], state: &State) -> Vec<Link> {
    let lines = parts.chunk_by(|one, next| one.link == next.link);
    lines.map(|parts| Link::of_parts(parts[0].link, parts.iter().map(|part| part.compare(state)).collect())).collect()
}
