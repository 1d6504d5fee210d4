//! Requests to Google's APIs over REST, with the caller's credentials. Transient failures are retried.
//!
//! It sends and reads JSON and knows no resource. Only the API's own error that a resource does not exist is
//! [`Lookup::Absent`]. Every other failure is an [`ApiError`], and so is an answer that is no resource, such as `{}`.

use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use reqwest::header::HeaderValue;
use reqwest::redirect::Policy;
use reqwest::{Method, Request, Response, StatusCode};
use serde_json::Value;

use super::body::{BodyError, read_body};
use super::credentials::{TokenError, Tokens};
use super::endpoints::{Api, Endpoints};
use super::error::{ApiError, ApiResult, Lookup};
use super::error_body::ErrorBody;
use super::list::{ListMethod, Pages};
use super::resource::{read_page, read_resource};
use super::retry::{FailedAttempt, RetryDecision, RetryPolicy};
use super::role::role;
use super::transport::{self, Transport, TransportError};

/// For one request of a command.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(30);
/// For one request of the service.
const SERVICE_TIMEOUT: Duration = Duration::from_secs(10);
/// Longest download: an archived object holds an hour of entries.
const DOWNLOAD_TIMEOUT: Duration = Duration::from_secs(3600);
/// A metadata server answers in milliseconds or not at all.
const TOKEN_TIMEOUT: Duration = Duration::from_secs(10);

/// Longest answer that a command reads: BigQuery's pages have up to 20 MB, and one row of a page may be as large again.
const MAX_COMMAND_BYTES: usize = 64 << 20;
/// Longest answer that the service reads: a schema of 10,000 columns.
const MAX_SERVICE_BYTES: usize = 8 << 20;
/// Longest error that is read.
const MAX_ERROR_BYTES: usize = 64 << 10;

/// A client with credentials.
#[derive(Debug)]
pub struct Client {
    transport: Arc<dyn Transport>,
    endpoints: Endpoints,
    tokens: Tokens,
    /// The project that pays for the requests.
    quota_project: Option<String>,
    /// The project that errors name.
    project: String,
    retry: RetryPolicy,
    timeout: Duration,
    max_answer_bytes: usize,
    /// A bit for each API that has answered a request.
    answered: AtomicU16,
}

impl Client {
    /// A client for a command.
    pub(crate) async fn new(endpoints: Endpoints, tokens: Tokens, project: &str) -> Result<Self, reqwest::Error> {
        let quota_project = tokens.quota_project().await;
        Ok(Self {
            transport: Arc::new(command_http(matches!(tokens, Tokens::None))?),
            endpoints,
            tokens,
            quota_project,
            project: project.to_owned(),
            retry: RetryPolicy::COMMAND,
            timeout: COMMAND_TIMEOUT,
            max_answer_bytes: MAX_COMMAND_BYTES,
            answered: AtomicU16::new(0),
        })
    }

    /// A client of the service, which repeats failed requests itself.
    pub(crate) fn of_service(transport: Arc<dyn Transport>, endpoints: Endpoints, tokens: Tokens, project: &str) -> Self {
        Self {
            transport,
            endpoints,
            tokens,
            quota_project: None,
            project: project.to_owned(),
            retry: RetryPolicy::ONCE,
            timeout: SERVICE_TIMEOUT,
            max_answer_bytes: MAX_SERVICE_BYTES,
            answered: AtomicU16::new(0),
        }
    }

    /// Gets a page without credentials, from anything but Google's APIs.
    pub(crate) async fn get_page(&self, url: &str) -> Result<Response, TransportError> {
        self.transport.send(transport::request(Method::GET, transport::parse_url(url)?, self.timeout)).await
    }

    /// Gets a resource. `path` follows the API's version.
    pub(crate) async fn get(&self, api: Api, path: &str) -> ApiResult<Lookup<Value>> {
        self.json(api, Method::GET, path, None, read_resource).await
    }

    /// Posts JSON.
    pub(crate) async fn post(&self, api: Api, path: &str, body: &Value) -> ApiResult<Lookup<Value>> {
        self.json(api, Method::POST, path, Some(body), read_resource).await
    }

    /// Deletes a resource. The answer is empty.
    pub(crate) async fn delete(&self, api: Api, path: &str) -> ApiResult<Lookup<()>> {
        let attempt = || async {
            let Lookup::Found(response) = self.send(api, Method::DELETE, path, self.request(api, Method::DELETE, path)?).await? else {
                return Ok(Lookup::Absent);
            };
            match self.body(api, response).await?.trim_ascii() {
                b"" | b"{}" => Ok(Lookup::Found(())),
                _ => Err(FailedAttempt::permanent(ApiError::unreadable(api, "the answer to a DELETE is not empty"))),
            }
        };
        self.retry.run(api.service(), attempt).await
    }

    /// Every item of a list, page by page. `path` may have a query.
    pub(crate) async fn list(&self, method: &ListMethod, path: &str) -> ApiResult<Lookup<Vec<Value>>> {
        let separator = if path.contains('?') { '&' } else { '?' };
        let (mut pages, mut url) = (Pages::new(method), path.to_owned());
        loop {
            let read = if method.is_without_kind() { read_page } else { read_resource };
            let Lookup::Found(page) = self.json(method.api, Method::GET, &url, None, read).await? else { return Ok(Lookup::Absent) };
            let Some(token) = pages.add(page)? else { return pages.items().map(Lookup::Found) };
            url = format!("{path}{separator}pageToken={}", query_value(&token));
        }
    }

    /// Starts to download an object. What fails after that is not retried.
    pub(crate) async fn download(&self, path: &str) -> ApiResult<Lookup<Response>> {
        let api = Api::Storage;
        let attempt = || async {
            let mut request = self.request(api, Method::GET, path)?;
            *request.timeout_mut() = Some(DOWNLOAD_TIMEOUT);
            self.send(api, Method::GET, path, request).await
        };
        self.retry.run(api.service(), attempt).await
    }

