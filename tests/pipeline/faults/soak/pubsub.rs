//! Pub/Sub's side of the soak: many deliveries at once, each message again until it is acked, and some twice.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};

use super::messages::{Copies, Message, Messages};
use super::tally::{Answer, Tally};

/// Deliveries under way at most.
pub const SENDERS: usize = 256;
/// The least that a subscription may have.
const ACK_DEADLINE: Duration = Duration::from_secs(10);
/// Push backoff: from here, doubled with each nack of the message, four times at most.
const BACKOFF: Duration = Duration::from_millis(100);
/// Messages that wait for their next delivery; with more of them none is sent for the first time.
const BACKLOG: usize = 4 * SENDERS;

/// Where the service is, and which of its lives it is.
#[derive(Debug, Clone)]
pub struct Endpoint {
    pub life: usize,
    /// HOST:PORT
    pub address: String,
}

/// What has yet to be delivered.
#[derive(Default)]
struct Queue {
    /// The first message that was not sent yet.
    next: u32,
    under_way: usize,
    again: BinaryHeap<Reverse<(Instant, u32, u32)>>,
}

/// A delivery to be made.
struct Due {
    message: Message,
    attempt: u32,
}

enum Next {
    Due(Due),
    Wait(Duration),
    Nothing,
}

/// A push subscription.
pub struct Subscription {
    messages: Arc<Messages>,
    tally: Arc<Tally>,
    queue: Mutex<Queue>,
    endpoint: watch::Receiver<Endpoint>,
}

impl Subscription {
    pub fn new(messages: Arc<Messages>, tally: Arc<Tally>, endpoint: watch::Receiver<Endpoint>) -> Self {
        Self { messages, tally, queue: Mutex::default(), endpoint }
    }

    /// Whether every message was sent at least once.
    pub fn is_exhausted(&self) -> bool {
        self.queue.lock().unwrap().next == self.messages.count
    }

    /// Delivers, one at a time, until everything is acked.
    pub async fn send(self: Arc<Self>) {
        let mut connection = Connection::default();
        loop {
            match self.next() {
                Next::Due(due) => self.deliver(due, &mut connection).await,
                Next::Wait(pause) => sleep(pause).await,
                Next::Nothing => return,
            }
        }
    }

    fn next(&self) -> Next {
        let mut queue = self.queue.lock().unwrap();
        let now = Instant::now();
        let wait = queue.again.peek().map(|Reverse((at, ..))| at.saturating_duration_since(now));
        if wait.is_some_and(|wait| wait.is_zero())
            && let Some(Reverse((_, number, attempt))) = queue.again.pop()
        {
            queue.under_way += 1;
            return Next::Due(Due { message: self.messages.message(number), attempt });
        }
        if queue.next < self.messages.count && queue.again.len() < BACKLOG {
            let message = self.messages.message(queue.next);
            queue.next += 1;
            queue.under_way += 1;
            if message.copies == Copies::TwoAtOnce {
                queue.again.push(Reverse((now, message.number, 0)));
            }
            return Next::Due(Due { message, attempt: 0 });
        }
        match wait {
            // Whatever is nacked meanwhile is due no earlier than a backoff from now.
            Some(wait) => Next::Wait(wait.min(BACKOFF / 2)),
            None if queue.under_way > 0 => Next::Wait(BACKOFF / 2),
            None => Next::Nothing,
        }
    }

    async fn deliver(&self, Due { message, attempt }: Due, connection: &mut Connection) {
        let endpoint = self.endpoint.borrow().clone();
        let body = self.messages.body(&message);
        self.tally.begins(&message);
        let answer = match timeout(ACK_DEADLINE, connection.post(&endpoint, &body)).await {
            Ok(answer) => answer,
            Err(_) => Answer::TooLate,
        };
        let acks = self.tally.answered(endpoint.life, &message, answer);
        let again = match answer {
            Answer::Acked if message.copies == Copies::OneMore && acks == 1 => Some((Duration::from_millis(fastrand::u64(..3000)), 0)),
            Answer::Acked => None,
            _ => Some((BACKOFF.mul_f64(2_f64.powi(attempt.min(4) as i32) * (1.0 + fastrand::f64())), attempt + 1)),
        };
        let mut queue = self.queue.lock().unwrap();
        queue.under_way -= 1;
        if let Some((pause, attempt)) = again {
            queue.again.push(Reverse((Instant::now() + pause, message.number, attempt)));
        }
    }
}

/// A connection that is kept. By hand: an HTTP client, which like this test is not optimised, would take most of its time.
#[derive(Default)]
struct Connection {
    /// Gone unless the last answer was read to its end.
    open: Option<(usize, BufReader<TcpStream>)>,
}

impl Connection {
    async fn post(&mut self, endpoint: &Endpoint, body: &str) -> Answer {
        let stream = match self.open.take() {
            Some((life, stream)) if life == endpoint.life => stream,
            _ => match TcpStream::connect(&endpoint.address).await {
                Ok(stream) => BufReader::new(stream),
                Err(_) => return Answer::NotReached,
            },
        };
        self.exchange(stream, endpoint, body).await.map_or(Answer::CutOff, Answer::of_status)
    }

    /// The status of the answer.
    async fn exchange(&mut self, mut stream: BufReader<TcpStream>, endpoint: &Endpoint, body: &str) -> io::Result<u16> {
        let host = &endpoint.address;
        let length = body.len();
        let request =
            format!("POST / HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}");
        stream.write_all(request.as_bytes()).await?;
        let (mut line, mut status, mut length, mut closes) = (String::new(), 0, 0, false);
        loop {
            line.clear();
            if stream.read_line(&mut line).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let line = line.trim_end();
            if line.is_empty() {
                break;
            }
            match line.split_once(": ") {
                Some((name, value)) if name.eq_ignore_ascii_case("content-length") => length = value.parse().unwrap_or(0),
                Some((name, value)) if name.eq_ignore_ascii_case("connection") => closes = value.eq_ignore_ascii_case("close"),
                Some(_) => {}
                None => status = line.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0),
            }
        }
        let mut rest = vec![0; length];
        stream.read_exact(&mut rest).await?;
        if !closes {
            self.open = Some((endpoint.life, stream));
        }
        Ok(status)
    }
}
