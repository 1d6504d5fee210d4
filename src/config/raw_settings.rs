//! The settings of one command before their check: flags, environment variables and defaults as texts.
//!
//! clap reads texts only. [`RawSettings::check`] turns them into [`Values`] and collects all problems, so that one run
//! reports all mistakes.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::{Deref, DerefMut};

use clap::parser::ValueSource;
use clap::{ArgMatches, FromArgMatches};

use super::Problems;
use super::command::Command;
use super::setting::Setting;
use super::settings::{GOOGLE_CLOUD_PROJECT, PROJECT_ID, SETTINGS};
use super::values::{self, Values};

/// The arguments of the command with this number: one for each setting that it takes.
#[derive(Debug, Clone)]
pub struct SettingArgs<const COMMAND: u8>(RawSettings);

/// The texts by name. Of a setting that the command does not take, the default.
#[derive(Clone)]
pub struct RawSettings {
    command: Command,
    texts: BTreeMap<&'static str, String>,
}

impl RawSettings {
    /// The defaults of a command.
    pub fn defaults(command: Command) -> Self {
        Self { command, texts: SETTINGS.iter().map(|setting| (setting.name, setting.default_of(command).to_owned())).collect() }
    }

    pub(crate) fn raw(&self, setting: &Setting) -> &str {
        self.texts.get(setting.name).map_or("", String::as_str)
    }

    /// The text without surrounding blanks. An empty text counts as not set.
    pub(crate) fn optional(&self, setting: &Setting) -> Option<&str> {
        Some(self.raw(setting).trim()).filter(|text| !text.is_empty())
    }

    pub(crate) fn set(&mut self, setting: &Setting, text: impl Into<String>) {
        self.texts.insert(setting.name, text.into());
    }

    /// The setting that names the project, in the order of deploy.sh, and its value.
    pub(crate) fn project(&self) -> Option<(&'static Setting, String)> {
        [&PROJECT_ID, &GOOGLE_CLOUD_PROJECT].into_iter().find_map(|setting| Some((setting, self.optional(setting)?.to_owned())))
    }

    pub(crate) fn is_taken(&self, setting: &Setting) -> bool {
        setting.is_taken_by(self.command)
    }

    /// Whether the tables are those of an emulator.
    pub fn is_local(&self) -> bool {
        self.optional(&super::settings::BIGQUERY_EMULATOR_HOST).is_some()
    }

    /// The values. A value with a problem is replaced by its default, so that the later checks can continue.
    pub(crate) fn check(&self, problems: &mut Problems) -> Values {
        let check = |setting: &&'static Setting| {
            let (text, default) = (self.raw(setting), setting.default_of(self.command));
            let is_valid = problems.check(setting.name, setting.kind.check(text, default.is_empty())).is_some();
            (setting.name, if is_valid { text } else { default }.to_owned())
        };
        Values(SETTINGS.iter().map(check).collect())
    }
}

impl fmt::Debug for RawSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        values::debug(&self.texts, f)
    }
}

impl<const COMMAND: u8> clap::Args for SettingArgs<COMMAND> {
    fn augment_args(line: clap::Command) -> clap::Command {
        let command = Command::from_index(COMMAND);
        line.args(SETTINGS.iter().filter(|setting| setting.is_taken_by(command)).map(|setting| setting.arg(command)))
    }

    fn augment_args_for_update(line: clap::Command) -> clap::Command {
        Self::augment_args(line)
    }
}

impl<const COMMAND: u8> FromArgMatches for SettingArgs<COMMAND> {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut args = Self(RawSettings::defaults(Command::from_index(COMMAND)));
        args.update_from_arg_matches(matches)?;
        Ok(args)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        for setting in SETTINGS.iter().filter(|setting| setting.is_taken_by(Command::from_index(COMMAND))) {
            if let Some(text) = matches.get_one::<String>(&setting.name.to_ascii_lowercase()) {
                self.0.set(setting, text.as_str());
            }
        }
        // A flag wins over a variable and over the settings file, also if they have another name.
        let is_flag = |setting: &Setting| {
            let id = setting.name.to_ascii_lowercase();
            matches.try_contains_id(&id).is_ok() && matches.value_source(&id) == Some(ValueSource::CommandLine)
        };
        if is_flag(&GOOGLE_CLOUD_PROJECT) && !is_flag(&PROJECT_ID) {
            self.0.set(&PROJECT_ID, "");
        }
        Ok(())
    }
}

impl<const COMMAND: u8> Deref for SettingArgs<COMMAND> {
    type Target = RawSettings;

    fn deref(&self) -> &RawSettings {
        &self.0
    }
}

impl<const COMMAND: u8> DerefMut for SettingArgs<COMMAND> {
    fn deref_mut(&mut self) -> &mut RawSettings {
        &mut self.0
    }
}
