//! The insert floor: the parse floor, and one insertAll for each message by a bare HTTP client with keep-alive. It makes no
//! batches, repeats nothing and checks no row's result: it is the limit for a row that is sent at once.
mod parse;
mod server;

use axum::{Router, extract::State, http::StatusCode, routing::post};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{Request, client::conn::http1, header};
use hyper_util::rt::TokioIo;
use std::sync::{Arc, Mutex};
use tokio::net::TcpStream;

struct Floor {
    valid: Vec<String>,
    /// host:port of BigQuery.
    host: String,
    path: String,
    /// Connections without a request, the last used one last.
    idle: Mutex<Vec<http1::SendRequest<Full<Bytes>>>>,
}

type Error = Box<dyn std::error::Error + Send + Sync>;

impl Floor {
    fn from_env() -> Self {
        let var = |name: &str| std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set"));
        let base = var("BIGQUERY_BASE_URL");
        let host = base.strip_prefix("http://").expect("BIGQUERY_BASE_URL is an http:// URL").trim_end_matches('/').to_owned();
        let (project, dataset, table) = (var("GOOGLE_CLOUD_PROJECT"), var("DATASET"), var("TABLE_NAME"));
        let path = format!("/bigquery/v2/projects/{project}/datasets/{dataset}/tables/{table}/insertAll?prettyPrint=false");
        Self { valid: parse::valid_attributes(), host, path, idle: Mutex::default() }
    }

    async fn insert(&self, body: Vec<u8>) -> Result<bool, Error> {
        let idle = self.idle.lock().expect("no panics").pop();
        let mut connection = match idle {
            Some(connection) => connection,
            None => self.connect().await?,
        };
        connection.ready().await?;
        let request = Request::post(&self.path)
            .header(header::HOST, &self.host)
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::AUTHORIZATION, "Bearer fake-token")
            .body(Full::new(body.into()))?;
        let response = connection.send_request(request).await?;
        let is_ok = response.status() == 200;
        let answer = response.into_body().collect().await?.to_bytes();
        self.idle.lock().expect("no panics").push(connection);
        Ok(is_ok && memchr::memmem::find(&answer, b"insertErrors").is_none())
    }

    async fn connect(&self) -> Result<http1::SendRequest<Full<Bytes>>, Error> {
        let stream = TcpStream::connect(&self.host).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(async move { drop(connection.await) });
        Ok(sender)
    }
}

/// The insertAll body of one row.
fn insert_body(event: &parse::Event, user: &str) -> Vec<u8> {
    let mut out = format!(r#"{{"templateSuffix":"_{user}","rows":[{{"insertId":"{}","json":{{"#, event.message_id).into_bytes();
    for (at, (name, value)) in event.kept.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        serde_json::to_writer(&mut out, name).expect("a Vec takes everything");
        out.push(b':');
        serde_json::to_writer(&mut out, value).expect("a Vec takes everything");
    }
    out.extend_from_slice(b"}}]}");
    out
}

async fn push(State(floor): State<Arc<Floor>>, body: Bytes) -> StatusCode {
    let insert = parse::parse(&body, &floor.valid, |event| event.user.as_deref().map(|user| insert_body(event, user)));
    let Some(Some(insert)) = insert else { return StatusCode::NO_CONTENT };
    match floor.insert(insert).await {
        Ok(true) => StatusCode::NO_CONTENT,
        Ok(false) | Err(_) => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

fn main() {
    server::block_on(server::serve(Router::new().route("/", post(push)).with_state(Arc::new(Floor::from_env()))))
}
