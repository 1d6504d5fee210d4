//! docs/settings.md: the reference of all settings.

use std::fmt::Write as _;

use super::whole_number;
use crate::config::command::Command;
use crate::config::parse::milliseconds;
use crate::config::setting::{Kind, Setting};
use crate::config::settings::SETTINGS;

const EXIT_CODES: &str = include_str!("../../cli/exit_codes.txt");

const HEADER: &str = "\
# Settings

<!-- Generated from src/config/settings.rs. Do not edit. -->

Every setting is a flag and an environment variable: `BATCH_MAX_ROWS` is `--batch-max-rows`. A flag wins over the
environment variable, which wins over the settings file, which wins over the default. `check`, `replay` and `forget` read
the settings file of the deployment, `deploy/pipeline.env`, or the file of `--settings`. `--help` of a command shows the
settings that it uses.

A command checks all settings before it does anything, and reports all mistakes together. An empty value of a setting
without a default counts as not set.

The column *Deployment* has the default of `deploy/deploy.sh` and of the Terraform module, where the setting is a variable in
lower case; – means that a deployment does not set it. Keys come from Secret Manager. A deployment also sets
`GOOGLE_CLOUD_PROJECT`, `AUTO_CREATE=false`, because the tables exist, `PUSH_AUTH=iam` and `PUSH_SERVICE_ACCOUNT`.
";

pub(crate) fn page() -> String {
    let mut page = HEADER.to_owned();
    let mut headings: Vec<&str> = Vec::new();
    for heading in SETTINGS.iter().map(|setting| heading(setting)) {
        if !headings.contains(&heading) {
            headings.push(heading);
        }
    }
    for section in headings {
        let _ = writeln!(
            page,
            "\n## {section}\n\n| Setting | Value | Default | Deployment | Commands | Description |\n|---|---|---|---|---|---|"
        );
        for setting in SETTINGS.iter().filter(|setting| heading(setting) == section) {
            page += &row(setting);
        }
    }
    let _ = writeln!(page, "\n## Exit codes\n\n```text\n{}```", EXIT_CODES.trim_start_matches("Exit codes:\n"));
    page
}

/// Settings that no command takes are those of the deployment.
fn heading(setting: &Setting) -> &'static str {
    if setting.heading.is_empty() { "Deployment" } else { setting.heading }
}

fn row(setting: &Setting) -> String {
    let code = |text: &str| if text.is_empty() { String::new() } else { format!("`{text}`") };
    let flag = setting.flag.map(|flag| format!(" (`--{flag}`)")).unwrap_or_default();
    let default = match (setting.default, setting.default_note) {
        ("", note) => note.to_owned(),
        (default, _) => code(default),
    };
    let deployment = match &setting.deployed {
        None => "–".to_owned(),
        Some(deployed) if deployed.script_only => format!("{} (deploy.sh only)", code(setting.deployed_default())).trim().to_owned(),
        Some(_) => code(setting.deployed_default()),
    };
    let commands: Vec<&str> = Command::ALL.iter().filter(|command| setting.is_taken_by(**command)).map(|command| command.name()).collect();
    let commands = if commands.is_empty() { "deployment".to_owned() } else { commands.join(", ") };
    format!(
        "| `{}`{flag} | {} | {default} | {deployment} | {commands} | {}. |\n",
        setting.name,
        value(setting),
        setting.help.replace('|', "\\|")
    )
}

fn value(setting: &Setting) -> String {
    match setting.kind {
        Kind::Number { min, max } => whole_number(min, max).replace("a whole", "whole"),
        Kind::Boolean => "`true` or `false`".to_owned(),
        Kind::Duration { min_ms, max_ms } => format!("duration from {} to {}", milliseconds(min_ms), milliseconds(max_ms)),
        Kind::Choice(values) => values.iter().map(|value| format!("`{value}`")).collect::<Vec<_>>().join(", "),
        Kind::Identifier { dashes: true } => "name of letters, digits, _ and -".to_owned(),
        Kind::Identifier { dashes: false } => "name of letters, digits and _".to_owned(),
        Kind::Address => "URL without path, or host:port".to_owned(),
        Kind::Secret => "key (secret)".to_owned(),
        Kind::Text => setting.value.to_ascii_lowercase(),
    }
}
