//! The state of the deployment: the answer of the API about each resource of the description, requested at once.

use std::collections::BTreeMap;

use futures_util::future::join_all;
use reqwest::StatusCode;
use serde_json::{Value, json};

use super::link::{Fault, absent};
use super::part::Part;
use crate::google::list::ListMethod;
use crate::google::{Api, ApiError, ApiResult, Client, Lookup};

/// How to read a resource.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    request: Request,
    /// The resource is the first item of a list with these members: JSON pointers and texts.
    item: Option<Vec<(&'static str, String)>>,
}

#[derive(Debug, Clone)]
enum Request {
    Get(Api, String),
    /// For a resource that the API returns for a POST.
    Post(Api, String),
    List(&'static ListMethod, String),
}

/// The answers by request.
#[derive(Debug)]
pub(crate) struct State {
    answers: BTreeMap<String, ApiResult<Lookup<Value>>>,
    /// The service's answer to a request without a token; `None` if it has no URL.
    pub(crate) unauthenticated: Option<Result<StatusCode, String>>,
}

impl Source {
    pub(crate) fn get(api: Api, path: impl Into<String>) -> Self {
        Self { request: Request::Get(api, path.into()), item: None }
    }

    pub(crate) fn post(api: Api, path: impl Into<String>) -> Self {
        Self { request: Request::Post(api, path.into()), item: None }
    }

    pub(crate) fn list(method: &'static ListMethod, path: impl Into<String>) -> Self {
        Self { request: Request::List(method, path.into()), item: None }
    }

    /// The item of a list that has these members.
    pub(crate) fn item(self, members: Vec<(&'static str, String)>) -> Self {
        Self { item: Some(members), ..self }
    }
}

impl Request {
    fn key(&self) -> String {
        match self {
            Self::Get(api, path) => format!("GET {api:?} {path}"),
            Self::Post(api, path) => format!("POST {api:?} {path}"),
            Self::List(method, path) => format!("LIST {:?} {path}", method.api),
        }
    }

    async fn send(&self, google: &Client) -> ApiResult<Lookup<Value>> {
        match self {
            Self::Get(api, path) => google.get(*api, path).await,
            Self::Post(api, path) => google.post(*api, path, &json!({})).await,
            Self::List(method, path) => Ok(match google.list(method, path).await? {
                Lookup::Found(items) => Lookup::Found(Value::Array(items)),
                Lookup::Absent => Lookup::Absent,
            }),
        }
    }
}

impl State {
    /// Reads the resource of each part once.
    pub(crate) async fn fetch(google: &Client, parts: &[Part], service: Option<&Source>) -> Self {
        let sources = parts.iter().flat_map(|part| std::iter::once(&part.source).chain(&part.needs));
        let requests: BTreeMap<String, &Request> = sources.map(|source| (source.request.key(), &source.request)).collect();
        let answers = requests.into_iter().map(|(key, request)| async move { (key, request.send(google).await) });
        let mut state = Self { answers: join_all(answers).await.into_iter().collect(), unauthenticated: None };
        let url = service.and_then(|service| state.get(service).ok()??["status"]["url"].as_str().map(str::to_owned));
        if let Some(url) = url {
            // Every caller that Cloud Run lets through gets this page.
            let answer = google.get_page(&format!("{url}/health")).await;
            state.unauthenticated = Some(answer.map(|answer| answer.status()).map_err(|error| error.to_string()));
        }
        state
    }

    /// The resource; `None` if the API answers that it does not exist.
    pub(crate) fn get(&self, source: &Source) -> Result<Option<&Value>, Fault> {
        let answer = self.answers.get(&source.request.key()).expect("a part that needs a resource names its source");
        match (answer, &source.item) {
            (Ok(Lookup::Found(value)), None) => Ok(Some(value)),
            (Ok(Lookup::Found(items)), Some(members)) => {
                let has = |item: &&Value| members.iter().all(|(pointer, text)| item.pointer(pointer).is_some_and(|found| found == text));
                Ok(items.as_array().into_iter().flatten().find(has))
            }
            (Ok(Lookup::Absent), _) => Ok(None),
            (Err(error), _) => Err(error.into()),
        }
    }

    /// The resource, for a part that depends on it.
    pub(crate) fn needed(&self, source: &Source, resource: &str) -> Result<&Value, Fault> {
        self.get(source)?.ok_or_else(|| Fault::unknown(absent(resource)))
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
