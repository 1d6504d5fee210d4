//! The HTTP/1 server below every endpoint.
//!
//! Written by hand on hyper: `axum::serve` has no settings for the limits below, and rejects header names that Pub/Sub
//! sends. A push subscription with `--push-no-wrapper-write-metadata` turns each attribute of a message into a header,
//! and Cloud Logging's only attribute, `logging.googleapis.com/timestamp`, contains a `/`, which is invalid in a name.
//!
//! | resource of a client | limit | beyond it |
//! |---|---|---|
//! | an incomplete header, or a new connection without one | 15 s | the connection is closed |
//! | an idle connection between two requests | 620 s | it is closed |
//! | an answer that the client does not read | 30 s without progress | the connection is closed |
//! | a header | 160 KiB and 128 lines | 431 |
//! | headers of more than 8 KiB, all connections together | 16 MiB | the connection is closed |
//! | connections, all clients together | 4,096, or the process's limit of open files | the longest idle one is closed; if none is, the new one |
//! | a connection without a request, during shutdown | 1 s | it is closed |
//!
//! The handlers limit time and size of a body.

use std::collections::HashMap;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::HeaderValue;
use axum::http::header::CONNECTION;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{AbortHandle, Id, JoinSet};

use super::connection::{Bounded, ConnectionState};
use super::large_headers::LargeHeaders;
use crate::telemetry::Throttle;

/// From the end of an answer to the end of the next header. Longer than the 600 s for which Google's front ends keep a
/// connection, so that none is closed here just as a request comes.
const IDLE_TIMEOUT: Duration = Duration::from_secs(620);
/// A message may have a hundred attributes, and each may be a header besides the usual ones.
const MAX_HEADERS: usize = 128;
/// Such an attribute has up to 256 bytes of name and 1,024 of value.
const MAX_HEADER_BYTES: usize = 160 << 10;
/// Cloud Run sends an instance 1,000 requests at once at most.
const MAX_CONNECTIONS: usize = 4096;
/// The number of idle connections that are closed when the process is out of file descriptors.
const CLOSED_AT_ONCE: usize = 8;
/// The time for a header that is incomplete when the server shuts down.
const LAST_HEADER_TIMEOUT: Duration = Duration::from_secs(1);

/// Serves until `shutdown`, then stops accepting and waits for the requests in progress. The caller bounds that time.
pub async fn serve(listener: TcpListener, router: Router, shutdown: impl Future<Output = ()>) {
    serve_each(listener, |_| router.clone(), shutdown).await;
}

/// The same with routes that depend on the address of the client.
pub async fn serve_each(listener: TcpListener, routes: impl Fn(SocketAddr) -> Router, shutdown: impl Future<Output = ()>) {
    serve_at_most(MAX_CONNECTIONS, listener, routes, shutdown).await;
}

async fn serve_at_most(
    max_connections: usize,
    listener: TcpListener,
    routes: impl Fn(SocketAddr) -> Router,
    shutdown: impl Future<Output = ()>,
) {
    let (close, closing) = watch::channel(());
    let mut connections = Connections::new();
    let throttle = Throttle::new(Duration::from_secs(1));
    let mut shutdown = pin!(shutdown);
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => {
                    if connections.open.len() < max_connections || connections.close_idle() {
                        connections.start(stream, routes(peer), closing.clone());
                    }
                }
                // The client closed the connection before it was accepted.
                Err(error) if matches!(error.kind(), io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset) => {}
                // Out of file descriptors.
                Err(error) => {
                    if let Some(suppressed) = throttle.pass() {
                        tracing::warn!(%error, suppressed, "cannot accept a connection");
                    }
                    connections.make_room().await;
                }
            },
            () = connections.ended(), if !connections.open.is_empty() => {}
            () = &mut shutdown => break,
        }
    }
    drop(listener);
    drop(close);
    while !connections.open.is_empty() {
        connections.ended().await;
    }
}

/// The open connections and their tasks: one each, so that an error or a panic ends only its own connection.
struct Connections {
    tasks: JoinSet<()>,
    open: HashMap<Id, (Arc<ConnectionState>, AbortHandle)>,
    large_headers: Arc<LargeHeaders>,
}

impl Connections {
    fn new() -> Self {
        Self { tasks: JoinSet::new(), open: HashMap::new(), large_headers: LargeHeaders::new() }
    }

    fn start(&mut self, stream: TcpStream, router: Router, closing: watch::Receiver<()>) {
        let _ = stream.set_nodelay(true);
        let state = Arc::new(ConnectionState::new());
        let stream = Bounded::new(stream, Arc::clone(&state), self.large_headers.reservation());
        let task = self.tasks.spawn(run(stream, router, Arc::clone(&state), closing));
        self.open.insert(task.id(), (state, task));
    }