    async fn json(
        &self,
        api: Api,
        method: Method,
        path: &str,
        body: Option<&Value>,
        read: fn(Api, &[u8]) -> ApiResult<Value>,
    ) -> ApiResult<Lookup<Value>> {
        let attempt = || async {
            let mut request = self.request(api, method.clone(), path)?;
            if let Some(body) = body {
                transport::set_json(&mut request, body.to_string());
            }
            match self.send(api, method.clone(), path, request).await? {
                Lookup::Found(response) => {
                    let answer = self.body(api, response).await?;
                    read(api, &answer).map(Lookup::Found).map_err(FailedAttempt::permanent)
                }
                Lookup::Absent => Ok(Lookup::Absent),
            }
        };
        self.retry.run(api.service(), attempt).await
    }

    fn request(&self, api: Api, method: Method, path: &str) -> Result<Request, FailedAttempt> {
        let url = format!("{}/{path}", self.endpoints.base(api));
        let url = transport::parse_url(&url).map_err(|cause| self.unanswered(api, &cause))?;
        Ok(transport::request(method, url, self.timeout))
    }

    async fn body(&self, api: Api, response: Response) -> Result<Vec<u8>, FailedAttempt> {
        read_body(response, self.max_answer_bytes).await.map_err(|error| match error {
            BodyError::Transport(cause) => self.unanswered(api, &cause.into()),
            BodyError::TooLarge { .. } => FailedAttempt::permanent(ApiError::unreadable(api, error.to_string())),
        })
    }

    /// One attempt.
    async fn send(&self, api: Api, method: Method, path: &str, mut request: Request) -> Result<Lookup<Response>, FailedAttempt> {
        let token = tokio::time::timeout(TOKEN_TIMEOUT, self.tokens.token()).await;
        let token = token.unwrap_or_else(|_| Err(TokenError::timeout())).map_err(FailedAttempt::permanent)?;
        if let Some(token) = &token {
            transport::authorize(&mut request, token).map_err(|cause| self.unanswered(api, &cause))?;
        }
        if let Some(project) = self.quota_project.as_ref().and_then(|project| HeaderValue::from_str(project).ok()) {
            request.headers_mut().insert("x-goog-user-project", project);
        }
        let response = self.transport.send(request).await.map_err(|cause| self.unanswered(api, &cause))?;
        self.answered.fetch_or(1 << api as u16, Ordering::Relaxed);
        let status = match response.status() {
            StatusCode::OK | StatusCode::NO_CONTENT => return Ok(Lookup::Found(response)),
            status => status,
        };
        let headers = response.headers().clone();
        let body = match read_body(response, MAX_ERROR_BYTES).await {
            Ok(body) => body,
            // The status is known.
            Err(BodyError::TooLarge { .. }) => Vec::new(),
            Err(BodyError::Transport(cause)) => return Err(self.unanswered(api, &cause.into())),
        };
        // The page of a proxy is not Google's error. Its status decides, and it is never an absent resource.
        let body = ErrorBody::read(status.as_u16(), &body);
        if status == StatusCode::NOT_FOUND && body.as_ref().is_some_and(ErrorBody::is_not_found) {
            return Ok(Lookup::Absent);
        }
        let (message, reasons) = match body {
            Some(body) => (body.message, body.reasons),
            None => ("an answer without Google's error body".to_owned(), Vec::new()),
        };
        let mut decision = RetryDecision::of_answer(status, &headers, &reasons);
        if status == StatusCode::UNAUTHORIZED {
            let renewed = self.tokens.token_instead_of(token.as_deref()).await.map_err(FailedAttempt::permanent)?;
            if renewed != token {
                decision = RetryDecision::Retry { after: Duration::ZERO };
            }
        }
        Err(FailedAttempt { error: self.refusal(api, &method, path, status, message), decision })
    }

    /// The error of a request without a whole answer.
    fn unanswered(&self, api: Api, cause: &TransportError) -> FailedAttempt {
        let has_answered = self.answered.load(Ordering::Relaxed) & 1 << api as u16 != 0;
        let decision = RetryDecision::of_transport_error(cause, has_answered);
        let error = ApiError::Unreachable { service: api.service(), cause: format!("{}: {cause}", self.endpoints.base(api)) };
        FailedAttempt { error, decision }
    }

    /// The error in an answer of another status than success.
    fn refusal(&self, api: Api, method: &Method, path: &str, status: StatusCode, message: String) -> ApiError {
        let is_disabled = ["has not been used in project", "is disabled"].iter().any(|text| message.contains(text));
        let (project, service) = (self.project.clone(), api.service());
        match status.as_u16() {
            403 if is_disabled => ApiError::Disabled { service, project },
            403 => ApiError::Denied { role: role(api, method, path), project, message },
            401 => ApiError::Unauthenticated { service, message },
            status => ApiError::Status { service, status, message },
        }
    }
}

/// Text as a value in a URL's query.
pub(crate) fn query_value(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

/// Text as one segment of a path, in which + is itself.
pub(crate) fn path_segment(text: &str) -> String {
    query_value(text).replace('+', "%20")
}

/// Uses the proxy that the environment names, except for an emulator on this machine.
fn command_http(is_local: bool) -> Result<reqwest::Client, reqwest::Error> {
    let mut http = reqwest::Client::builder()
        .connect_timeout(Duration::from_secs(5))
        .redirect(Policy::none())
        .user_agent(concat!("pixel-pipeline/", env!("CARGO_PKG_VERSION")));
    if is_local {
        http = http.no_proxy();
    }
    http.build()
}
