//! A stub of Google's APIs: read-only, with the resources of a deployment from a fixture.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use pixel_pipeline::decode::Schema;
use pixel_pipeline::schema_sql::{VIEWS, for_columns};
use pixel_pipeline::source::http::server;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::entry::fixture;
use super::gate::error_body;

/// The access token that the stub accepts.
pub const TOKEN: &str = "a-token";

/// The APIs on one port, each below the path of its name. The Cloud Run service is below `/service`.
pub struct Google {
    /// `http://127.0.0.1:PORT`
    pub url: String,
    answers: Arc<Mutex<Answers>>,
    server: JoinHandle<()>,
}

struct Answers {
    /// Status and body by method and path.
    of: BTreeMap<String, (StatusCode, Value)>,
    asked: Vec<String>,
}

impl Google {
    /// Starts with the deployment of the fixture, which has no errors.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let answers = Arc::new(Mutex::new(Answers { of: BTreeMap::new(), asked: Vec::new() }));
        let router = Router::new().fallback(answer).with_state(Arc::clone(&answers));
        let server = tokio::spawn(server::serve(listener, router, std::future::pending()));
        let google = Self { url, answers, server };
        google.reset();
        google
    }

    /// Restores the fixture and clears the recorded requests.
    pub fn reset(&self) {
        let text = fixture("deployment.json").replace("${URL}", &self.url);
        let mut resources: BTreeMap<String, Value> = serde_json::from_str(&text).unwrap();
        resources.extend(tables());
        resources.extend(monitoring());
        let mut answers = self.answers.lock().unwrap();
        answers.of = resources.into_iter().map(|(question, body)| (question, (StatusCode::OK, body))).collect();
        answers.of.insert("GET /service/health".to_owned(), (StatusCode::FORBIDDEN, Value::Null));
        answers.asked.clear();
    }

    /// Responds to a request with this status and an error with this message.
    pub fn refuse(&self, question: &str, status: u16, message: &str) {
        let error = error_body(status, message);
        self.replace(question, |answer| *answer = (StatusCode::from_u16(status).unwrap(), error));
    }

    /// Responds to a request with this resource.
    pub fn add(&self, question: &str, resource: Value) {
        self.answers.lock().unwrap().of.insert(question.to_owned(), (StatusCode::OK, resource));
    }

    /// Removes a resource.
    pub fn remove(&self, question: &str) {
        self.answers.lock().unwrap().of.remove(question).expect("it exists");
    }

    /// Replaces or adds the member at a JSON pointer; `null` removes it.
    pub fn change(&self, question: &str, pointer: &str, value: Value) {
        self.replace(question, |(_, body)| {
            let (parent, member) = pointer.rsplit_once('/').expect("a pointer begins with /");
            let parent = body.pointer_mut(parent).expect("the fixture has it");
            let member = member.replace("~1", "/");
            match (parent, value) {
                (Value::Object(object), Value::Null) => {
                    object.remove(&member).expect("the fixture has it");
                }
                (Value::Object(object), value) => {
                    object.insert(member, value);
                }
                (Value::Array(array), Value::Null) => {
                    array.remove(member.parse().unwrap());
                }
                (Value::Array(array), value) if member == array.len().to_string() => array.push(value),
                (array, value) => array[member.parse::<usize>().unwrap()] = value,
            }
        });
    }

    /// The body of the answer to a request.
    pub fn resource(&self, question: &str) -> Value {
        self.answers.lock().unwrap().of[question].1.clone()
    }

    /// Method and path of every request so far.
    pub fn asked(&self) -> Vec<String> {
        self.answers.lock().unwrap().asked.clone()
    }

    /// The environment variables that direct gcloud and the service to this stub.
    pub fn environment(&self) -> Vec<(String, String)> {
        let apis = ["BIGQUERY", "COMPUTE", "IAM", "LOGGING", "MONITORING", "PUBSUB", "RUN", "SECRETMANAGER", "STORAGE"]
            .map(|api| (api, api.to_ascii_lowercase()));
        let others = [("ARTIFACTREGISTRY", "artifacts"), ("CLOUDRESOURCEMANAGER", "projects"), ("SERVICEUSAGE", "services")];
        let all = apis.into_iter().chain(others.map(|(api, path)| (api, path.to_owned())));
        all.map(|(api, path)| (format!("CLOUDSDK_API_ENDPOINT_OVERRIDES_{api}"), format!("{}/{path}/", self.url))).collect()
    }

    fn replace(&self, question: &str, with: impl FnOnce(&mut (StatusCode, Value))) {
        let mut answers = self.answers.lock().unwrap();
        with(answers.of.get_mut(question).unwrap_or_else(|| panic!("the fixture has no {question}")));
    }
}

