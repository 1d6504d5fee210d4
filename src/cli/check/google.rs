//! Google's APIs over REST: questions only.

use std::time::Duration;

use reqwest::header::CONTENT_TYPE;
use reqwest::redirect::Policy;
use serde_json::Value;

use super::link::Fault;
use crate::config::Endpoints;
use crate::sink::credentials::Tokens;
use crate::telemetry::with_causes;

/// An API, as `gcloud services enable` names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Api {
    BigQuery,
    Compute,
    Logging,
    Projects,
    Pubsub,
    Run,
    Storage,
}

/// A client with the caller's credentials.
#[derive(Debug)]
pub(super) struct Google {
    http: reqwest::Client,
    endpoints: Endpoints,
    tokens: Tokens,
    /// Who pays for the requests.
    quota_project: Option<String>,
    project: String,
}

/// What a question showed.
#[derive(Debug, Clone)]
pub(super) struct Look(Result<Value, Unseen>);

/// Why it showed nothing.
#[derive(Debug, Clone, thiserror::Error)]
pub(super) enum Unseen {
    #[error("it is not there")]
    Missing,
    #[error("the API {service} is not switched on in {project}")]
    Disabled { service: String, project: String },
    #[error("the caller may not look at it, for which {role} is enough: {message}")]
    Denied { role: &'static str, project: String, message: String },
    #[error("{0}")]
    Failed(String),
}

impl Api {
    fn service(self) -> &'static str {
        match self {
            Self::BigQuery => "bigquery.googleapis.com",
            Self::Compute => "compute.googleapis.com",
            Self::Logging => "logging.googleapis.com",
            Self::Projects => "cloudresourcemanager.googleapis.com",
            Self::Pubsub => "pubsub.googleapis.com",
            Self::Run => "run.googleapis.com",
            Self::Storage => "storage.googleapis.com",
        }
    }

    /// The smallest role that can look at everything that is looked at here.
    fn role(self, path: &str) -> &'static str {
        match self {
            Self::Pubsub | Self::Storage | Self::Projects if path.ends_with("iam") || path.ends_with("getIamPolicy") => {
                "roles/iam.securityReviewer"
            }
            Self::BigQuery if path.ends_with("/data") => "roles/bigquery.dataViewer",
            Self::BigQuery if path.ends_with("/queries") => "roles/bigquery.user",
            Self::BigQuery => "roles/bigquery.metadataViewer",
            Self::Compute => "roles/compute.viewer",
            Self::Logging => "roles/logging.viewer",
            Self::Projects => "roles/browser",
            Self::Pubsub => "roles/pubsub.viewer",
            Self::Run => "roles/run.viewer",
            Self::Storage if path.contains("/o/") => "roles/storage.objectViewer",
            Self::Storage => "roles/storage.bucketViewer",
        }
    }
}

impl Google {
    pub(super) async fn new(endpoints: Endpoints, tokens: Tokens, project: &str) -> Result<Self, reqwest::Error> {
        let quota_project = tokens.quota_project().await;
        let http = client(matches!(tokens, Tokens::None))?;
        Ok(Self { http, endpoints, tokens, quota_project, project: project.to_owned() })
    }

    /// For requests that are not to Google's APIs, and do not say who asks.
    pub(super) fn http(&self) -> &reqwest::Client {
        &self.http
    }

    /// Asks for a path below the API's version.
    pub(super) async fn get(&self, api: Api, path: &str) -> Look {
        self.ask(api, path, |url| self.http.get(url)).await
    }

    /// Asks where the API has questions as POST.
    pub(super) async fn post(&self, api: Api, path: &str, body: &Value) -> Look {
        self.ask(api, path, |url| self.http.post(url).header(CONTENT_TYPE, "application/json").body(body.to_string())).await
    }

    async fn ask(&self, api: Api, path: &str, request: impl FnOnce(String) -> reqwest::RequestBuilder) -> Look {
        let base = match api {
            Api::BigQuery => &self.endpoints.bigquery,
            Api::Compute => &self.endpoints.compute,
            Api::Logging => &self.endpoints.logging,
            Api::Projects => &self.endpoints.projects,
            Api::Pubsub => &self.endpoints.pubsub,
            Api::Run => &self.endpoints.run,
            Api::Storage => &self.endpoints.storage,
        };
        Look(self.answer(request(format!("{base}/{path}")), api, path).await)
    }

    async fn answer(&self, mut request: reqwest::RequestBuilder, api: Api, path: &str) -> Result<Value, Unseen> {
        match self.tokens.token().await {
            Ok(Some(token)) => request = request.bearer_auth(token),
            Ok(None) => {}
            Err(error) => return Err(Unseen::Failed(error.to_string())),
        }
        if let Some(project) = &self.quota_project {
            request = request.header("x-goog-user-project", project);
        }
        let unreachable = |error: reqwest::Error| Unseen::Failed(format!("{} cannot be reached: {}", api.service(), with_causes(&error)));
        let response = request.send().await.map_err(unreachable)?;
        let status = response.status().as_u16();
        let body: Value = serde_json::from_slice(&response.bytes().await.map_err(unreachable)?).unwrap_or_default();
        if (200..300).contains(&status) {
            return Ok(body);
        }
        let message = body["error"]["message"].as_str().unwrap_or("no message").to_owned();
        let is_off = ["has not been used in project", "is disabled"].iter().any(|text| message.contains(text));
        let (project, service) = (self.project.clone(), api.service().to_owned());
        Err(match status {
            404 => Unseen::Missing,
            403 if is_off => Unseen::Disabled { service, project },
            403 => Unseen::Denied { role: api.role(path), project, message },
            401 => Unseen::Failed(format!("{service} does not know the caller ({message}): run `gcloud auth application-default login`")),
            _ => Unseen::Failed(format!("{service} answers {status}: {message}")),
        })
    }
}

/// Honours the proxy's variables, except for what is on this machine.
fn client(is_local: bool) -> Result<reqwest::Client, reqwest::Error> {
    let mut http = reqwest::Client::builder()
        .connect_timeout(Duration::from_secs(5))
        .timeout(Duration::from_secs(30))
        .redirect(Policy::none())
        .user_agent(concat!("pixel-pipeline/", env!("CARGO_PKG_VERSION")));
    if is_local {
        http = http.no_proxy();
    }
    http.build()
}

impl Look {
    pub(super) fn into_result(self) -> Result<Value, Unseen> {
        self.0
    }

    pub(super) fn value(&self) -> Option<&Value> {
        self.0.as_ref().ok()
    }

    /// Whether the API says that there is none.
    pub(super) fn is_missing(&self) -> bool {
        matches!(self.0, Err(Unseen::Missing))
    }

    /// The resource itself, for the link that answers for it; `create` makes one.
    pub(super) fn found(&self, thing: &str, create: impl FnOnce() -> String) -> Result<&Value, Fault> {
        match &self.0 {
            Ok(value) => Ok(value),
            Err(Unseen::Missing) => Err(Fault::wrong(format!("there is no {thing}"), create())),
            Err(unseen) => Err(unseen.fault()),
        }
    }

    /// The resource, for a link that builds on it.
    pub(super) fn needed(&self, thing: &str) -> Result<&Value, Fault> {
        match &self.0 {
            Ok(value) => Ok(value),
            Err(Unseen::Missing) => Err(Fault::Unseen { problem: format!("there is no {thing} yet"), mend: None }),
            Err(unseen) => Err(unseen.fault()),
        }
    }
}

impl Unseen {
    pub(super) fn fault(&self) -> Fault {
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
