//! The push subscription of the soak test: concurrent deliveries, each message until it is acked, and some messages twice.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};

use super::delivery_results::{DeliveryResult, DeliveryResults};
use super::messages::{Copies, Message, Messages};

/// Maximum of concurrent deliveries.
pub const SENDERS: usize = 256;
/// The minimum ack deadline of a subscription.
const ACK_DEADLINE: Duration = Duration::from_secs(10);
/// Push backoff after the first nack of a message. It doubles with each further nack, at most four times.
const BACKOFF: Duration = Duration::from_millis(100);
/// With more messages waiting for redelivery, no new message is sent.
const MAX_BACKLOG: usize = 4 * SENDERS;

/// The address of the service, and the number of its process.
#[derive(Debug, Clone)]
pub struct Endpoint {
    pub process: usize,
    /// HOST:PORT
    pub address: String,
}

/// The deliveries to be made.
#[derive(Default)]
struct Queue {
    /// The first message that was not sent.
    next: u32,
    in_flight: usize,
    redeliveries: BinaryHeap<Reverse<(Instant, u32, u32)>>,
}

/// A delivery that is due.
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
    results: Arc<DeliveryResults>,
    queue: Mutex<Queue>,
    endpoint: watch::Receiver<Endpoint>,
}

impl Subscription {
    pub fn new(messages: Arc<Messages>, results: Arc<DeliveryResults>, endpoint: watch::Receiver<Endpoint>) -> Self {
        Self { messages, results, queue: Mutex::default(), endpoint }
    }

    /// Whether every message was sent at least once.
    pub fn is_exhausted(&self) -> bool {
        self.queue.lock().unwrap().next == self.messages.count
    }

    /// Delivers one message at a time until all are acked.
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
        let wait = queue.redeliveries.peek().map(|Reverse((at, ..))| at.saturating_duration_since(now));
        if wait.is_some_and(|wait| wait.is_zero())
            && let Some(Reverse((_, number, attempt))) = queue.redeliveries.pop()
        {
            queue.in_flight += 1;
            return Next::Due(Due { message: self.messages.message(number), attempt });
        }
        if queue.next < self.messages.count && queue.redeliveries.len() < MAX_BACKLOG {
            let message = self.messages.message(queue.next);
            queue.next += 1;
            queue.in_flight += 1;
            if message.copies == Copies::TwoAtOnce {
                queue.redeliveries.push(Reverse((now, message.number, 0)));
            }
            return Next::Due(Due { message, attempt: 0 });
        }
        match wait {
            // A message that is nacked meanwhile is due after a backoff at the earliest.
            Some(wait) => Next::Wait(wait.min(BACKOFF / 2)),
            None if queue.in_flight > 0 => Next::Wait(BACKOFF / 2),
            None => Next::Nothing,
        }
    }

    async fn deliver(&self, Due { message, attempt }: Due, connection: &mut Connection) {
        let endpoint = self.endpoint.borrow().clone();
        let body = self.messages.body(&message);
        self.results.record_start(&message);
        let result = match timeout(ACK_DEADLINE, connection.post(&endpoint, &body)).await {
            Ok(result) => result,
            Err(_) => DeliveryResult::TimedOut,
        };
        let acks = self.results.record_end(endpoint.process, &message, result);
        let redelivery = match result {
            DeliveryResult::Acked if message.copies == Copies::OneMore && acks == 1 => {
                Some((Duration::from_millis(fastrand::u64(..3000)), 0))
            }
            DeliveryResult::Acked => None,
            _ => Some((BACKOFF.mul_f64(2_f64.powi(attempt.min(4) as i32) * (1.0 + fastrand::f64())), attempt + 1)),
        };
        let mut queue = self.queue.lock().unwrap();
        queue.in_flight -= 1;
        if let Some((pause, attempt)) = redelivery {
            queue.redeliveries.push(Reverse((Instant::now() + pause, message.number, attempt)));
        }
    }
}

/// A keep-alive connection. Hand-written, because an HTTP client in a debug build would use most of the CPU time.
#[derive(Default)]
struct Connection {
    /// The open connection and the number of its process. `None` after an incomplete response.
    open: Option<(usize, BufReader<TcpStream>)>,
}

impl Connection {
    async fn post(&mut self, endpoint: &Endpoint, body: &str) -> DeliveryResult {
        let stream = match self.open.take() {
            Some((process, stream)) if process == endpoint.process => stream,
            _ => match TcpStream::connect(&endpoint.address).await {
                // Linux may connect a free port of localhost to itself.
                Ok(stream) if stream.local_addr().ok() == stream.peer_addr().ok() => return DeliveryResult::Unreachable,
                Ok(stream) => BufReader::new(stream),
                Err(_) => return DeliveryResult::Unreachable,
            },
        };
        self.exchange(stream, endpoint, body).await.map_or(DeliveryResult::Aborted, DeliveryResult::of_status)
    }

    /// Sends the request. Returns the status of the response.
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
            self.open = Some((endpoint.process, stream));
        }
        Ok(status)
    }
}
