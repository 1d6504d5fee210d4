//! deploy/checks.sh: the settings of deploy.sh, and the check of each value.

use std::fmt::Write as _;

use super::{deployed, is_optional, pattern};
use crate::config::setting::{Deployed, Kind, Range};
use crate::decode::filled_columns;

const HEADER: &str = "\
# The settings of a deployment and the check of each. Generated from src/config/settings.rs; sourced by settings.sh.
# shellcheck shell=bash disable=SC2034
";

pub(crate) fn file() -> String {
    let mut file = HEADER.to_owned();
    for (list, is_passed_on) in [("SERVICE_SETTINGS", true), ("DEPLOYMENT_SETTINGS", false)] {
        // PROJECT_ID has no default in a file.
        let names: Vec<&str> = deployed()
            .map(|(setting, _)| setting)
            .filter(|setting| setting.is_passed_on() == is_passed_on && setting.name != "PROJECT_ID")
            .map(|setting| setting.name)
            .collect();
        // A line each, so that a difference names the setting.
        let _ = writeln!(file, "\n{list}='\n  {}\n'", names.join("\n  "));
    }
    // Names that VALID_ATTRIBUTES cannot have.
    let _ = writeln!(file, "\nFILLED_COLUMNS='{}'", filled_columns().collect::<Vec<_>>().join(" "));
    file += "\n# Calls check NAME PATTERN EXPECTED [MAX_LENGTH], check_secret NAME PATTERN EXPECTED or check_number NAME MIN MAX for each setting.\ncheck_each() {\n";
    for (setting, deployed) in deployed() {
        match (deployed.range, setting.kind, pattern(setting, deployed)) {
            (Range::OfKind, Kind::Number { min, max }, _) => {
                let optional = if is_optional(setting) { " optional" } else { "" };
                let _ = writeln!(file, "  check_number {} {min} {max}{optional}", setting.name);
            }
            // The value may be a key by mistake, so it is not printed.
            (_, Kind::Secret, Some((regex, expected))) => {
                let _ = writeln!(file, "  check_secret {} {} {}", setting.name, quoted(&regex), quoted(&expected));
            }
            (_, _, Some((regex, expected))) => {
                let _ = writeln!(file, "  check {} {} {}{}", setting.name, quoted(&regex), quoted(&expected), max_length(deployed));
            }
            // SCHEMA_FILE: settings.sh looks into the file.
            (_, _, None) => {}
        }
    }
    file += "}\n";
    file
}

fn max_length(deployed: &Deployed) -> String {
    match deployed.range {
        Range::Name { max_length } => format!(" {max_length}"),
        Range::OfKind | Range::Pattern { .. } => String::new(),
    }
}

/// One word of the shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}
