//! The files that are made from the table of settings, and the test that compares them.
//!
//! After a change of the table: `UPDATE_SETTINGS=1 cargo test -p pixel-pipeline --lib config::generated`.

mod docs;
mod env_example;
mod shell;
mod terraform;

use std::fmt::Write as _;
use std::path::Path;

use super::setting::{Deployed, Kind, Range, Setting};
use super::settings::SETTINGS;

const COMMAND: &str = "UPDATE_SETTINGS=1 cargo test -p pixel-pipeline --lib config::generated";

/// The files, by their paths in the repository.
fn files() -> [(&'static str, String); 7] {
    [
        ("docs/settings.md", docs::page()),
        ("deploy/pipeline.env.example", env_example::file()),
        ("deploy/checks.sh", shell::file()),
        ("deploy/terraform/variables.tf", terraform::deployment()),
        ("deploy/terraform/variables_service.tf", terraform::service()),
        ("deploy/terraform/service_settings.tf", terraform::passed_on()),
        ("deploy/terraform/valid_settings.tf", terraform::relations()),
    ]
}

#[test]
fn generated_files_match_the_table() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut differences = String::new();
    for (file, expected) in files() {
        let path = root.join(file);
        if std::env::var_os("UPDATE_SETTINGS").is_some() {
            std::fs::write(&path, &expected).unwrap_or_else(|error| panic!("cannot write {file}: {error}"));
        }
        let found = std::fs::read_to_string(&path).unwrap_or_default();
        if found != expected {
            let _ = writeln!(differences, "{file}: {}", difference(&found, &expected));
        }
    }
    assert!(differences.is_empty(), "src/config/settings.rs and the files generated from it differ:\n{differences}Run: {COMMAND}");
}

/// The settings of which the lines differ; else the first line that differs.
fn difference(found: &str, expected: &str) -> String {
    let lines_of = |file: &str, name: &str| -> Vec<String> {
        file.lines().filter(|line| words(line).any(|word| word.eq_ignore_ascii_case(name))).map(str::to_owned).collect()
    };
    let differs = |setting: &&&Setting| lines_of(found, setting.name) != lines_of(expected, setting.name);
    let names: Vec<&str> = SETTINGS.iter().filter(differs).map(|setting| setting.name).collect();
    if !names.is_empty() {
        return names.join(", ");
    }
    let changed = expected.lines().zip(found.lines()).find(|(expected, found)| expected != found);
    format!("the line {:?}", changed.map_or("at the end", |(expected, _)| expected))
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
}

/// The settings of a deployment, in the order of the files.
fn deployed() -> impl Iterator<Item = (&'static Setting, &'static Deployed)> {
    SETTINGS.iter().filter_map(|setting| Some((*setting, setting.deployed.as_ref()?)))
}

/// The sections of the settings that belong to the deployment itself.
fn sections() -> Vec<&'static str> {
    let mut sections = Vec::new();
    for (_, deployed) in deployed().filter(|(setting, _)| !setting.is_passed_on()) {
        if !sections.contains(&deployed.section) {
            sections.push(deployed.section);
        }
    }
    sections
}

/// The regular expression for the values that a deployment accepts, and a description. `None`: deploy.sh and Terraform check them by hand-written code.
fn pattern(setting: &Setting, deployed: &Deployed) -> Option<(String, String)> {
    let or_empty = |regex: String| if is_optional(setting) { format!("({regex})?") } else { regex };
    match (deployed.range, setting.kind) {
        (Range::Pattern { regex, expected }, _) => Some((regex.to_owned(), expected.to_owned())),
        (Range::Name { max_length }, _) => {
            Some(("[A-Za-z0-9_]+".to_owned(), format!("a name of at most {max_length} letters, digits and _")))
        }
        (Range::OfKind, Kind::Boolean) => Some(("true|false".to_owned(), "true or false".to_owned())),
        (Range::OfKind, Kind::Choice(values)) => Some((values.join("|"), format!("one of {}", values.join(", ")))),
        (Range::OfKind, Kind::Number { min, max }) => Some((or_empty("0|[1-9][0-9]*".to_owned()), whole_number(min, max))),
        (Range::OfKind, _) => None,
    }
}

fn whole_number(min: u64, max: u64) -> String {
    format!("a whole number from {min} to {max}")
}

fn is_optional(setting: &Setting) -> bool {
    setting.deployed_default().is_empty()
}

/// Lines of at most `width` characters, each after `prefix`.
fn wrapped(text: &str, prefix: &str, width: usize) -> String {
    let mut lines = String::new();
    let mut line = String::new();
    for word in text.split(' ') {
        if !line.is_empty() && prefix.len() + line.len() + 1 + word.len() > width {
            let _ = writeln!(lines, "{prefix}{line}");
            line.clear();
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line += word;
    }
    let _ = writeln!(lines, "{prefix}{line}");
    lines
}

#[test]
fn each_default_is_valid_for_its_kind() {
    for setting in SETTINGS {
        for default in [setting.default, setting.deployed_default()] {
            let checked = setting.kind.check(default, default.is_empty());
            assert_eq!(checked, Ok(()), "{}: default {default:?}", setting.name);
        }
    }
}

#[test]
fn a_deployed_setting_without_a_pattern_is_a_file() {
    for (setting, deployed) in deployed().filter(|(setting, deployed)| pattern(setting, deployed).is_none()) {
        assert_eq!(setting.value, "FILE", "{}: its range must define the values that a deployment accepts", setting.name);
        assert_ne!(deployed.section, super::setting::SERVICE_SECTION);
    }
}
