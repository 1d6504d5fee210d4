//! What a question to Google shows, as a link sees it: the resource, or the fault of its being unseen.

use serde_json::Value;

use super::link::Fault;
use crate::cli::google::{Look, Unseen};

impl Look {
    /// The resource itself, for the link that answers for it; `create` makes one.
    pub(crate) fn found(&self, thing: &str, create: impl FnOnce() -> String) -> Result<&Value, Fault> {
        match self.result() {
            Ok(value) => Ok(value),
            Err(Unseen::Missing) => Err(Fault::wrong(format!("there is no {thing}"), create())),
            Err(unseen) => Err(unseen.fault()),
        }
    }

    /// The resource, for a link that builds on it.
    pub(crate) fn needed(&self, thing: &str) -> Result<&Value, Fault> {
        match self.result() {
            Ok(value) => Ok(value),
            Err(Unseen::Missing) => Err(Fault::Unseen { problem: format!("there is no {thing} yet"), mend: None }),
            Err(unseen) => Err(unseen.fault()),
        }
    }
}

impl Unseen {
    pub(crate) fn fault(&self) -> Fault {
        let mend = match self {
            Self::Missing | Self::Failed(_) => None,
            Self::Disabled { service, project } => Some(format!("gcloud services enable {service} --project={project}")),
            Self::Denied { role, project, .. } => Some(format!(
                "gcloud projects add-iam-policy-binding {project} --member=\"user:$(gcloud config get-value account)\" --role={role} --condition=None"
            )),
        };
        Fault::Unseen { problem: self.to_string(), mend }
    }
}
