//! Requests to Google's APIs over REST, with the caller's credentials. Transient failures are retried.
//!
//! It sends and reads JSON and knows no resource. A 404 is [`Lookup::Absent`]; every other failure is an [`ApiError`].

use std::time::Duration;

use reqwest::header::CONTENT_TYPE;
use reqwest::redirect::Policy;
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde_json::Value;

use super::credentials::{TokenError, Tokens};
use super::endpoints::{Api, Endpoints};
use super::error::{ApiError, ApiResult, Lookup};
use super::retry::{FailedAttempt, RetryDecision, RetryPolicy};
use crate::telemetry::with_causes;

/// Longest download: an archived object holds an hour of entries.
const DOWNLOAD_TIMEOUT: Duration = Duration::from_secs(3600);
/// A metadata server answers in milliseconds or not at all.
const TOKEN_TIMEOUT: Duration = Duration::from_secs(10);

/// A client with credentials.
#[derive(Debug)]
pub struct Client {
    http: reqwest::Client,
    endpoints: Endpoints,
    tokens: Tokens,
    /// The project that pays for the requests.
    quota_project: Option<String>,
    /// The project that errors name.
    project: String,
    retry: RetryPolicy,
}

impl Client {
    /// A client for a command.
    pub(crate) async fn new(endpoints: Endpoints, tokens: Tokens, project: &str) -> Result<Self, reqwest::Error> {
        let quota_project = tokens.quota_project().await;
        let http = command_http(matches!(tokens, Tokens::None))?;
        Ok(Self { http, endpoints, tokens, quota_project, project: project.to_owned(), retry: RetryPolicy::COMMAND })
    }

    /// A client that shares the connections of another.
    pub(crate) fn with_http(http: reqwest::Client, endpoints: Endpoints, tokens: Tokens, project: &str, retry: RetryPolicy) -> Self {
        Self { http, endpoints, tokens, quota_project: None, project: project.to_owned(), retry }
    }

    /// For requests without credentials, to anything but Google's APIs.
    pub(crate) fn http(&self) -> &reqwest::Client {
        &self.http
    }

    /// Gets a resource. `path` follows the API's version.
    pub(crate) async fn get(&self, api: Api, path: &str) -> ApiResult<Lookup<Value>> {
        self.json(api, Method::GET, path, None).await
    }

    /// Posts JSON.
    pub(crate) async fn post(&self, api: Api, path: &str, body: &Value) -> ApiResult<Lookup<Value>> {
        self.json(api, Method::POST, path, Some(body)).await
    }

    /// Deletes a resource. The answer has no JSON.
    pub(crate) async fn delete(&self, api: Api, path: &str) -> ApiResult<Lookup<()>> {
        let attempt = || async {
            match self.send(api, Method::DELETE, path, self.request(api, Method::DELETE, path)).await? {
                Lookup::Found(response) => {
                    response.bytes().await.map_err(|cause| unanswered(api, &cause))?;
                    Ok(Lookup::Found(()))
                }
                Lookup::Absent => Ok(Lookup::Absent),
            }
        };
        self.retry.run(api.service(), attempt).await
    }

    /// Every item of a list, page by page. `member` holds a page's items; `path` may have a query.
    pub(crate) async fn list(&self, api: Api, path: &str, member: &str) -> ApiResult<Lookup<Vec<Value>>> {
        let separator = if path.contains('?') { '&' } else { '?' };
        let (mut items, mut url) = (Vec::new(), path.to_owned());
        loop {
            let Lookup::Found(mut page) = self.get(api, &url).await? else { return Ok(Lookup::Absent) };
            match page[member].take() {
                // Google leaves out empty lists.
                Value::Null => {}
                Value::Array(more) => items.extend(more),
                _ => return Err(ApiError::unreadable(api, format!("{member} is not a list"))),
            }
            // tabledata.list has another name for it.
            let token = page["nextPageToken"].as_str().or(page["pageToken"].as_str());
            let Some(token) = token.filter(|token| !token.is_empty()) else { return Ok(Lookup::Found(items)) };
            url = format!("{path}{separator}pageToken={}", query_value(token));
        }
    }

    /// Starts to download an object. What fails after that is not retried.
    pub(crate) async fn download(&self, path: &str) -> ApiResult<Lookup<Response>> {
        let api = Api::Storage;
        let request = || self.request(api, Method::GET, path).timeout(DOWNLOAD_TIMEOUT);
        self.retry.run(api.service(), || self.send(api, Method::GET, path, request())).await
    }

