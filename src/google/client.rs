//! Google's APIs over REST, asked by a command with the credentials of whoever runs it. What passes by itself is tried
//! again a few times.

use std::time::Duration;

use reqwest::StatusCode;
use reqwest::header::CONTENT_TYPE;
use reqwest::redirect::Policy;
use serde_json::Value;

use super::setback::Setback;
use crate::config::Endpoints;
use crate::sink::credentials::{NoToken, Tokens};
use crate::telemetry::with_causes;

/// An archive's object has an hour of entries.
const LONGEST_DOWNLOAD: Duration = Duration::from_secs(3600);

/// An API, as `gcloud services enable` names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Api {
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
pub(crate) struct Google {
    http: reqwest::Client,
    endpoints: Endpoints,
    tokens: Tokens,
    /// Who pays for the requests.
    quota_project: Option<String>,
    project: String,
}

/// What a question showed.
#[derive(Debug, Clone)]
pub(crate) struct Look(Result<Value, Unseen>);

/// Why it showed nothing.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum Unseen {
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
    pub(crate) async fn new(endpoints: Endpoints, tokens: Tokens, project: &str) -> Result<Self, reqwest::Error> {
        let quota_project = tokens.quota_project().await;
        let http = client(matches!(tokens, Tokens::None))?;
        Ok(Self { http, endpoints, tokens, quota_project, project: project.to_owned() })
    }

    /// For requests that are not to Google's APIs, and do not say who asks.
    pub(crate) fn http(&self) -> &reqwest::Client {
        &self.http
    }

    /// Asks for a path below the API's version.
    pub(crate) async fn get(&self, api: Api, path: &str) -> Look {
        self.ask(api, path, |url| self.http.get(url)).await
    }

    /// Asks where the API has questions as POST.
    pub(crate) async fn post(&self, api: Api, path: &str, body: &Value) -> Look {
        self.ask(api, path, |url| self.http.post(url).header(CONTENT_TYPE, "application/json").body(body.to_string())).await
    }

    /// Deletes a resource.
    pub(crate) async fn delete(&self, path: &str) -> Look {
        self.ask(Api::BigQuery, path, |url| self.http.delete(url)).await
    }

    /// The content of an object, whose bytes may come for as long as they take. One attempt.
    pub(crate) async fn download(&self, path: &str) -> Result<reqwest::Response, Unseen> {
        let request = self.http.get(format!("{}/{path}", self.endpoints.storage)).timeout(LONGEST_DOWNLOAD);
        self.send(request, Api::Storage, path).await.map_err(|setback| setback.error)
    }

    async fn ask(&self, api: Api, path: &str, request: impl Fn(&str) -> reqwest::RequestBuilder) -> Look {
        let base = match api {
            Api::BigQuery => &self.endpoints.bigquery,
            Api::Compute => &self.endpoints.compute,
            Api::Logging => &self.endpoints.logging,
            Api::Projects => &self.endpoints.projects,
            Api::Pubsub => &self.endpoints.pubsub,
            Api::Run => &self.endpoints.run,
            Api::Storage => &self.endpoints.storage,
        };
        let url = format!("{base}/{path}");
        let mut attempts = 0;
        loop {
            attempts += 1;
            let setback = match self.answer(request(&url), api, path).await {
                Ok(value) => return Look(Ok(value)),
                Err(setback) => setback,
            };
            let Some(pause) = setback.pause(attempts) else { return Look(Err(setback.error)) };
            // Not what it says: it may name a table, and a table may be named after somebody.
            tracing::info!(service = api.service(), seconds = pause.as_secs_f64(), "asking again after a failure");
            tokio::time::sleep(pause).await;
        }
    }

    async fn answer(&self, request: reqwest::RequestBuilder, api: Api, path: &str) -> Result<Value, Setback> {
        let body = self.send(request, api, path).await?.bytes().await.map_err(|error| unanswered(api, &error))?;
        Ok(serde_json::from_slice(&body).unwrap_or_default())
    }

    /// The answer, if it is one of success.
    async fn send(&self, mut request: reqwest::RequestBuilder, api: Api, path: &str) -> Result<reqwest::Response, Setback> {
        let no_token = |error: NoToken| Setback::lasting(Unseen::Failed(error.to_string()));
        let token = self.tokens.token().await.map_err(no_token)?;
        if let Some(token) = &token {
            request = request.bearer_auth(token);
        }
        if let Some(project) = &self.quota_project {
            request = request.header("x-goog-user-project", project);
        }
        let response = request.send().await.map_err(|error| unanswered(api, &error))?;
        if response.status().is_success() {
            return Ok(response);
        }
        let (status, headers) = (response.status(), response.headers().clone());
        let body = response.bytes().await.map_err(|error| unanswered(api, &error))?;
        let body: Value = serde_json::from_slice(&body).unwrap_or_default();
        let message = body["error"]["message"].as_str().unwrap_or("no message").to_owned();
        let is_off = ["has not been used in project", "is disabled"].iter().any(|text| message.contains(text));
        let (project, service) = (self.project.clone(), api.service().to_owned());
        let error = match status.as_u16() {
            404 => Unseen::Missing,
            403 if is_off => Unseen::Disabled { service, project },
            403 => Unseen::Denied { role: api.role(path), project, message },
            401 => Unseen::Failed(format!("{service} does not know the caller ({message}): run `gcloud auth application-default login`")),
            status => Unseen::Failed(format!("{service} answers {status}: {message}")),
        };
        if status == StatusCode::UNAUTHORIZED && self.tokens.token_instead_of(token.as_deref()).await.map_err(no_token)? != token {
            return Err(Setback::passing(error));
        }
        Err(Setback::answered(error, status, &headers, &body))
    }
}

fn unanswered(api: Api, cause: &reqwest::Error) -> Setback {
    let error = Unseen::Failed(format!("{} cannot be reached: {}", api.service(), with_causes(cause)));
    Setback::unanswered(error, cause)
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
    pub(crate) fn result(&self) -> &Result<Value, Unseen> {
        &self.0
    }

    pub(crate) fn into_result(self) -> Result<Value, Unseen> {
        self.0
    }

    pub(crate) fn value(&self) -> Option<&Value> {
        self.0.as_ref().ok()
    }

    /// Whether the API says that there is none.
    pub(crate) fn is_missing(&self) -> bool {
        matches!(self.0, Err(Unseen::Missing))
    }
}
