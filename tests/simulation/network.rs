//! The way from an instance to BigQuery: latency, lost connections, and the faults of the plan.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use axum::body::Body;
use axum::http::header::{AUTHORIZATION, CONTENT_ENCODING};
use axum::http::{HeaderMap, Method};
use pixel_pipeline::google::{Transport, TransportError};
use reqwest::{Request, Response};
use tokio::sync::oneshot;

use crate::bigquery::{Answer, DEAD_LETTERS, Insert};
use crate::checker::table_of;
use crate::faults::{FaultKind, Target};
use crate::world::World;

const BASE: &str = "/bigquery/v2/projects/p/datasets/d/tables";
/// Longer than any request waits.
const FOREVER_MILLIS: u64 = 90_000;

/// The connection of one instance.
#[derive(Debug)]
pub struct Network {
    pub world: Arc<World>,
    pub instance: usize,
}

/// A request that BigQuery has received.
struct Received {
    world: Arc<World>,
    instance: usize,
    fault: Option<FaultKind>,
    token: Option<u64>,
    call: Call,
}

/// What it asks for.
enum Call {
    Insert { table: String, suffix: String, body: Vec<u8> },
    Get { table: String },
    Create { table: String },
    CreateDataset,
}

#[async_trait]
impl Transport for Network {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        let Some(timeout) = request.timeout().copied() else {
            self.world.violate(format!("{} has no timeout", request.url()));
            return Err(TransportError::Unreachable("no timeout".to_owned()));
        };
        let answer = tokio::time::timeout(timeout, self.exchange(request, timeout)).await;
        answer.unwrap_or_else(|_| Err(TransportError::Unreachable("timeout".to_owned())))
    }
}

impl Network {
    async fn exchange(&self, mut request: Request, timeout: Duration) -> Result<Response, TransportError> {
        let body = match request.body_mut().take() {
            Some(body) => axum::body::to_bytes(Body::new(body), usize::MAX).await.expect("the body is in memory").to_vec(),
            None => Vec::new(),
        };
        let body = decompressed(request.headers(), body);
        let path = request.url().path();
        let rest = path.strip_prefix(BASE);
        let world = Arc::clone(&self.world);
        let token = token(request.headers());
        match (request.method(), rest) {
            (&Method::POST, Some(rest)) if rest.ends_with("/insertAll") => {
                let table = rest.trim_start_matches('/').trim_end_matches("/insertAll").to_owned();
                self.insert(table, body, token, timeout).await
            }
            (method, _) => {
                let call = match (method, rest) {
                    (&Method::GET, Some(table)) => Call::Get { table: table.trim_start_matches('/').to_owned() },
                    (&Method::POST, Some("")) => {
                        let resource: serde_json::Value = serde_json::from_slice(&body).expect("a table resource");
                        let table = resource["tableReference"]["tableId"].as_str().expect("a table id").to_owned();
                        Call::Create { table }
                    }
                    (&Method::POST, None) if path == "/bigquery/v2/projects/p/datasets" => Call::CreateDataset,
                    _ => panic!("unexpected request: {} {path}", request.method()),
                };
                let fault = world.roll(|target| target == Target::Tables);
                let answer = self.answer(Received { world: Arc::clone(&world), instance: self.instance, fault, token, call }).await?;
                world.note(|| format!("i{} {} {path}: {} {}", self.instance, request.method(), answer.status, answer.body));
                Ok(response(answer))
            }
        }
    }

    async fn insert(&self, table: String, body: Vec<u8>, token: Option<u64>, timeout: Duration) -> Result<Response, TransportError> {
        let world = &self.world;
        let insert: Insert<'_> = match serde_json::from_slice(&body) {
            Ok(insert) => insert,
            Err(error) => {
                world.violate(format!("the body of an insertAll is wrong: {error}"));
                return Err(TransportError::ConnectionLost("a wrong body".to_owned()));
            }
        };
        if !insert.skip_invalid_rows {
            world.violate("an insertAll does not skip invalid rows".to_owned());
        }
        let suffix = insert.template_suffix.clone().unwrap_or_default();
        let name = format!("{table}{suffix}");
        let fault = world.roll(|target| match target {
            Target::Inserts => true,
            Target::DeadLetters => table == DEAD_LETTERS,
            Target::User(user) => name == table_of(world.settings, user),
            Target::Tables | Target::Tokens => false,
        });
        world.checker().insert_begins(self.instance, &name, &insert.rows, timeout, world.now());
        let _in_flight = InFlight { world, instance: self.instance };
        drop(insert);
        let call = Call::Insert { table, suffix, body };
        let answer = self.answer(Received { world: Arc::clone(world), instance: self.instance, fault, token, call }).await?;
        world.checker().insert_answered(self.instance, &name, &answer, world.now());
        Ok(response(answer))
    }

    /// BigQuery works on, also if the instance does not wait for the answer.
    async fn answer(&self, received: Received) -> Result<Answer, TransportError> {
        let (reply, answer) = oneshot::channel();
        tokio::spawn(received.process(reply));
        answer.await.map_err(|_| TransportError::ConnectionLost("connection reset".to_owned()))
    }
}

