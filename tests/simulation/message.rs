//! The messages of a run, as Pub/Sub pushes them.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use fastrand::Rng;

/// What is to become of a message, if everything works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A row of its table.
    Valid,
    /// Acknowledged, and stored nowhere.
    Filtered,
    /// A dead letter: it cannot become a row.
    Bad,
    /// A dead letter: BigQuery refuses its row.
    Poison(Poison),
}

/// How BigQuery refuses a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Poison {
    /// The row alone, with a message.
    Row,
    /// The row, and each other row of the request without a message.
    Neighbours,
    /// The whole request.
    Request,
}

/// Data that is pushed as it is.
const NOT_BASE64: &str = "no base64!";

/// A message.
#[derive(Debug)]
pub struct Message {
    pub id: usize,
    pub kind: Kind,
    pub user: usize,
    pub published: Duration,
    /// Its data.
    pub data: Bytes,
    /// The body of its push.
    pub body: Bytes,
}

/// The parameter `type` of the pixel, by which the simulated BigQuery knows what to do with a row.
pub fn event_type(kind: Kind) -> &'static str {
    match kind {
        Kind::Poison(Poison::Row) => "poison_row",
        Kind::Poison(Poison::Neighbours) => "poison_neighbours",
        Kind::Poison(Poison::Request) => "poison_request",
        Kind::Valid | Kind::Filtered | Kind::Bad => "view",
    }
}

impl Message {
    /// A message at random.
    pub fn random(id: usize, kind: Kind, user: usize, published: Duration, rng: &mut Rng) -> Self {
        let data = match kind {
            Kind::Bad => match rng.u8(..4) {
                0 => r#"{"insertId":"#.to_owned(),
                1 => format!(r#"{{"insertId":"m{id}"}}"#),
                2 => NOT_BASE64.to_owned(),
                _ => entry(id, user, kind, "1999-01-02T03:04:05Z", "/pixel.png"),
            },
            Kind::Filtered => entry(id, user, kind, "2026-01-02T03:04:05Z", "/other.png"),
            Kind::Valid | Kind::Poison(_) => entry(id, user, kind, "2026-01-02T03:04:05Z", "/pixel.png"),
        };
        let encoded = if data == NOT_BASE64 { data.clone() } else { STANDARD.encode(&data) };
        let body = format!(r#"{{"message":{{"data":"{encoded}","messageId":"m{id}","publishTime":"2026-01-02T03:04:06Z"}}}}"#);
        Self { id, kind, user, published, data: data.into(), body: body.into() }
    }
}

fn entry(id: usize, user: usize, kind: Kind, time: &str, path: &str) -> String {
    let event_type = event_type(kind);
    format!(
        r#"{{"insertId":"i{id}","logName":"projects/p/logs/requests","timestamp":"{time}","httpRequest":{{"requestMethod":"GET","requestUrl":"https://t.example{path}?user_id=u{user}&order_id=m{id}&type={event_type}","status":200,"userAgent":"a","referer":"https://r.example"}}}}"#
    )
}

/// The number in a message id or an order id: 17 of `m17`.
pub fn id_of(text: &str) -> Option<usize> {
    text.trim_matches('"').strip_prefix('m')?.parse().ok()
}
