//! The command lines beside the table of settings.

use std::collections::BTreeSet;
use std::path::Path;

use clap::CommandFactory as _;

use super::Cli;
use crate::config::command::Command;
use crate::config::setting::Setting;
use crate::config::settings::{SETTINGS, find};

/// The commands that this build has, each with its command line.
fn commands() -> Vec<(Command, clap::Command)> {
    let line = Cli::command();
    let found = |command: Command| Some((command, line.find_subcommand(command.name())?.clone()));
    Command::ALL.iter().copied().filter_map(found).collect()
}

fn env_of(arg: &clap::Arg) -> Option<&str> {
    arg.get_env()?.to_str()
}

#[test]
fn the_command_line_is_consistent() {
    Cli::command().debug_assert();
}

#[test]
fn every_command_of_the_list_exists_with_all_features() {
    let missing =
        [cfg!(feature = "local"), cfg!(feature = "pubsub"), cfg!(feature = "query")].into_iter().filter(|is_enabled| !is_enabled).count();
    assert_eq!(commands().len(), Command::ALL.len() - missing, "{:?}", commands().iter().map(|(command, _)| command).collect::<Vec<_>>());
}

#[test]
fn a_command_takes_exactly_the_settings_of_the_table() {
    for (command, line) in commands() {
        let taken: BTreeSet<&str> = line.get_arguments().filter_map(env_of).filter(|name| find(name).is_some()).collect();
        let expected: BTreeSet<&str> = SETTINGS.iter().filter(|setting| setting.is_taken_by(command)).map(|setting| setting.name).collect();
        assert_eq!(taken, expected, "{}", command.name());
    }
}

#[test]
fn help_shows_exactly_the_settings_of_the_command() {
    for (command, mut line) in commands() {
        let help = line.render_long_help().to_string();
        let is_shown = |setting: &Setting| {
            [format!("[env: {}=", setting.name), format!("[env: {}]", setting.name)].iter().any(|text| help.contains(text))
        };
        for setting in SETTINGS {
            assert_eq!(is_shown(setting), setting.is_shown_by(command), "{} in `{} --help`", setting.name, command.name());
        }
    }
}

#[test]
fn the_defaults_of_a_command_are_those_of_the_table() {
    for (command, line) in commands() {
        for arg in line.get_arguments() {
            let Some(setting) = env_of(arg).and_then(find) else { continue };
            let default = arg.get_default_values().first().map_or("", |value| value.to_str().expect("it is UTF-8"));
            assert_eq!(default, setting.default_of(command), "{} of {}", setting.name, command.name());
        }
    }
}

/// A comment on a variant of the enum of commands would replace it.
#[test]
fn help_of_each_command_has_its_long_description() {
    for (command, line) in commands() {
        assert!(line.get_long_about().is_some(), "{}", command.name());
    }
}

#[test]
fn every_setting_is_explained_and_has_a_heading() {
    for setting in SETTINGS {
        let name = setting.name;
        assert!(setting.help.len() > 8 && !setting.help.ends_with('.'), "{name}: help");
        assert!(setting.commands.is_empty() || !setting.heading.is_empty(), "{name}: heading");
        assert!(!setting.commands.is_empty() || setting.deployed.is_some(), "{name}: no command and no deployment uses it");
        assert!(setting.hidden.iter().all(|command| setting.is_taken_by(*command)), "{name}: hidden where it is not taken");
    }
}

/// A setting that a command takes and no code reads would do nothing.
#[test]
fn every_setting_of_a_command_is_read() {
    let mut sources = String::new();
    collect(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src")), &mut sources);
    for setting in SETTINGS.iter().filter(|setting| !setting.commands.is_empty()) {
        let is_read = ["(&", "[&", "match &", " &"].iter().any(|before| {
            sources
                .match_indices(&format!("{before}{}", setting.name))
                .any(|(at, found)| !sources[at + found.len()..].starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_'))
        });
        assert!(is_read, "{}: no code reads it, as in `values.number(&{})`", setting.name, setting.name);
    }
}

/// The sources that may read settings.
fn collect(folder: &Path, sources: &mut String) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && path.file_name().is_some_and(|name| name != "generated") {
            collect(&path, sources);
        } else if path.extension().is_some_and(|extension| extension == "rs") && !path.ends_with("config/settings.rs") {
            *sources += &std::fs::read_to_string(&path).unwrap();
        }
    }
}

#[test]
fn a_secret_is_not_in_debug_output() {
    use clap::FromArgMatches as _;

    const KEY: &str = "0123456789abcdef0123456789abcdef";
    for setting in SETTINGS.iter().filter(|setting| setting.is_secret()) {
        for (command, line) in commands().into_iter().filter(|(command, _)| setting.is_taken_by(*command)) {
            let matches = line.try_get_matches_from([command.name().to_owned(), format!("--{}={KEY}", setting.flag())]);
            // `forget` and `replay` ask for more.
            let Ok(matches) = matches else { continue };
            let debug = match command {
                Command::Serve => format!("{:?}", super::serve::Args::from_arg_matches(&matches).unwrap()),
                #[cfg(feature = "pubsub")]
                Command::Pull => format!("{:?}", super::pull::Args::from_arg_matches(&matches).unwrap()),
                Command::Explain => format!("{:?}", super::explain::Args::from_arg_matches(&matches).unwrap()),
                Command::Sign => format!("{:?}", super::sign::Args::from_arg_matches(&matches).unwrap()),
                Command::Check => format!("{:?}", super::check::Args::from_arg_matches(&matches).unwrap()),
                _ => continue,
            };
            assert!(debug.contains(setting.name) && !debug.contains(KEY), "{} of {}", setting.name, command.name());
        }
    }
}