    async fn json(&self, api: Api, method: Method, path: &str, body: Option<&Value>) -> ApiResult<Lookup<Value>> {
        let attempt = || async {
            let mut request = self.request(api, method.clone(), path);
            if let Some(body) = body {
                request = request.header(CONTENT_TYPE, "application/json").body(body.to_string());
            }
            match self.send(api, method.clone(), path, request).await? {
                Lookup::Found(response) => {
                    let answer = response.bytes().await.map_err(|cause| unanswered(api, &cause))?;
                    let parsed = serde_json::from_slice(&answer).map_err(|error| ApiError::unreadable(api, error.to_string()));
                    parsed.map(Lookup::Found).map_err(FailedAttempt::permanent)
                }
                Lookup::Absent => Ok(Lookup::Absent),
            }
        };
        self.retry.run(api.service(), attempt).await
    }

    fn request(&self, api: Api, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}/{path}", self.endpoints.base(api)))
    }

    /// One attempt.
    async fn send(&self, api: Api, method: Method, path: &str, mut request: RequestBuilder) -> Result<Lookup<Response>, FailedAttempt> {
        let token = tokio::time::timeout(TOKEN_TIMEOUT, self.tokens.token()).await;
        let token = token.unwrap_or_else(|_| Err(TokenError::timeout())).map_err(FailedAttempt::permanent)?;
        if let Some(token) = &token {
            request = request.bearer_auth(token);
        }
        if let Some(project) = &self.quota_project {
            request = request.header("x-goog-user-project", project);
        }
        let response = request.send().await.map_err(|cause| unanswered(api, &cause))?;
        match response.status() {
            status if status.is_success() => Ok(Lookup::Found(response)),
            StatusCode::NOT_FOUND => Ok(Lookup::Absent),
            StatusCode::UNAUTHORIZED => {
                let failed = self.refused(api, &method, path, response).await;
                let renewed = self.tokens.token_instead_of(token.as_deref()).await.map_err(FailedAttempt::permanent)?;
                let decision = if renewed == token { failed.decision } else { RetryDecision::Retry { after: Duration::ZERO } };
                Err(FailedAttempt { decision, ..failed })
            }
            _ => Err(self.refused(api, &method, path, response).await),
        }
    }

    /// The failure in an answer of another status than success.
    async fn refused(&self, api: Api, method: &Method, path: &str, response: Response) -> FailedAttempt {
        let (status, headers) = (response.status(), response.headers().clone());
        let body = match response.bytes().await {
            Ok(body) => body,
            Err(cause) => return unanswered(api, &cause),
        };
        // The page of a proxy is not JSON. Its status decides.
        let body: Value = serde_json::from_slice(&body).unwrap_or(Value::Null);
        let message = body["error"]["message"].as_str().unwrap_or("no message").to_owned();
        let is_disabled = ["has not been used in project", "is disabled"].iter().any(|text| message.contains(text));
        let (project, service) = (self.project.clone(), api.service());
        let error = match status.as_u16() {
            403 if is_disabled => ApiError::Disabled { service, project },
            403 => ApiError::Denied { role: role(api, method, path), project, message },
            401 => ApiError::Unauthenticated { service, message },
            status => ApiError::Status { service, status, message },
        };
        FailedAttempt { error, decision: RetryDecision::of_answer(status, &headers, &body) }
    }
}

/// Text as a value in a URL's query.
pub(crate) fn query_value(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

fn unanswered(api: Api, cause: &reqwest::Error) -> FailedAttempt {
    let error = ApiError::Unreachable { service: api.service(), cause: with_causes(cause) };
    FailedAttempt { error, decision: RetryDecision::of_transport_error(cause) }
}

/// Uses the proxy that the environment names, except for an emulator on this machine.
fn command_http(is_local: bool) -> Result<reqwest::Client, reqwest::Error> {
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

/// The smallest role that allows the request.
fn role(api: Api, method: &Method, path: &str) -> &'static str {
    match api {
        Api::Pubsub | Api::Storage | Api::Projects if path.ends_with("iam") || path.ends_with("getIamPolicy") => {
            "roles/iam.securityReviewer"
        }
        Api::BigQuery if path.ends_with("/data") => "roles/bigquery.dataViewer",
        Api::BigQuery if path.contains("/queries") => "roles/bigquery.user",
        Api::BigQuery if method != Method::GET => "roles/bigquery.dataEditor",
        Api::BigQuery => "roles/bigquery.metadataViewer",
        Api::Compute => "roles/compute.viewer",
        Api::Logging => "roles/logging.viewer",
        Api::Projects => "roles/browser",
        Api::Pubsub => "roles/pubsub.viewer",
        Api::Run => "roles/run.viewer",
        Api::Storage if path.contains("/o/") => "roles/storage.objectViewer",
        Api::Storage => "roles/storage.bucketViewer",
    }
}
