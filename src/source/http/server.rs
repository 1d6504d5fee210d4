//! The HTTP/1 server below every endpoint of ours.
//!
//! Not `axum::serve`, for what it has no settings for: limits on what a client may hold, and leniency with header
//! names. A push subscription with `--push-no-wrapper-write-metadata` turns each attribute of a message into a header,
//! and Cloud Logging's only attribute, `logging.googleapis.com/timestamp`, has a `/` in it, which no header's name
//! may have.
//!
//! | a client may hold | for, or up to | and then |
//! |---|---|---|
//! | a header that is under way, or a new connection without one | 15 s | the connection is closed |
//! | a connection without a request, between two | 620 s | it is closed |
//! | an answer that it does not read | 30 s without progress | the connection is closed |
//! | a header | 160 KiB and 128 lines | 431 |
//! | connections, all clients together | 4,096, or what files the process may open | the longest idle one is closed; if none is, the new one |
//! | a connection in a shutdown, without a request under way | 1 s | it is closed |
//!
//! Time and size of a body are for the handlers to limit.

use std::collections::HashMap;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{AbortHandle, Id, JoinSet};

use super::connection::{Activity, Bounded};
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
/// How many connections are closed at once where no further file can be opened.
const ROOM: usize = 8;
/// What a header may still take that is on its way when the server shuts down.
const LAST_HEADER: Duration = Duration::from_secs(1);

/// Serves until `shutdown`, then stops accepting and lets the requests under way end. How long
/// that may take is for the caller to bound.
pub async fn serve(listener: TcpListener, router: Router, shutdown: impl Future<Output = ()>) {
    serve_each(listener, |_| router.clone(), shutdown).await;
}

/// The same with routes for each connection, by the address of its other end.
pub async fn serve_each(listener: TcpListener, routes: impl Fn(SocketAddr) -> Router, shutdown: impl Future<Output = ()>) {
    serve_at_most(MAX_CONNECTIONS, listener, routes, shutdown).await;
}

async fn serve_at_most(most: usize, listener: TcpListener, routes: impl Fn(SocketAddr) -> Router, shutdown: impl Future<Output = ()>) {
    let (close, closing) = watch::channel(());
    let mut connections = Connections::default();
    let throttle = Throttle::new(Duration::from_secs(1));
    let mut shutdown = pin!(shutdown);
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => {
                    if connections.open.len() < most || connections.close_idle() {
                        connections.start(stream, routes(peer), closing.clone());
                    }
                }
                // The client thought better of it.
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

/// The connections that are open, and the tasks that serve them: one each, so that what befalls one is no other's affair.
#[derive(Default)]
struct Connections {
    tasks: JoinSet<()>,
    open: HashMap<Id, (Arc<Activity>, AbortHandle)>,
}

impl Connections {
    fn start(&mut self, stream: TcpStream, router: Router, closing: watch::Receiver<()>) {
        let activity = Arc::new(Activity::of_a_new_connection());
        let task = self.tasks.spawn(run(stream, router, Arc::clone(&activity), closing));
        self.open.insert(task.id(), (activity, task));
    }

    /// Closes the connection that has been without a request for longest.
    fn close_idle(&mut self) -> bool {
        let idle = self.open.iter().filter_map(|(id, (activity, _))| Some((activity.idle_since()?, *id)));
        let Some((_, longest)) = idle.min_by_key(|(since, _)| *since) else { return false };
        if let Some((_, task)) = self.open.remove(&longest) {
            task.abort();
        }
        true
    }

    /// Closes some that are idle, for the handlers open files as well; or waits a little, if there are none.
    async fn make_room(&mut self) {
        let closed = (0..ROOM).take_while(|_| self.close_idle()).count();
        if closed == 0 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        for _ in 0..closed {
            self.ended().await;
        }
    }

    /// Waits for a connection's end. How it ended is its client's affair.
    async fn ended(&mut self) {
        match self.tasks.join_next_with_id().await {
            Some(Ok((id, ()))) => self.open.remove(&id),
            Some(Err(error)) => self.open.remove(&error.id()),
            None => None,
        };
    }
}

async fn run(stream: TcpStream, router: Router, activity: Arc<Activity>, mut closing: watch::Receiver<()>) {
    let _ = stream.set_nodelay(true);
    let service = TowerToHyperService::new(router);
    let service = service_fn(|request| {
        let under_way = activity.begin();
        let answer = service.call(request);
        async move {
            let answer = answer.await;
            drop(under_way);
            answer
        }
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(IDLE_TIMEOUT)
        .max_headers(MAX_HEADERS)
        .max_buf_size(MAX_HEADER_BYTES)
        .ignore_invalid_headers(true);
    let mut connection = pin!(http.serve_connection(TokioIo::new(Bounded::new(stream, Arc::clone(&activity))), service));
    tokio::select! {
        _ = &mut connection => return,
        // The only message is that the sender is gone.
        _ = closing.changed() => {}
    }
    connection.as_mut().graceful_shutdown();
    let ended = tokio::time::timeout(LAST_HEADER, &mut connection).await;
    if ended.is_err() && activity.idle_since().is_none() {
        drop(connection.await);
    }
}

#[cfg(test)]
mod tests {
    use axum::routing::get;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::sync::Notify;

    use super::*;

    /// A server with a page that is there at once, and one that says that it was asked for and waits to be let go.
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
    async fn at_the_cap_the_longest_idle_connection_makes_room_and_no_busy_one() {
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
            assert_eq!(answer(&mut idle).await, "", "it has made room");
            idle = next;
        }
        go.notify_one();
        assert_eq!(answer(&mut busy).await, OK);
    }

    #[tokio::test]
    async fn if_none_is_idle_the_new_connection_is_closed() {
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
