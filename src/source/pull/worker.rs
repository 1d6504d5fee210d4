//! Pulls messages, and has each processed and answered by [`super::processor`].
//!
//! | state | reads | ends |
//! |---|---|---|
//! | pulling | while fewer than MAX_IN_FLIGHT messages and MAX_IN_FLIGHT_BYTES bytes are in progress | if Pub/Sub refuses the subscription; with `--until-empty`, if no message is in progress and none has arrived for the idle time |
//! | shutting down, after SIGTERM or a refusal | no further message | when no message is in progress, or after 8 s: the rest is returned |
//!
//! In both states a message is answered when the outcome of its row is known, never before. Pub/Sub has a second for the last
//! answers.

use std::collections::{BTreeMap, HashSet};
use std::hash::{BuildHasher as _, RandomState};
use std::sync::Arc;
use std::time::Duration;

use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, Sleep, sleep, timeout, timeout_at};
use tokio_util::sync::CancellationToken;

use super::client::PullClient;
use super::message::PulledMessage;
use super::processor::{Answered, Processor};
use super::stream::{FlowControl, PullStream};
use super::subscription::SubscriptionError;
use crate::ack::{Answer, Outcome, SaturatedReason};
use crate::admission::{Admission, Admitted};
use crate::telemetry::metrics;

/// Maximum time for messages in progress after a shutdown signal. Cloud Run kills the process after 10 s.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(8);
/// Maximum time for the last answers after that.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// How a worker pulls.
#[derive(Debug, Clone, Copy)]
pub struct PullSettings {
    pub flow_control: FlowControl,
    /// Ends when no message has been in progress for this time.
    pub idle: Option<Duration>,
}

/// What a worker did.
#[derive(Debug, Default)]
pub struct PullStats {
    /// Deliveries by outcome and reason.
    pub outcomes: BTreeMap<(&'static str, &'static str), u64>,
    pub deliveries: u64,
    /// Messages that were returned, and not acknowledged later. Counted with an idle time only: without one, other workers
    /// get them.
    pub returned: usize,
    /// Messages in progress that the shutdown interrupted.
    pub interrupted: usize,
    /// Acknowledgements that Pub/Sub did not confirm.
    pub unconfirmed: u64,
}

impl PullStats {
    fn count(&mut self, outcome: Outcome) {
        *self.outcomes.entry((outcome.as_str(), outcome.reason())).or_default() += 1;
    }
}

/// Why a worker ended.
#[derive(Debug)]
pub enum PullEnd {
    /// By a shutdown signal.
    Stopped,
    /// The subscription is empty.
    Empty,
    Failed(SubscriptionError),
}

/// Pulls until a signal, an error, or the end of the messages.
pub struct PullWorker {
    processor: Arc<Processor>,
    settings: PullSettings,
    client: Arc<dyn PullClient>,
    stream: PullStream,
    /// A message that does not fit into the bytes.
    waiting: Option<PulledMessage>,
    in_progress: JoinSet<Answered>,
    admission: Arc<Admission>,
    last_activity: Instant,
    hasher: RandomState,
    returned: HashSet<u64>,
    stats: PullStats,
}

impl PullWorker {
    pub fn new(processor: Arc<Processor>, settings: PullSettings, client: Arc<dyn PullClient>) -> Self {
        Self {
            processor,
            stream: PullStream::new(Arc::clone(&client), settings.flow_control),
            settings,
            client,
            waiting: None,
            in_progress: JoinSet::new(),
            admission: Admission::new(settings.flow_control.messages, settings.flow_control.bytes, 0),
            last_activity: Instant::now(),
            hasher: RandomState::new(),
            returned: HashSet::new(),
            stats: PullStats::default(),
        }
    }

    /// Pulls until the end, and answers all messages that were pulled.
    pub async fn run(mut self) -> (PullEnd, PullStats) {
        self.last_activity = Instant::now();
        let end = self.pull().await;
        drop(self.waiting.take());
        self.drain().await;
        let confirmed = timeout(CLOSE_TIMEOUT, self.stream.close()).await.is_ok();
        self.stats.returned = self.returned.len();
        let end = match end {
            PullEnd::Stopped | PullEnd::Empty if !confirmed => PullEnd::Failed(SubscriptionError(format!(
                "Pub/Sub did not confirm the last answers within {} s; it may deliver processed messages again",
                CLOSE_TIMEOUT.as_secs()
            ))),
            end => end,
        };
        (end, self.stats)
    }