impl Drop for Google {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// Tables and views from the files in schema/.
fn tables() -> Vec<(String, Value)> {
    let read = |file: &str| std::fs::read_to_string(format!("{}/schema/{file}", env!("CARGO_MANIFEST_DIR"))).unwrap();
    let labels = json!({"pipeline": "pixel"});
    let mut resources = Vec::new();
    let mut add = |name: &str, resource: Value| {
        resources.push((format!("GET /bigquery/projects/my-project/datasets/parsed_pixel/tables/{name}"), resource))
    };
    for (name, file) in [("pixel", "pixel.json"), ("dead_letters", "dead_letters.json")] {
        let fields: Value = serde_json::from_str(&read(file)).unwrap();
        add(name, json!({"kind": "bigquery#table", "type": "TABLE", "labels": labels, "schema": {"fields": fields}}));
    }
    let columns = Schema::parse(&read("pixel.json")).unwrap();
    for (name, text) in VIEWS {
        let query = fill(&for_columns(text, &columns).unwrap());
        add(
            name,
            json!({"kind": "bigquery#table", "type": "VIEW", "labels": labels, "view": {"query": query.trim(), "useLegacySql": false}}),
        );
    }
    resources
}

/// Metrics, alerts and dashboard from the files in deploy/monitoring.
fn monitoring() -> Vec<(String, Value)> {
    let folder = format!("{}/deploy/monitoring", env!("CARGO_MANIFEST_DIR"));
    let read = |file: &str| serde_json::from_str::<Value>(&fill(&std::fs::read_to_string(file).unwrap())).unwrap();
    let files = |of: &str| {
        let mut files: Vec<String> =
            std::fs::read_dir(format!("{folder}/{of}")).unwrap().map(|file| file.unwrap().path().to_str().unwrap().to_owned()).collect();
        files.sort();
        files
    };
    let metrics = files("metrics").into_iter().map(|file| {
        let metric = read(&file);
        (format!("GET /logging/v2/projects/my-project/metrics/{}", metric["name"].as_str().unwrap()), metric)
    });
    let alerts = json!({"alertPolicies": files("alerts").iter().map(|file| read(file)).collect::<Vec<_>>()});
    let services = "GET /monitoring/v3/projects/my-project/services/pixel-pipeline";
    let checks = json!({"uptimeCheckConfigs": [read(&format!("{folder}/uptime/https.json"))]});
    let others = [
        ("GET /monitoring/v3/projects/my-project/alertPolicies".to_owned(), alerts),
        ("GET /monitoring/v3/projects/my-project/uptimeCheckConfigs".to_owned(), checks),
        (services.to_owned(), read(&format!("{folder}/slo/service.json"))),
        (format!("{services}/serviceLevelObjectives/stored"), read(&format!("{folder}/slo/objective.json"))),
        ("GET /monitoring/v1/projects/my-project/dashboards/pixel-pipeline".to_owned(), read(&format!("{folder}/dashboard.json"))),
    ];
    metrics.chain(others).collect()
}

fn fill(text: &str) -> String {
    let values = [
        ("PROJECT_ID", "my-project"),
        ("PIPELINE", "pixel"),
        ("REGION", "us-central1"),
        ("DATASET", "parsed_pixel"),
        ("TABLE_NAME", "pixel"),
        ("DEAD_LETTER_TABLE", "dead_letters"),
        ("NO_EVENTS_AFTER", "24h"),
        ("HOST", "track.example.com"),
        ("PATH", "/pixel.png"),
        ("PIXEL_HOSTS", "\\\"track.example.com\\\""),
        ("PIXEL_HOST_COUNT", "1"),
        ("PIXEL_HOST_PATTERN", "track[.]example[.]com"),
    ];
    values.iter().fold(text.to_owned(), |text, (name, value)| text.replace(&format!("${{{name}}}"), value))
}

async fn answer(State(answers): State<Arc<Mutex<Answers>>>, request: Request) -> Response {
    let question = format!("{} {}", request.method(), request.uri().path());
    let token = request.headers().get("authorization").map(|value| value.to_str().unwrap().to_owned());
    let mut answers = answers.lock().unwrap();
    answers.asked.push(question.clone());
    if question.starts_with("GET /service/") {
        assert_eq!(token, None, "an unauthenticated request has no token");
    } else if token != Some(format!("Bearer {TOKEN}")) {
        return (StatusCode::UNAUTHORIZED, error_body(401, "invalid token").to_string()).into_response();
    }
    let missing = || (StatusCode::NOT_FOUND, error_body(404, &format!("not found: {question}")));
    let (status, body) = answers.of.get(&question).cloned().unwrap_or_else(missing);
    (status, body.to_string()).into_response()
}
