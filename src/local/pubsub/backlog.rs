//! The backlog of a push subscription: decides when each message is delivered, and when it is dead-lettered.
//!
//! A state machine without clock or sockets. [`PushSubscription`] asks it for the next delivery, sends it, and reports
//! the result. Window, push backoff, retry policy and dead-letter policy are combined only here.
//!
//! [`PushSubscription`]: super::PushSubscription

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use tokio::time::Instant;

use super::message::Message;
use super::policy::{DeliveryRetryPolicy, SubscriptionPolicy};
use super::push_backoff::PushBackoff;
use super::window::Window;

/// All messages that are not acknowledged and not dead-lettered.
#[derive(Debug)]
pub(crate) struct Backlog {
    policy: SubscriptionPolicy,
    window: Window,
    backoff: PushBackoff,
    /// Never delivered yet, in the order of publishing.
    unsent: VecDeque<Message>,
    /// Nacked messages, by the time of their next attempt.
    failed: BTreeMap<(Instant, u64), FailedMessage>,
    /// Makes the keys of `failed` unique.
    failure_count: u64,
    in_flight: usize,
}

#[derive(Debug)]
struct FailedMessage {
    message: Arc<Message>,
    attempts: u32,
}

/// A delivery to make now. Its result must be reported to [`Backlog::finish`].
#[derive(Debug, Clone)]
pub(crate) struct Attempt {
    pub(crate) message: Arc<Message>,
    /// Starts at 1.
    pub(crate) number: u32,
    pub(crate) began: Instant,
}

/// The next step of the subscription.
#[derive(Debug)]
pub(crate) enum NextStep {
    Deliver(Attempt),
    /// Wait until that time, or, without a time, until a message arrives or a delivery finishes.
    Wait(Option<Instant>),
}

/// The result of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PushResult {
    Ack,
    /// A nack, or no answer within the ack deadline.
    Nack,
}

/// A message without delivery attempts left.
#[derive(Debug)]
pub(crate) struct ExhaustedMessage {
    pub(crate) message: Arc<Message>,
    pub(crate) attempts: u32,
}

impl Backlog {
    pub(crate) fn new(policy: SubscriptionPolicy) -> Self {
        Self {
            policy,
            window: Window::default(),
            backoff: PushBackoff::default(),
            unsent: VecDeque::new(),
            failed: BTreeMap::new(),
            failure_count: 0,
            in_flight: 0,
        }
    }

    /// Number of messages, including those in flight.
    pub(crate) fn len(&self) -> usize {
        self.unsent.len() + self.failed.len() + self.in_flight
    }

    pub(crate) fn add(&mut self, message: Message) {
        self.unsent.push_back(message);
    }

    /// From now on, retries ignore the retry policy and wait only for push backoff, because the process is shutting down.
    pub(crate) fn retry_at_once(&mut self, now: Instant) {
        self.policy.retry = DeliveryRetryPolicy::IMMEDIATE;
        self.failed = std::mem::take(&mut self.failed).into_iter().map(|((_, n), failed)| ((now, n), failed)).collect();
    }

    /// Returns the next delivery and counts it as in flight.
    pub(crate) fn next(&mut self, now: Instant) -> NextStep {
        if !self.window.has_room(self.in_flight) {
            return NextStep::Wait(None);
        }
        let due = self.failed.first_key_value().map(|((due, _), _)| *due);
        let has_work = if self.unsent.is_empty() { due } else { Some(now) };
        let Some(from) = has_work.max(has_work.and(self.backoff.paused_until(now))) else { return NextStep::Wait(None) };
        if now < from {
            return NextStep::Wait(Some(from));
        }
        let again = if due.is_some_and(|due| due <= now) { self.failed.pop_first() } else { None };
        let (message, attempts) = match (again, self.unsent.pop_front()) {
            (Some((_, FailedMessage { message, attempts })), unsent) => {
                unsent.into_iter().for_each(|message| self.unsent.push_front(message));
                (message, attempts)
            }
            (None, Some(message)) => (Arc::new(message), 0),
            (None, None) => return NextStep::Wait(due),
        };
        self.in_flight += 1;
        NextStep::Deliver(Attempt { message, number: attempts + 1, began: now })
    }

