//! The defaults of deploy.sh, which apply below flags, environment and settings file, and the service settings that
//! result from all four.
//!

use std::ffi::OsString;

use clap::FromArgMatches as _;

use super::Args;
use crate::cli::settings_file::{self, FileSettings, SettingsFileError};
use crate::config::settings::service_settings;

/// A setting of the service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ServiceSetting {
    pub(crate) name: String,
    /// The value that deploy.sh passes.
    pub(crate) value: String,
    /// The default of `serve`.
    pub(crate) default: String,
}

/// The arguments with file and defaults applied, and the resulting service settings.
pub(crate) fn resolve(args: &Args) -> Result<(Args, Vec<ServiceSetting>), SettingsFileError> {
    let file = args.settings.read(args.deployment.is_local())?;
    Ok(with_defaults(&file, std::env::args_os())?)
}

fn with_defaults(file: &FileSettings, line: impl IntoIterator<Item = OsString>) -> Result<(Args, Vec<ServiceSetting>), clap::Error> {
    let matches = settings_file::with_defaults("check", |name| file.get(name).map(str::to_owned), line)?;
    let args = Args::from_arg_matches(&matches)?;
    let settings = service_settings().map(|setting| ServiceSetting {
        name: setting.name.to_owned(),
        value: args.deployment.raw(setting).to_owned(),
        default: setting.default.to_owned(),
    });
    let settings = settings.collect();
    Ok((args, settings))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::settings::find;

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
        with_defaults(&FileSettings(file.to_vec()), line).unwrap().1
    }

    #[test]
    fn defaults_are_those_of_the_example_file() {
        let shown: Vec<(String, String)> =
            example().into_iter().filter(|(section, _, _)| section == "Service settings").map(|(_, name, value)| (name, value)).collect();
        let taken: Vec<(String, String)> = read_line(&[], &[]).into_iter().map(|setting| (setting.name, setting.value)).collect();
        assert_eq!(taken, shown);
        let (args, _) = with_defaults(&FileSettings::default(), ["pixel-pipeline", "check"].iter().map(OsString::from)).unwrap();
        for name in ["REGION", "LOCATION", "PIPELINE"] {
            let (_, _, value) = example().into_iter().find(|(_, known, _)| known == name).unwrap();
            assert_eq!(args.deployment.raw(find(name).unwrap()), value, "{name}");
        }
    }

    #[test]
    fn a_flag_wins_over_the_file() {
        let file = [("DATASET".to_owned(), "of_file".to_owned()), ("TABLE_NAME".to_owned(), "of_file".to_owned())];
        let settings = read_line(&file, &["--dataset=of_flag"]);
        let value = |name: &str| settings.iter().find(|setting| setting.name == name).unwrap().value.clone();
        assert_eq!((value("DATASET"), value("TABLE_NAME")), ("of_flag".to_owned(), "of_file".to_owned()));
    }
}
