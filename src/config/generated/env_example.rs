//! deploy/pipeline.env.example: every setting of a deployment with its default.

use std::fmt::Write as _;

use super::{deployed, sections, wrapped};
use crate::config::setting::SERVICE_SECTION;

const HEADER: &str = "\
# Settings of deploy.sh and destroy.sh. Generated from src/config/settings.rs.
#
# Copy this file to deploy/pipeline.env and edit the copy. Environment variables of the same names win over it.
# Only PROJECT_ID is required, here or as gcloud's own project. The Terraform module has the same settings as
# variables, in lower case. docs/settings.md has all settings of the service.
#
# One NAME=value a line, without quotes. A line that is commented out shows the default.
";

const SECRETS: &str = "\
# The keys HASH_USER_IDS and URL_SIGNING_KEY belong in Secret Manager, not here. deploy.sh leaves them unchanged:
# gcloud run services update pixel-pipeline --region us-central1 --update-secrets HASH_USER_IDS=SECRET:latest
# The service's account needs roles/secretmanager.secretAccessor on the secret.
";

pub(crate) fn file() -> String {
    let mut file = HEADER.to_owned();
    for section in sections().into_iter().chain([SERVICE_SECTION]) {
        let _ = writeln!(file, "\n# --- {section}");
        if section == SERVICE_SECTION {
            file += SECRETS;
        }
        for (setting, _) in deployed().filter(|(_, deployed)| deployed.section == section) {
            file += &wrapped(&format!("{}.", setting.help), "# ", 110);
            let mark = if setting.name == "PROJECT_ID" { "" } else { "#" };
            let _ = writeln!(file, "{mark}{}={}", setting.name, setting.deployed_default());
        }
    }
    file
}
