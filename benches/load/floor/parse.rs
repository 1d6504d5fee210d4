//! Shared by two floors: envelope JSON -> base64 -> LogEntry JSON -> URL -> kept query parameters.
use base64::{Engine, engine::general_purpose::STANDARD};
use serde::Deserialize;
use std::borrow::Cow;

/// What is kept of a message.
pub struct Event<'a> {
    #[allow(dead_code, reason = "one of the floors does not read it")]
    pub message_id: &'a str,
    pub user: Option<Cow<'a, str>>,
    pub kept: Vec<(Cow<'a, str>, Cow<'a, str>)>,
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    message: Message<'a>,
    #[serde(borrow, default)]
    subscription: Cow<'a, str>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Message<'a> {
    #[serde(borrow)]
    data: Cow<'a, str>,
    #[serde(borrow, default)]
    message_id: Cow<'a, str>,
    #[serde(borrow, default)]
    publish_time: Cow<'a, str>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct LogEntry<'a> {
    #[serde(borrow)]
    http_request: HttpRequest<'a>,
    #[serde(borrow, default)]
    insert_id: Cow<'a, str>,
    #[serde(borrow, default)]
    timestamp: Cow<'a, str>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct HttpRequest<'a> {
    #[serde(borrow)]
    request_url: Cow<'a, str>,
}

/// Parses a push body, and calls `f` with the event.
pub fn parse<T>(body: &[u8], valid: &[String], f: impl FnOnce(&Event) -> T) -> Option<T> {
    let env: Envelope = serde_json::from_slice(body).ok()?;
    let data = STANDARD.decode(env.message.data.as_bytes()).ok()?;
    let entry: LogEntry = serde_json::from_slice(&data).ok()?;
    let url = url::Url::parse(&entry.http_request.request_url).ok()?;
    let mut event = Event { message_id: &env.message.message_id, user: None, kept: Vec::with_capacity(valid.len()) };
    for (k, v) in url.query_pairs() {
        if k == "user_id" {
            event.user = Some(v.clone());
        }
        if valid.iter().any(|a| *a == k) {
            event.kept.push((k, v));
        }
    }
    std::hint::black_box((&env.subscription, &env.message.publish_time, &entry.insert_id, &entry.timestamp));
    Some(f(&event))
}

/// VALID_ATTRIBUTES.
pub fn valid_attributes() -> Vec<String> {
    let valid = std::env::var("VALID_ATTRIBUTES").unwrap_or_else(|_| "order_id,type,user_id".into());
    valid.split(',').map(|s| s.trim().to_string()).filter(|s| !s.is_empty()).collect()
}
