//! Several HTTP clients as one transport.
//!
//! BigQuery answers up to 100 requests at a time over one HTTP/2 connection, and further ones wait for these. An
//! [`HttpClient`] opens one such connection. So there are as many clients as BATCH_MAX_INSERTS needs by default, and
//! a further one is used only while those before it are busy.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use reqwest::{Request, Response};

use crate::google::{HttpClient, Transport, TransportError};

/// Requests at a time of one client.
const MAX_REQUESTS: usize = 100;
const CLIENTS: usize = 10;

#[derive(Debug)]
pub(super) struct Connections(Vec<Connection>);

#[derive(Debug)]
struct Connection {
    client: HttpClient,
    /// Without a response.
    requests: AtomicUsize,
}

/// A request without a response, counted until it is dropped.
struct Counted<'a>(&'a Connection);

impl Connections {
    /// `deadline` is PUSH_DEADLINE.
    pub(super) fn new(deadline: Duration) -> Self {
        let connection = |_| Connection { client: HttpClient::new(deadline), requests: AtomicUsize::new(0) };
        Self((0..CLIENTS).map(connection).collect())
    }

    /// Counts a request of the first client that is not busy.
    fn count(&self) -> Counted<'_> {
        let is_free = |connection: &&Connection| connection.requests.load(Ordering::Relaxed) < MAX_REQUESTS;
        let connection = self.0.iter().find(is_free).unwrap_or(&self.0[CLIENTS - 1]);
        connection.requests.fetch_add(1, Ordering::Relaxed);
        Counted(connection)
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.requests.fetch_sub(1, Ordering::Relaxed);
    }
}

#[async_trait]
impl Transport for Connections {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        let counted = self.count();
        counted.0.client.send(request).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_is_used_while_those_before_it_are_busy() {
        let connections = Connections::new(Duration::from_secs(8));
        let requests = |at: usize| connections.0[at].requests.load(Ordering::Relaxed);
        let mut counted: Vec<_> = (0..250).map(|_| connections.count()).collect();
        assert_eq!([requests(0), requests(1), requests(2), requests(3)], [100, 100, 50, 0]);
        counted.remove(0);
        counted.push(connections.count());
        assert_eq!([requests(0), requests(2)], [100, 50]);
        counted.extend((0..1000).map(|_| connections.count()));
        assert_eq!(requests(CLIENTS - 1), 350);
        drop(counted);
        assert_eq!((0..CLIENTS).map(requests).sum::<usize>(), 0);
    }
}
