//! A resource of the deployment as a link needs it: its JSON, or the fault that it is absent or unreadable.

use serde_json::Value;

use super::link::Fault;
use crate::google::{Api, ApiError, ApiResult, Client, Lookup};

/// The answer about one resource.
#[derive(Debug)]
pub(crate) struct Resource(ApiResult<Lookup<Value>>);

impl Resource {
    pub(crate) async fn get(google: &Client, api: Api, path: &str) -> Self {
        Self(google.get(api, path).await)
    }

    /// For a resource that the API returns for a POST.
    pub(crate) async fn post(google: &Client, api: Api, path: &str, body: &Value) -> Self {
        Self(google.post(api, path, body).await)
    }

    /// The resource, for the link that checks it; `create` is the command that creates it.
    pub(crate) fn found(&self, thing: &str, create: impl FnOnce() -> String) -> Result<&Value, Fault> {
        match &self.0 {
            Ok(Lookup::Found(value)) => Ok(value),
            Ok(Lookup::Absent) => Err(Fault::broken(format!("{thing} does not exist"), create())),
            Err(error) => Err(error.into()),
        }
    }

    /// The resource, for a link that depends on it.
    pub(crate) fn needed(&self, thing: &str) -> Result<&Value, Fault> {
        match &self.0 {
            Ok(Lookup::Found(value)) => Ok(value),
            Ok(Lookup::Absent) => Err(Fault::unknown(format!("{thing} does not exist yet"))),
            Err(error) => Err(error.into()),
        }
    }

    pub(crate) fn value(&self) -> Option<&Value> {
        match &self.0 {
            Ok(Lookup::Found(value)) => Some(value),
            Ok(Lookup::Absent) | Err(_) => None,
        }
    }

    /// Whether the API answers that it does not exist.
    pub(crate) fn is_absent(&self) -> bool {
        matches!(self.0, Ok(Lookup::Absent))
    }
}

impl From<&ApiError> for Fault {
    fn from(error: &ApiError) -> Self {
        let fix = match error {
            ApiError::Disabled { service, project } => Some(format!("gcloud services enable {service} --project={project}")),
            ApiError::Denied { role, project, .. } => Some(format!(
                "gcloud projects add-iam-policy-binding {project} --member=\"user:$(gcloud config get-value account)\" --role={role} --condition=None"
            )),
            ApiError::Unauthenticated { .. }
            | ApiError::Token(_)
            | ApiError::Status { .. }
            | ApiError::Unreachable { .. }
            | ApiError::Unreadable { .. }
            | ApiError::Absent(_)
            | ApiError::Timeout { .. } => None,
        };
        Self::Unknown { problem: error.to_string(), fix }
    }
}
