//! The HTTP/1 server below every endpoint of ours.
//!
//! Not `axum::serve`, for what it has no settings for: a limit on the time that headers may take,
//! and leniency with header names. A push subscription with `--push-no-wrapper-write-metadata`
//! turns each attribute of a message into a header, and Cloud Logging's only attribute,
//! `logging.googleapis.com/timestamp`, has a `/` in it, which no header's name may have.

use std::future::Future;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

/// Also the time for which a connection may be idle. Longer than the 600 s for which Google's front
/// ends keep one, so that none is closed here just as a request comes.
const HEADER_TIMEOUT: Duration = Duration::from_secs(620);
/// A message may have a hundred attributes, and each may be a header besides the usual ones.
const MAX_HEADERS: usize = 128;

/// Serves until `shutdown`, then stops accepting and lets the requests under way end. How long
/// that may take is for the caller to bound.
pub async fn serve(listener: TcpListener, router: Router, shutdown: impl Future<Output = ()>) {
    serve_each(listener, |_| router.clone(), shutdown).await;
}

/// The same with routes for each connection, by the address of its other end.
pub async fn serve_each(listener: TcpListener, routes: impl Fn(SocketAddr) -> Router, shutdown: impl Future<Output = ()>) {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEADER_TIMEOUT).max_headers(MAX_HEADERS).ignore_invalid_headers(true);
    let graceful = GracefulShutdown::new();
    let mut connections = JoinSet::new();
    tokio::pin!(shutdown);
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => {
                    let _ = stream.set_nodelay(true);
                    let service = TowerToHyperService::new(routes(peer));
                    let connection = graceful.watch(http.serve_connection(TokioIo::new(stream), service));
                    // How a connection ends is its client's affair.
                    connections.spawn(async move { drop(connection.await) });
                }
                // Out of file descriptors: they come back as connections end.
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a connection");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            },
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
            () = &mut shutdown => break,
        }
    }
    drop(listener);
    graceful.shutdown().await;
    while connections.join_next().await.is_some() {}
}
