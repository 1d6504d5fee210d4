//! deploy/pipeline.env.example: every setting of a deployment with its default.

use std::fmt::Write as _;

use super::{deployed, sections, wrapped};
use crate::config::setting::{Deployed, SERVICE_SECTION, Setting};

const HEADER: &str = "\
# Settings of deploy.sh and destroy.sh. Generated from src/config/settings.rs.
#
# Copy this file to deploy/pipeline.env and edit the copy. Environment variables of the same names win over it.
# Only PROJECT_ID is required, here or as gcloud's own project. The Terraform module has the same settings as
# variables, in lower case. docs/settings.md has all settings of the service.
#
# One NAME=value a line, without quotes. A line that is commented out shows the default.
";

/// Settings that only the scripts have. The module's tests read the sections before it.
const ONLY_SCRIPTS: &str = "Only of the scripts, not of the Terraform module";

pub(crate) fn file() -> String {
    let mut file = HEADER.to_owned();
    for section in sections().into_iter().chain([ONLY_SCRIPTS, SERVICE_SECTION]) {
        let settings: Vec<&Setting> = deployed().filter(|(_, deployed)| heading(deployed) == section).map(|(setting, _)| setting).collect();
        if settings.is_empty() {
            continue;
        }
        let _ = writeln!(file, "\n# --- {section}");
        for setting in settings {
            file += &wrapped(&format!("{}.", setting.help), "# ", 110);
            let mark = if setting.name == "PROJECT_ID" { "" } else { "#" };
            let _ = writeln!(file, "{mark}{}={}", setting.name, setting.deployed_default());
        }
    }
    file
}

fn heading(deployed: &Deployed) -> &'static str {
    if deployed.script_only { ONLY_SCRIPTS } else { deployed.section }
}
