//! `pixel-pipeline check`: the deployment in the live project, link by link, in the order of an event's way.
//!
//! ```text
//! defaults ▶ Deployment ▶ names
//!                           │
//!            google ▶ seen (all that there is) ▶ pixel, sink, subscription, dead_letters, service, tables ▶ link ▶ print
//!                                                                                         live (one event) ───┘
//! ```
//!
//! Nothing is changed: `google` asks, with the caller's credentials, and what a link's file makes of the
//! answers does no I/O. Each link is judged by itself; one that builds on another which is not there says so,
//! and is neither right nor wrong.

mod dead_letters;
mod defaults;
mod link;
mod live;
mod look;
mod names;
mod pixel;
mod policy;
mod print;
mod seen;
mod service;
mod shell;
mod sink;
mod subscription;
mod tables;

use std::process::ExitCode;

use clap::ValueEnum;
use url::Url;

use super::duration_arg::DurationArg;
use super::google::Google;
use super::settings_file::SettingsFile;
use super::usage;
use crate::config::CheckArgs;
use crate::sink::credentials::{Tokens, gcloud};
use names::Names;
use seen::Seen;

/// Look at the deployment in the project, link by link, and say what mends it.
///
/// Prints a line for each link between the pixel and the tables: ✓, ✗ with the command that mends it, or ? if
/// it could not be looked at. Changes nothing. Takes the settings of deploy.sh: flags, else the environment,
/// else the file, else what deploy.sh takes. With BIGQUERY_EMULATOR_HOST, as `local` prints it, only the tables are looked at.
///
/// Exits with 0 if every link holds, with 1 if not, and with 2 if a setting is wrong or there are no credentials.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    settings: SettingsFile,
    /// Request the pixel once, as `https://track.example.com/pixel.png`, and wait for the row
    #[arg(long, value_name = "URL")]
    live: Option<Url>,
    /// How long to wait for the row, as 30s or 5m
    #[arg(long, value_name = "DURATION", default_value = "5m", requires = "live")]
    live_timeout: DurationArg,
    /// How to print
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    #[command(flatten)]
    deployment: CheckArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A line for each link
    Text,
    /// One object
    Json,
}

/// Looks at everything once.
pub async fn run(args: Args) -> ExitCode {
    let (args, service_settings) = match defaults::under(&args) {
        Ok(read) => read,
        Err(error) => return error.report(),
    };
    let is_local = args.deployment.is_local();
    let deployment = match args.deployment.load_deployment(|| gcloud(&["config", "get-value", "project"])).await {
        Ok(deployment) => deployment,
        Err(problems) => return usage(&format!("invalid settings:\n{problems}")),
    };
    let tokens = if is_local { Ok(Tokens::None) } else { Tokens::of_the_caller(deployment.access_token_file.as_deref()).await };
    let tokens = match tokens {
        Ok(tokens) => tokens,
        Err(error) => return usage(&error.to_string()),
    };
    let google = match Google::new(deployment.endpoints.clone(), tokens, &deployment.project).await {
        Ok(google) => google,
        Err(error) => return usage(&format!("no HTTP client: {error}")),
    };
    let names = Names::of(&deployment, args.settings.path.as_deref());
    let paths = &deployment.service.template.decode.pixel_paths;
    let (mut links, template) = if is_local {
        let seen = seen::Tables::look(&google, &names).await;
        (tables::of_an_emulator(&seen, &names, &deployment), seen.template)
    } else {
        let seen = Seen::look(&google, &names, paths).await;
        let links = [
            pixel::links(&seen.edge, &seen.project_policy, &names, &deployment),
            sink::links(&seen, &names, &deployment),
            subscription::links(&seen, &names, &deployment),
            dead_letters::links(&seen, &names),
            service::links(&seen, &names, &service_settings),
            tables::links(&seen.tables, &seen.project_policy, &names, &deployment),
        ];
        (links.concat(), seen.tables.template)
    };
    let mut printer = print::Printer::new(args.format);
    links.iter().for_each(|link| printer.link(link));
    if let Some(url) = args.live {
        let stages = live::run(&google, &names, &deployment, &template, url, args.live_timeout.0).await;
        stages.iter().for_each(|stage| printer.link(stage));
        links.extend(stages);
    }
    printer.end();
    if links.iter().all(|link| link.ok == Some(true)) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