    /// Records the result of a delivery. Returns the message if this was its last attempt.
    pub(crate) fn finish(&mut self, attempt: Attempt, answer: PushResult, now: Instant) -> Option<ExhaustedMessage> {
        self.in_flight -= 1;
        match answer {
            PushResult::Ack => {
                self.window.acked();
                self.backoff.acked();
                return None;
            }
            PushResult::Nack => {
                self.window.failed();
                self.backoff.failed(attempt.began, now);
            }
        }
        let Attempt { message, number: attempts, .. } = attempt;
        if self.policy.dead_letter.is_some_and(|policy| attempts >= policy.max_delivery_attempts) {
            return Some(ExhaustedMessage { message, attempts });
        }
        self.failure_count += 1;
        self.failed.insert((now + self.policy.retry.delay_after(attempts), self.failure_count), FailedMessage { message, attempts });
        None
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use bytes::Bytes;
    use jiff::Timestamp;

    use super::super::policy::DeadLetterPolicy;
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn backlog_of(count: usize, max_delivery_attempts: u32) -> Backlog {
        let mut backlog = Backlog::new(SubscriptionPolicy {
            ack_deadline: 60 * SECOND,
            retry: DeliveryRetryPolicy { minimum: 10 * SECOND, maximum: 600 * SECOND },
            dead_letter: Some(DeadLetterPolicy { max_delivery_attempts }),
        });
        for n in 0..count {
            backlog.add(Message {
                id: n.to_string(),
                data: Bytes::from_static(b"{}"),
                attributes: BTreeMap::new(),
                publish_time: Timestamp::UNIX_EPOCH,
            });
        }
        backlog
    }

    /// A push endpoint: returns how long it takes for this attempt, and its result.
    type Endpoint<'a> = &'a mut dyn FnMut(&Attempt) -> (Duration, PushResult);

    /// For each delivery: when it began (since the start), the message's id, the attempt's number.
    type Deliveries = Vec<(Duration, String, u32)>;

    /// Runs the backlog against an endpoint on a simulated clock, until it is empty.
    fn run(backlog: &mut Backlog, endpoint: Endpoint<'_>) -> (Deliveries, Vec<ExhaustedMessage>) {
        let start = Instant::now();
        let mut now = start;
        let (mut deliveries, mut exhausted) = (Vec::new(), Vec::new());
        let mut answers: BTreeMap<(Instant, usize), (Attempt, PushResult)> = BTreeMap::new();
        while backlog.len() > 0 {
            match backlog.next(now) {
                NextStep::Deliver(attempt) => {
                    deliveries.push((now - start, attempt.message.id.clone(), attempt.number));
                    let (took, answer) = endpoint(&attempt);
                    answers.insert((now + took, deliveries.len()), (attempt, answer));
                }
                NextStep::Wait(until) => {
                    let answered = answers.first_key_value().map(|((at, _), _)| *at);
                    now = [until, answered].into_iter().flatten().min().expect("an answer or a retry is due");
                    while let Some(((at, n), (attempt, answer))) = answers.pop_first() {
                        if at > now {
                            answers.insert((at, n), (attempt, answer));
                            break;
                        }
                        exhausted.extend(backlog.finish(attempt, answer, now));
                    }
                }
            }
        }
        (deliveries, exhausted)
    }

    #[test]
    fn acknowledged_messages_are_delivered_once_in_order() {
        let mut backlog = backlog_of(1000, 5);
        let (deliveries, exhausted) = run(&mut backlog, &mut |_| (SECOND, PushResult::Ack));
        let ids: Vec<String> = deliveries.iter().map(|(_, id, _)| id.clone()).collect();
        assert_eq!(ids, (0..1000).map(|n| n.to_string()).collect::<Vec<_>>(), "in the order of publishing");
        assert!(exhausted.is_empty());
        // 3, 6, 12 … 192, 200, 200, 200 make 981: the last deliveries begin in the eleventh round.
        let last = deliveries.last().unwrap().0;
        assert_eq!(last, 10 * SECOND, "the window grew");
    }

    #[test]
    fn retries_back_off_until_the_last_attempt() {
        let mut backlog = backlog_of(1, 5);
        let (deliveries, exhausted) = run(&mut backlog, &mut |_| (Duration::ZERO, PushResult::Nack));
        let at: Vec<(u64, u32)> = deliveries.iter().map(|(at, _, number)| (at.as_secs(), *number)).collect();
        assert_eq!(at, [(0, 1), (10, 2), (30, 3), (70, 4), (150, 5)]);
        let exhausted: Vec<_> = exhausted.iter().map(|exhausted| (exhausted.message.id.as_str(), exhausted.attempts)).collect();
        assert_eq!(exhausted, [("0", 5)]);
    }

    #[test]
    fn an_expired_ack_deadline_counts_as_an_attempt() {
        let mut backlog = backlog_of(1, 5);
        let mut endpoint = |attempt: &Attempt| match attempt.number {
            1 => (60 * SECOND, PushResult::Nack),
            _ => (SECOND, PushResult::Ack),
        };
        let (deliveries, exhausted) = run(&mut backlog, &mut endpoint);
        let at: Vec<(u64, u32)> = deliveries.iter().map(|(at, _, number)| (at.as_secs(), *number)).collect();
        assert_eq!(at, [(0, 1), (70, 2)], "the deadline, and then the retry policy");
        assert!(exhausted.is_empty());
    }

    #[test]
    fn a_failing_message_does_not_delay_the_others() {
        let mut backlog = backlog_of(200, 100);
        let mut endpoint = |attempt: &Attempt| {
            let poisoned = attempt.message.id == "7" && attempt.number < 3;
            (SECOND / 100, if poisoned { PushResult::Nack } else { PushResult::Ack })
        };
        let (deliveries, _) = run(&mut backlog, &mut endpoint);
        let others = deliveries.iter().filter(|(_, id, _)| id != "7").map(|(at, ..)| *at).max().unwrap();
        assert!(others < SECOND, "{others:?}");
        assert_eq!(deliveries.last().unwrap().2, 3);
    }

    /// The service is down for two minutes while a thousand messages wait.
    #[test]
    fn an_outage_slows_the_subscription_and_loses_no_message() {
        let mut backlog = backlog_of(1000, 100);
        let mut began = None;
        let mut nacks = 0;
        let mut endpoint = |attempt: &Attempt| {
            let start = *began.get_or_insert(attempt.began);
            let down = attempt.began - start < 120 * SECOND;
            nacks += usize::from(down);
            (SECOND / 100, if down { PushResult::Nack } else { PushResult::Ack })
        };
        let (deliveries, exhausted) = run(&mut backlog, &mut endpoint);
        assert!(exhausted.is_empty());
        // 100 ms, 200 ms … 51.2 s: eleven pauses fit into 105 seconds, and each round has fewer deliveries.
        assert!((11..=20).contains(&nacks), "{nacks} nacks");
        assert_eq!(deliveries.len(), 1000 + nacks);
        let recovered = deliveries.iter().filter(|(at, ..)| *at >= 120 * SECOND).map(|(at, ..)| *at);
        assert!(recovered.max().unwrap() < 240 * SECOND);
    }

    #[test]
    fn at_shutdown_retries_wait_only_for_push_backoff() {
        let mut backlog = backlog_of(2, 100);
        let start = Instant::now();
        let attempts = [(); 2].map(|()| match backlog.next(start) {
            NextStep::Deliver(attempt) => attempt,
            NextStep::Wait(_) => panic!("both messages are due"),
        });
        attempts.into_iter().for_each(|attempt| assert!(backlog.finish(attempt, PushResult::Nack, start).is_none()));
        assert!(matches!(backlog.next(start), NextStep::Wait(Some(until)) if until == start + 10 * SECOND));
        backlog.retry_at_once(start);
        assert!(matches!(backlog.next(start), NextStep::Wait(Some(until)) if until == start + SECOND / 10));
        let NextStep::Deliver(attempt) = backlog.next(start + SECOND / 10) else { panic!("the retry is due") };
        assert_eq!((attempt.message.id.as_str(), attempt.number), ("0", 2));
    }

    #[test]
    fn without_a_dead_letter_policy_retries_never_end() {
        let mut backlog = backlog_of(1, 5);
        backlog.policy.dead_letter = None;
        let mut endpoint = |attempt: &Attempt| (Duration::ZERO, if attempt.number < 500 { PushResult::Nack } else { PushResult::Ack });
        let (deliveries, exhausted) = run(&mut backlog, &mut endpoint);
        assert_eq!((deliveries.len(), exhausted.len()), (500, 0));
    }
}
