//! One connection's clocks: what hyper cannot tell apart.
//!
//! hyper has one timer for headers, which also runs while a connection that is kept alive waits for its next request.
//! It must be long for that, and a header that comes byte by byte would have as long. Where a header begins, the socket
//! knows; where it ends, the service, which is called then. So the socket is wrapped, and both tell [`Activity`]. No
//! task is needed: hyper asks the socket for more until a header is complete, and whoever asks hears of the time.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep_until};

/// From the first byte of a header to its end; on a new connection from the beginning.
const HEADER_TIMEOUT: Duration = Duration::from_secs(15);
/// How long an answer may wait for its reader.
const STALL_TIMEOUT: Duration = Duration::from_secs(30);

/// What a connection is at.
#[derive(Debug)]
pub struct Activity(Mutex<State>);

#[derive(Debug, Clone, Copy)]
enum State {
    /// Between two requests.
    Idle { since: Instant },
    /// A header is under way, or a new connection has none yet.
    Header { since: Instant },
    /// A request is with its handler.
    Request,
}

/// A request that is with its handler, until this is dropped.
#[derive(Debug)]
pub struct UnderWay(Arc<Activity>);

impl Activity {
    /// A client that connects has a request.
    pub fn of_a_new_connection() -> Self {
        Self(Mutex::new(State::Header { since: Instant::now() }))
    }

    /// A header is complete.
    pub fn begin(self: &Arc<Self>) -> UnderWay {
        *self.state() = State::Request;
        UnderWay(Arc::clone(self))
    }

    /// Since when there has been no request under way, if there is none.
    pub fn idle_since(&self) -> Option<Instant> {
        match *self.state() {
            State::Idle { since } | State::Header { since } => Some(since),
            State::Request => None,
        }
    }

    /// A byte came. Those of a body change nothing.
    fn received(&self) {
        let mut state = self.state();
        if let State::Idle { .. } = *state {
            *state = State::Header { since: Instant::now() };
        }
    }

    /// When a header that is under way must be complete.
    fn header_deadline(&self) -> Option<Instant> {
        match *self.state() {
            State::Header { since } => Some(since + HEADER_TIMEOUT),
            State::Idle { .. } | State::Request => None,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        *self.0.state() = State::Idle { since: Instant::now() };
    }
}

/// A socket whose client has only so much time.
#[derive(Debug)]
pub struct Bounded {
    stream: TcpStream,
    activity: Arc<Activity>,
    /// Runs while more of a header is waited for.
    header: Clock,
    /// Runs while the client reads nothing of an answer.
    stall: Clock,
}

impl Bounded {
    /// A new connection.
    pub fn new(stream: TcpStream, activity: Arc<Activity>) -> Self {
        Self { stream, activity, header: Clock(None), stall: Clock(None) }
    }

    /// The result of a write, unless there has been none for too long.
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
        if let Poll::Ready(result) = Pin::new(&mut this.stream).poll_read(cx, buf) {
            if buf.filled().len() > before {
                this.activity.received();
            }
            return Poll::Ready(result);
        }
        let Some(deadline) = this.activity.header_deadline() else { return Poll::Pending };
        ready!(this.header.poll(deadline, cx));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
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

/// A timer that is made when it is first needed, which for most connections is never.
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
