//! Access tokens, against a metadata server and a BigQuery that checks them.
//!
//! The BigQuery emulator accepts every token, so this is a stub: it has one table and checks the `Authorization` header.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use pixel_pipeline::source::http::server;
use serde_json::json;
use tokio::net::TcpListener;

use crate::support::service::command;
use crate::support::{Entry, Service};

/// Metadata server and BigQuery in one. The number of each new token is one higher.
#[derive(Default)]
struct Google {
    tokens: AtomicU32,
    /// Tokens below this one are refused.
    valid_from: AtomicU32,
    /// insertAll requests with such a token. Other requests are not counted, because the service reads the dead-letter
    /// table shortly after it is ready, with any token.
    refused: AtomicU32,
    inserted: AtomicU32,
}

async fn start() -> (Arc<Google>, String) {
    let google = Arc::new(Google::default());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let router = Router::new().fallback(answer).with_state(Arc::clone(&google));
    tokio::spawn(server::serve(listener, router, std::future::pending()));
    (google, address)
}

async fn answer(State(google): State<Arc<Google>>, request: Request) -> Response {
    let path = request.uri().path();
    if path.ends_with("/token") {
        let number = google.tokens.fetch_add(1, Ordering::SeqCst) + 1;
        let token = json!({"access_token": format!("token-{number}"), "expires_in": 3599, "token_type": "Bearer"});
        return ([("metadata-flavor", "Google"), ("content-type", "application/json")], token.to_string()).into_response();
    }
    let is_insert = request.method() == Method::POST && path.ends_with("/insertAll");
    let token = request.headers().get("authorization").and_then(|value| value.to_str().ok()?.strip_prefix("Bearer token-")?.parse().ok());
    if token.is_none_or(|token: u32| token < google.valid_from.load(Ordering::SeqCst)) {
        if is_insert {
            google.refused.fetch_add(1, Ordering::SeqCst);
        }
        let error = json!({"error": {"code": 401, "message": "Invalid Credentials", "errors": [{"reason": "authError"}]}});
        return (StatusCode::UNAUTHORIZED, error.to_string()).into_response();
    }
    if is_insert {
        google.inserted.fetch_add(1, Ordering::SeqCst);
        return r#"{"kind":"bigquery#tableDataInsertAllResponse"}"#.into_response();
    }
    let columns: Vec<_> = ["order_id", "type", "user_id"].iter().map(|name| json!({"name": name, "type": "STRING"})).collect();
    json!({"kind": "bigquery#table", "type": "TABLE", "schema": {"fields": columns}}).to_string().into_response()
}

async fn serve(address: &str) -> Service {
    let mut serve = command("serve");
    serve.env("BIGQUERY_ENDPOINT", format!("http://{address}")).env("GCE_METADATA_HOST", address);
    let service = Service::spawn(serve, &[]).await;
    service.wait_until_ready().await;
    service
}

#[tokio::test]
async fn one_token_serves_many_inserts() {
    let (google, address) = start().await;
    let service = serve(&address).await;
    for _ in 0..20 {
        assert_eq!(service.push(Entry::of_query("user_id=u").pushed()).await.status, 204);
    }
    assert_eq!(google.inserted.load(Ordering::SeqCst), 20);
    assert_eq!(google.tokens.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_token_that_is_refused_is_replaced_once_and_the_row_stored() {
    let (google, address) = start().await;
    let service = serve(&address).await;
    google.valid_from.store(2, Ordering::SeqCst);
    assert_eq!(service.push(Entry::of_query("user_id=u").pushed()).await.status, 204);
    assert_eq!(google.refused.load(Ordering::SeqCst), 1);
    assert_eq!(google.tokens.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_new_token_that_is_refused_too_nacks_the_message() {
    let (google, address) = start().await;
    let service = serve(&address).await;
    google.valid_from.store(u32::MAX, Ordering::SeqCst);
    assert_eq!(service.push(Entry::of_query("user_id=u").pushed()).await.status, 503);
    assert_eq!(service.metric("pixel_pipeline_deliveries_total{outcome=\"retry\",reason=\"denied\"}").await, 1.0);
    assert_eq!(google.refused.load(Ordering::SeqCst), 2, "once with the old token, once with a new one");
}
