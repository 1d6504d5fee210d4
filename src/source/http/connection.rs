//! The limits of one connection that hyper does not have: timeouts, and the memory of its header.
//!
//! hyper has one timer for headers, which also runs while a kept-alive connection waits for its next request. It must
//! be long for that, and a header that arrives byte by byte would have the same time. The socket knows the beginning of
//! a header, and the service is called at its end. So the socket is wrapped, and both update [`ConnectionState`]. No task
//! is needed: hyper polls the socket until a header is complete, and each poll checks the deadline.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep_until};

use super::large_headers::{HeaderReservation, is_large};

/// From the first byte of a header to its end; on a new connection from the beginning.
const HEADER_TIMEOUT: Duration = Duration::from_secs(15);
/// The longest time without progress while a client reads an answer.
const STALL_TIMEOUT: Duration = Duration::from_secs(30);
/// hyper's buffer grows to twice the size of the reads, for each connection.
const MAX_READ_BYTES: usize = 8 << 10;

/// The state of a connection, shared by its socket and its service.
#[derive(Debug)]
pub struct ConnectionState(Mutex<Phase>);

#[derive(Debug, Clone, Copy)]
enum Phase {
    /// Between two requests.
    Idle { since: Instant },
    /// A header is incomplete, or a new connection has not sent one.
    Header { since: Instant, bytes: usize },
    /// A request is with its handler.
    Request,
}

/// A request is with its handler until this is dropped.
#[derive(Debug)]
pub struct RequestGuard {
    state: Arc<ConnectionState>,
    /// The buffer keeps the size of a large header until the connection is closed.
    pub has_large_header: bool,
}

impl ConnectionState {
    /// A new connection: its first header is due.
    pub fn new() -> Self {
        Self(Mutex::new(Phase::Header { since: Instant::now(), bytes: 0 }))
    }

    /// A header is complete.
    pub fn begin(self: &Arc<Self>) -> RequestGuard {
        let before = std::mem::replace(&mut *self.phase(), Phase::Request);
        let has_large_header = matches!(before, Phase::Header { bytes, .. } if is_large(bytes));
        RequestGuard { state: Arc::clone(self), has_large_header }
    }

    /// The time since which no request is with its handler.
    pub fn idle_since(&self) -> Option<Instant> {
        match *self.phase() {
            Phase::Idle { since } | Phase::Header { since, .. } => Some(since),
            Phase::Request => None,
        }
    }

    /// Bytes arrived. Returns the length of the header so far; 0 if they belong to a body.
    fn received(&self, count: usize) -> usize {
        let mut phase = self.phase();
        let (since, before) = match *phase {
            Phase::Idle { .. } => (Instant::now(), 0),
            Phase::Header { since, bytes } => (since, bytes),
            Phase::Request => return 0,
        };
        *phase = Phase::Header { since, bytes: before + count };
        before + count
    }

    /// The deadline of an incomplete header.
    fn header_deadline(&self) -> Option<Instant> {
        match *self.phase() {
            Phase::Header { since, .. } => Some(since + HEADER_TIMEOUT),
            Phase::Idle { .. } | Phase::Request => None,
        }
    }

    fn phase(&self) -> MutexGuard<'_, Phase> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for RequestGuard {
    fn drop(&mut self) {
        *self.state.phase() = Phase::Idle { since: Instant::now() };
    }
}

/// A socket with timeouts and bounded headers.
#[derive(Debug)]
pub struct Bounded {
    stream: TcpStream,
    state: Arc<ConnectionState>,
    reservation: HeaderReservation,
    /// Runs while a header is incomplete.
    header: Clock,
    /// Runs while the client does not read an answer.
    stall: Clock,
}

impl Bounded {
    /// A new connection.
    pub fn new(stream: TcpStream, state: Arc<ConnectionState>, reservation: HeaderReservation) -> Self {
        Self { stream, state, reservation, header: Clock(None), stall: Clock(None) }
    }

    /// The result of a write, or an error after [`STALL_TIMEOUT`] without one.
    fn written<T>(&mut self, result: Poll<io::Result<T>>, cx: &mut Context<'_>) -> Poll<io::Result<T>> {
        if result.is_ready() {
            self.stall.stop();
            return result;
        }
        let deadline = self.stall.deadline().unwrap_or_else(|| Instant::now() + STALL_TIMEOUT);
        ready!(self.stall.poll(deadline, cx));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for Bounded {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buf.filled().len();
        if let Poll::Ready(result) = poll_read_some(&mut this.stream, cx, buf) {
            let count = buf.filled().len() - before;
            if count > 0 && !this.reservation.reserve(this.state.received(count)) {
                return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
            }
            return Poll::Ready(result);
        }
        let Some(deadline) = this.state.header_deadline() else { return Poll::Pending };
        ready!(this.header.poll(deadline, cx));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

/// Reads at most [`MAX_READ_BYTES`].
fn poll_read_some(stream: &mut TcpStream, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
    if buf.remaining() <= MAX_READ_BYTES {
        return Pin::new(stream).poll_read(cx, buf);
    }
    let mut part = ReadBuf::new(buf.initialize_unfilled_to(MAX_READ_BYTES));
    let result = Pin::new(stream).poll_read(cx, &mut part);
    let count = part.filled().len();
    buf.advance(count);
    result
}

impl AsyncWrite for Bounded {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let result = Pin::new(&mut this.stream).poll_write(cx, buf);
        this.written(result, cx)
    }

    fn poll_write_vectored(self: Pin<&mut Self>, cx: &mut Context<'_>, bufs: &[io::IoSlice<'_>]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let result = Pin::new(&mut this.stream).poll_write_vectored(cx, bufs);
        this.written(result, cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}

/// A timer that is created on first use. Most connections never need it.
#[derive(Debug)]
struct Clock(Option<Pin<Box<Sleep>>>);

impl Clock {
    fn poll(&mut self, deadline: Instant, cx: &mut Context<'_>) -> Poll<()> {
        let sleep = self.0.get_or_insert_with(|| Box::pin(sleep_until(deadline)));
        if sleep.deadline() != deadline {
            sleep.as_mut().reset(deadline);
        }
        sleep.as_mut().poll(cx)
    }

    fn deadline(&self) -> Option<Instant> {
        self.0.as_ref().map(|sleep| sleep.deadline())
    }

    fn stop(&mut self) {
        self.0 = None;
    }
}