impl Received {
    async fn process(self, reply: oneshot::Sender<Answer>) {
        let Self { world, instance, fault, .. } = &self;
        let latency = match fault {
            Some(FaultKind::Slow { millis }) => *millis,
            // An error is answered at once.
            Some(FaultKind::Error { .. } | FaultKind::Page { .. }) => 1,
            _ => world.random(2..40),
        };
        world.sleep(latency / 2).await;
        world.may_kill(*instance);
        let answer = self.execute();
        world.may_kill(*instance);
        match fault {
            Some(FaultKind::Hang { .. }) => world.sleep(FOREVER_MILLIS).await,
            _ => world.sleep(latency - latency / 2).await,
        }
        if let Some(answer) = answer {
            // Fails if the instance does not wait any more.
            let _ = reply.send(answer);
        }
    }

    /// The answer; `None` if the connection is lost.
    fn execute(&self) -> Option<Answer> {
        if !self.world.bigquery().accepts(self.token) {
            return Some(Answer::error(401, "authError", "Invalid Credentials"));
        }
        match self.fault {
            Some(FaultKind::Error { status, reason, retry_after }) => {
                Some(Answer { retry_after, ..Answer::error(status, reason, "simulated") })
            }
            Some(FaultKind::Page { status }) => Some(Answer { status, retry_after: None, body: "<html>proxy</html>".to_owned() }),
            Some(FaultKind::BadTable) => Some(Answer::error(400, "invalid", "The table is wrong.")),
            Some(FaultKind::Lost { is_stored } | FaultKind::Hang { is_stored }) => {
                if is_stored {
                    self.normal_answer();
                }
                None
            }
            Some(FaultKind::Unreadable { body, is_stored }) => {
                if is_stored {
                    self.normal_answer();
                }
                Some(Answer::ok(body))
            }
            Some(FaultKind::StoredThenFailed) => {
                self.normal_answer();
                Some(Answer::error(503, "backendError", "simulated"))
            }
            None | Some(FaultKind::Slow { .. } | FaultKind::Rows { .. } | FaultKind::AllStopped) => Some(self.normal_answer()),
        }
    }

    fn normal_answer(&self) -> Answer {
        let (world, now) = (&self.world, self.world.now());
        match &self.call {
            Call::Get { table } => world.bigquery().get(table, now),
            Call::Create { table } => {
                world.note(|| format!("{table} is created"));
                if world.bigquery().create(table, now) {
                    Answer::ok(format!(r#"{{"kind":"bigquery#table","tableReference":{{"tableId":"{table}"}}}}"#))
                } else {
                    Answer::error(409, "duplicate", "Already Exists")
                }
            }
            Call::CreateDataset => Answer::error(409, "duplicate", "Already Exists"),
            Call::Insert { table, suffix, body } => {
                let insert: Insert<'_> = serde_json::from_slice(body).expect("it was read before");
                let mut fails = BTreeMap::new();
                match self.fault {
                    Some(FaultKind::Rows { reason }) => {
                        fails.extend((0..insert.rows.len()).filter(|_| world.random(0..2) == 0).map(|index| (index, reason)))
                    }
                    Some(FaultKind::AllStopped) => fails.extend((0..insert.rows.len()).map(|index| (index, "stopped"))),
                    _ => {}
                }
                let mut checker = world.checker();
                world.bigquery().insert((table, suffix), &insert.rows, now, &fails, &mut checker)
            }
        }
    }
}

/// An insert in flight, until its instance does not wait for it any more.
struct InFlight<'a> {
    world: &'a World,
    instance: usize,
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.world.checker().insert_ends(self.instance);
    }
}

fn response(answer: Answer) -> Response {
    let mut response = axum::http::Response::builder().status(answer.status);
    if let Some(seconds) = answer.retry_after {
        response = response.header("retry-after", seconds);
    }
    response.body(answer.body).expect("valid headers").into()
}

fn token(headers: &HeaderMap) -> Option<u64> {
    headers.get(AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer t")?.parse().ok()
}

fn decompressed(headers: &HeaderMap, body: Vec<u8>) -> Vec<u8> {
    if headers.get(CONTENT_ENCODING).is_none() {
        return body;
    }
    let mut text = Vec::new();
    flate2::read::GzDecoder::new(&body[..]).read_to_end(&mut text).expect("a gzip body");
    text
}
