//! The definition of a setting: name, kind, default, and the commands that take it. The settings are in `settings`.

use clap::Arg;

use super::command::Command;

/// One setting: a flag and an environment variable.
#[derive(Debug)]
pub struct Setting {
    /// The environment variable, and the name in deploy/pipeline.env. In lower case, the Terraform variable.
    pub name: &'static str,
    /// The flag, unless it is the name in lower case with dashes.
    pub flag: Option<&'static str>,
    /// A flag of the same meaning that `--help` does not show.
    pub alias: Option<&'static str>,
    pub kind: Kind,
    /// Placeholder of the value in `--help`.
    pub value: &'static str,
    /// Empty: the setting is optional.
    pub default: &'static str,
    /// Explains the default of an optional setting.
    pub default_note: &'static str,
    /// A sentence in the imperative or a noun phrase, without a full stop at the end.
    pub help: &'static str,
    pub heading: &'static str,
    pub commands: &'static [Command],
    /// Commands in which it has no default, and is optional.
    pub optional_for: &'static [Command],
    /// Commands that take it without showing it in `--help`.
    pub hidden: &'static [Command],
    /// `None`: a deployment does not set it.
    pub deployed: Option<Deployed>,
}

/// The kind of a value.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// A whole number.
    Number {
        min: u64,
        max: u64,
    },
    Boolean,
    /// A number with the unit s or ms.
    Duration {
        min_ms: u64,
        max_ms: u64,
    },
    Choice(&'static [&'static str]),
    /// The name of a dataset or table.
    Identifier {
        dashes: bool,
    },
    /// A server: a URL without path, or host:port.
    Address,
    /// Checked by the code that reads it.
    Text,
    /// Like `Text`, but never printed.
    Secret,
}

/// How a deployment sets a setting.
#[derive(Debug)]
pub struct Deployed {
    /// Where `pipeline.env.example` lists it. [`SERVICE_SECTION`] holds the settings that are passed on to the service.
    pub section: &'static str,
    /// Default of a deployment, where it is not that of `serve`.
    pub default: Option<&'static str>,
    /// Range of a deployment, where it is not that of `serve`.
    pub range: Range,
    /// Only deploy.sh and destroy.sh have it: the Terraform module has no such variable.
    pub script_only: bool,
}

/// The values that a deployment accepts.
#[derive(Debug, Clone, Copy)]
pub enum Range {
    /// The values of the [`Kind`].
    OfKind,
    /// A name of letters, digits and _.
    Name { max_length: usize },
    /// An extended regular expression for the whole value, and a description of it. The expression works in bash and in Terraform.
    Pattern { regex: &'static str, expected: &'static str },
}

/// The section of `pipeline.env.example` with the settings that are passed on to the service.
pub const SERVICE_SECTION: &str = "Service settings";

impl Setting {
    /// The flag without its two dashes.
    pub fn flag(&self) -> String {
        self.flag.map_or_else(|| self.name.to_ascii_lowercase().replace('_', "-"), str::to_owned)
    }

    pub fn is_taken_by(&self, command: Command) -> bool {
        self.commands.contains(&command)
    }

    pub fn is_shown_by(&self, command: Command) -> bool {
        self.is_taken_by(command) && !self.hidden.contains(&command)
    }

    pub fn is_secret(&self) -> bool {
        matches!(self.kind, Kind::Secret)
    }

    /// Whether a deployment passes it on to the service.
    pub fn is_passed_on(&self) -> bool {
        self.deployed.as_ref().is_some_and(|deployed| deployed.section == SERVICE_SECTION)
    }

    /// The default of a command; empty for no default. `check` has the defaults of a deployment.
    pub fn default_of(&self, command: Command) -> &'static str {
        match command {
            Command::Check => self.deployed_default(),
            _ if self.optional_for.contains(&command) => "",
            _ => self.default,
        }
    }

    /// The default of a deployment.
    pub fn deployed_default(&self) -> &'static str {
        self.deployed.as_ref().and_then(|deployed| deployed.default).unwrap_or(self.default)
    }

    /// The argument of a command.
    pub(crate) fn arg(&self, command: Command) -> Arg {
        let default = self.default_of(command);
        let help = match self.default_note {
            note if default.is_empty() && !note.is_empty() => format!("{} [default: {note}]", self.help),
            _ => self.help.to_owned(),
        };
        let arg = Arg::new(self.name.to_ascii_lowercase())
            .long(self.flag())
            .env(self.name)
            .value_name(self.value)
            .help(help)
            .help_heading(self.heading)
            .hide(!self.is_shown_by(command))
            .hide_env_values(self.is_secret())
            .aliases(self.alias);
        if default.is_empty() { arg } else { arg.default_value(default) }
    }
}