    /// Closes the connection that is idle for the longest time.
    fn close_idle(&mut self) -> bool {
        let idle = self.open.iter().filter_map(|(id, (state, _))| Some((state.idle_since()?, *id)));
        let Some((_, longest)) = idle.min_by_key(|(since, _)| *since) else { return false };
        if let Some((_, task)) = self.open.remove(&longest) {
            task.abort();
        }
        true
    }

    /// Closes some idle connections, because the handlers need files too. Waits briefly if there are none.
    async fn make_room(&mut self) {
        let closed = (0..CLOSED_AT_ONCE).take_while(|_| self.close_idle()).count();
        if closed == 0 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        for _ in 0..closed {
            self.ended().await;
        }
    }

    /// Waits for the end of a connection. Its result is ignored.
    async fn ended(&mut self) {
        match self.tasks.join_next_with_id().await {
            Some(Ok((id, ()))) => self.open.remove(&id),
            Some(Err(error)) => self.open.remove(&error.id()),
            None => None,
        };
    }
}

async fn run(stream: Bounded, router: Router, state: Arc<ConnectionState>, mut closing: watch::Receiver<()>) {
    let service = TowerToHyperService::new(router);
    let service = service_fn(|request| {
        let guard = state.begin();
        let answer = service.call(request);
        async move {
            let mut answer = answer.await;
            if guard.has_large_header
                && let Ok(answer) = &mut answer
            {
                answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
            }
            drop(guard);
            answer
        }
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(IDLE_TIMEOUT)
        .max_headers(MAX_HEADERS)
        .max_buf_size(MAX_HEADER_BYTES)
        .ignore_invalid_headers(true);
    let mut connection = pin!(http.serve_connection(TokioIo::new(stream), service));
    tokio::select! {
        _ = &mut connection => return,
        // The sender is dropped at shutdown.
        _ = closing.changed() => {}
    }
    connection.as_mut().graceful_shutdown();
    let ended = tokio::time::timeout(LAST_HEADER_TIMEOUT, &mut connection).await;
    if ended.is_err() && state.idle_since().is_none() {
        drop(connection.await);
    }
}

#[cfg(test)]
mod tests {
    use axum::routing::get;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::sync::Notify;

    use super::*;

    /// A server with a page that answers at once, and one that notifies and waits.
    async fn start(most: usize) -> (SocketAddr, Arc<Notify>, Arc<Notify>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (asked, go) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let slow = {
            let (asked, go) = (Arc::clone(&asked), Arc::clone(&go));
            async move || {
                asked.notify_one();
                go.notified().await;
                "ok"
            }
        };
        let router = Router::new().route("/", get(async || "ok")).route("/slow", get(slow));
        tokio::spawn(async move { serve_at_most(most, listener, |_| router.clone(), std::future::pending()).await });
        (address, asked, go)
    }

    async fn ask(stream: &mut TcpStream, path: &str) {
        stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes()).await.unwrap();
    }

    /// The status line of the next answer; empty if the connection ended.
    async fn answer(stream: &mut TcpStream) -> String {
        let mut buffer = [0; 1024];
        let count = stream.read(&mut buffer).await.unwrap_or(0);
        String::from_utf8_lossy(&buffer[..count]).lines().next().unwrap_or_default().to_owned()
    }

    const OK: &str = "HTTP/1.1 200 OK";

    #[tokio::test]
    async fn at_the_limit_the_longest_idle_connection_is_closed() {
        let (address, asked, go) = start(2).await;
        let mut busy = TcpStream::connect(address).await.unwrap();
        ask(&mut busy, "/slow").await;
        asked.notified().await;
        let mut idle = TcpStream::connect(address).await.unwrap();
        ask(&mut idle, "/").await;
        assert_eq!(answer(&mut idle).await, OK);
        for _ in 0..3 {
            let mut next = TcpStream::connect(address).await.unwrap();
            ask(&mut next, "/").await;
            assert_eq!(answer(&mut next).await, OK);
            assert_eq!(answer(&mut idle).await, "", "it was closed");
            idle = next;
        }
        go.notify_one();
        assert_eq!(answer(&mut busy).await, OK);
    }

    #[tokio::test]
    async fn without_idle_connections_the_new_one_is_closed() {
        let (address, asked, go) = start(1).await;
        let mut busy = TcpStream::connect(address).await.unwrap();
        ask(&mut busy, "/slow").await;
        asked.notified().await;
        let mut next = TcpStream::connect(address).await.unwrap();
        assert_eq!(answer(&mut next).await, "");
        go.notify_one();
        assert_eq!(answer(&mut busy).await, OK);
    }
}
