//! The defaults of deploy.sh, which apply below flags, environment and settings file, and the service settings that
//! result from all four.
//!
//! The two tables below are the seam to a table of all settings: they list what deploy.sh passes to the service.

use std::ffi::OsString;

use clap::{CommandFactory as _, FromArgMatches as _};

use super::Args;
use crate::cli::Cli;
use crate::cli::settings_file::{self, BadSettings, Settings};

/// The settings that deploy.sh passes to the service. Without secrets: the report prints differences.
const SERVICE_SETTINGS: [&str; 20] = [
    "DATASET",
    "TABLE_NAME",
    "VALID_ATTRIBUTES",
    "TABLE_SUFFIX",
    "MAX_NEW_TABLES_PER_HOUR",
    "OVERFLOW_SUFFIX",
    "PIXEL_PATH",
    "IP_ANONYMIZATION",
    "HASH_ATTRIBUTES",
    "RESPECT_OPT_OUT",
    "SIGNATURE_MODE",
    "DEAD_LETTER_TABLE",
    "BATCH_MAX_ROWS",
    "BATCH_MAX_BYTES",
    "BATCH_MAX_INSERTS",
    "BATCH_GZIP",
    "MAX_IN_FLIGHT",
    "PUSH_DEADLINE",
    "LOG_FORMAT",
    "RUST_LOG",
];
/// Those whose default differs between deploy.sh and `serve`.
const DEPLOYMENT_DEFAULTS: [(&str, &str); 2] = [("PUSH_DEADLINE", "50s"), ("LOG_FORMAT", "json")];

/// A setting of the service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ServiceSetting {
    pub(crate) name: String,
    /// The value that deploy.sh passes.
    pub(crate) given: String,
    /// The default of `serve`.
    pub(crate) default: String,
}

/// The arguments with file and defaults applied, and the resulting service settings.
pub(crate) fn resolve(args: &Args) -> Result<(Args, Vec<ServiceSetting>), BadSettings> {
    let file = args.settings.read(args.deployment.is_local())?;
    Ok(with_defaults(&file, std::env::args_os())?)
}

fn with_defaults(file: &Settings, line: impl IntoIterator<Item = OsString>) -> Result<(Args, Vec<ServiceSetting>), clap::Error> {
    let deployment_default = |name: &str| DEPLOYMENT_DEFAULTS.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
    let matches = settings_file::above("check", |name| file.get(name).or_else(|| deployment_default(name)).map(str::to_owned), line)?;
    let command = Cli::command();
    let check = command.find_subcommand("check").into_iter().flat_map(clap::Command::get_arguments);
    let settings = check.filter_map(|arg| {
        let name = SERVICE_SETTINGS.into_iter().find(|name| arg.get_env().is_some_and(|env| env == *name))?;
        let given = matches.get_raw(arg.get_id().as_str())?.next()?.to_string_lossy().into_owned();
        let default = arg.get_default_values().first()?.to_str()?.to_owned();
        Some(ServiceSetting { name: name.to_owned(), given, default })
    });
    let settings = settings.collect();
    Ok((Args::from_arg_matches(&matches)?, settings))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example's settings, whether commented out or not, by section.
    fn example() -> Vec<(String, String, String)> {
        let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/deploy/pipeline.env.example")).unwrap();
        let mut section = String::new();
        let mut settings = Vec::new();
        for line in text.lines() {
            if let Some(title) = line.strip_prefix("# --- ") {
                title.clone_into(&mut section);
            } else if let Some((name, value)) = line.trim_start_matches('#').split_once('=')
                && name.chars().all(|c| c.is_ascii_uppercase() || c == '_')
            {
                settings.push((section.clone(), name.to_owned(), value.to_owned()));
            }
        }
        settings
    }

    fn read_line(file: &[(String, String)], flags: &[&str]) -> Vec<ServiceSetting> {
        let line = ["pixel-pipeline", "check"].iter().chain(flags).map(OsString::from);
        with_defaults(&Settings(file.to_vec()), line).unwrap().1
    }

    #[test]
    fn defaults_are_those_of_the_example_file() {
        let shown: Vec<(String, String)> = example()
            .into_iter()
            .filter(|(section, _, _)| section.starts_with("What the service is told"))
            .map(|(_, name, value)| (name, value))
            .collect();
        let mut taken: Vec<(String, String)> = read_line(&[], &[]).into_iter().map(|setting| (setting.name, setting.given)).collect();
        taken.sort_by_key(|(name, _)| SERVICE_SETTINGS.iter().position(|known| known == name));
        assert_eq!(taken, shown);
        let (args, _) = with_defaults(&Settings::default(), ["pixel-pipeline", "check"].iter().map(OsString::from)).unwrap();
        let debug = format!("{:?}", args.deployment);
        for name in ["REGION", "LOCATION", "PIPELINE"] {
            let (_, _, value) = example().into_iter().find(|(_, known, _)| known == name).unwrap();
            assert!(debug.contains(&format!("{}: {value:?}", name.to_ascii_lowercase())), "{name}: {debug}");
        }
    }

    #[test]
    fn a_flag_wins_over_the_file() {
        let file = [("DATASET".to_owned(), "of_file".to_owned()), ("TABLE_NAME".to_owned(), "of_file".to_owned())];
        let settings = read_line(&file, &["--dataset=of_flag"]);
        let given = |name: &str| settings.iter().find(|setting| setting.name == name).unwrap().given.clone();
        assert_eq!((given("DATASET"), given("TABLE_NAME")), ("of_flag".to_owned(), "of_file".to_owned()));
    }
}