    async fn pull(&mut self) -> PullEnd {
        let shutdown = self.processor.shutdown().clone();
        let idle = self.settings.idle;
        let timer = sleep(idle.unwrap_or_default());
        tokio::pin!(timer);
        loop {
            let has_room = self.has_room();
            tokio::select! {
                biased;
                () = shutdown.cancelled() => return PullEnd::Stopped,
                Some(answered) = self.in_progress.join_next() => self.complete(answered),
                next = self.stream.next(), if has_room => {
                    if let Err(end) = self.take(next) {
                        return end;
                    }
                }
                () = &mut timer, if idle.is_some() => {
                    if let Some(end) = self.check_idle(idle.unwrap_or_default(), &shutdown, timer.as_mut()).await {
                        return end;
                    }
                }
            }
            // What is ready besides: fewer turns of the loop.
            while let Some(answered) = self.in_progress.try_join_next() {
                self.complete(answered);
            }
            while self.has_room()
                && let Some(next) = self.stream.try_next()
            {
                if let Err(end) = self.take(Some(next)) {
                    return end;
                }
            }
            self.set_gauges();
        }
    }

    fn set_gauges(&self) {
        metrics::set_in_flight(self.in_progress.len(), self.admission.bytes());
    }

    /// Whether the next message may be read.
    fn has_room(&self) -> bool {
        self.waiting.is_none() && self.in_progress.len() < self.settings.flow_control.messages
    }

    fn take(&mut self, next: Option<Result<PulledMessage, SubscriptionError>>) -> Result<(), PullEnd> {
        match next {
            Some(Ok(message)) => {
                self.last_activity = Instant::now();
                self.waiting = Some(message);
                self.start_waiting();
                Ok(())
            }
            Some(Err(error)) => Err(PullEnd::Failed(error)),
            None => Err(PullEnd::Failed(SubscriptionError("the stream of messages ended".to_owned()))),
        }
    }

    /// Starts the waiting message, if it is admitted.
    fn start_waiting(&mut self) {
        let Some(message) = self.waiting.take() else { return };
        let Some(admitted) = self.admit(&message) else {
            self.waiting = Some(message);
            return;
        };
        let id = self.hasher.hash_one(message.id());
        self.in_progress.spawn(Arc::clone(&self.processor).process(message, id, admitted));
    }

    /// Reserves memory for the payload and a row of the same length, as most rows are shorter.
    fn admit(&self, message: &PulledMessage) -> Option<Admitted> {
        let mut admitted = self.admission.admit()?;
        admitted.reserve_body(message.size().saturating_mul(2)).ok()?;
        Some(admitted)
    }

    fn complete(&mut self, answered: Result<Answered, JoinError>) {
        self.last_activity = Instant::now();
        // Aborted by the drain only.
        let Ok(Answered { outcome, id, is_confirmed }) = answered else { return };
        self.stats.deliveries += 1;
        self.stats.count(outcome);
        self.stats.unconfirmed += u64::from(!is_confirmed);
        if self.settings.idle.is_some() {
            match outcome.answer() {
                Answer::Ack if is_confirmed => self.returned.remove(&id),
                Answer::Ack | Answer::Nack => self.returned.insert(id),
            };
        }
        self.start_waiting();
    }

    /// Ends if nothing has happened for the idle time, and Pub/Sub still answers.
    async fn check_idle(&mut self, idle: Duration, shutdown: &CancellationToken, timer: std::pin::Pin<&mut Sleep>) -> Option<PullEnd> {
        let idle_at = if self.in_progress.is_empty() { self.last_activity } else { Instant::now() } + idle;
        if Instant::now() < idle_at {
            timer.reset(idle_at);
            return None;
        }
        let checked = tokio::select! {
            biased;
            () = shutdown.cancelled() => return Some(PullEnd::Stopped),
            checked = self.client.check() => checked,
        };
        match (checked, self.stream.try_next()) {
            (_, Some(next)) => self.take(Some(next)).err(),
            (Ok(()), None) => Some(PullEnd::Empty),
            (Err(error), None) => Some(PullEnd::Failed(error)),
        }
    }

    /// Finishes messages in progress, and returns those that take too long.
    async fn drain(&mut self) {
        let deadline = Instant::now() + DRAIN_TIMEOUT;
        // Returned without a delay from now on.
        self.processor.shutdown().cancel();
        while let Ok(Some(answered)) = timeout_at(deadline, self.in_progress.join_next()).await {
            self.complete(answered);
            self.set_gauges();
        }
        let interrupted = Outcome::Saturated(SaturatedReason::ShuttingDown);
        self.stats.interrupted = self.in_progress.len();
        for _ in 0..self.stats.interrupted {
            metrics::record_delivery(interrupted.as_str(), interrupted.reason(), DRAIN_TIMEOUT);
            self.stats.count(interrupted);
        }
        self.in_progress.shutdown().await;
        metrics::set_in_flight(0, 0);
    }
}
