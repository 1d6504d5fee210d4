//! The push subscription: sends the deliveries that the backlog selects, and reports their results to it.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::backlog::{Attempt, Backlog, ExhaustedMessage, NextStep, PushResult};
use super::dead_letter_topic::DeadLetterTopic;
use super::policy::SubscriptionPolicy;
use super::topic::PublishedMessages;
use super::{SUBSCRIPTION, is_ack};
use crate::local::stats::{DeliveryRecord, TopologyStats};
use crate::telemetry::Throttle;

/// The User-Agent of Pub/Sub.
const USER_AGENT: &str = "APIs-Google; (+https://developers.google.com/webmasters/APIs-Google.html)";

/// Delivers published messages to one endpoint.
#[derive(Debug)]
pub struct PushSubscription {
    published: PublishedMessages,
    policy: SubscriptionPolicy,
    dead_letters: Arc<DeadLetterTopic>,
    stats: TopologyStats,
    pusher: Pusher,
}

/// The parameters of a delivery.
#[derive(Debug, Clone)]
struct Pusher {
    http: reqwest::Client,
    endpoint: String,
    /// `projects/P/subscriptions/S`
    subscription: String,
    sends_delivery_attempt: bool,
}

/// A finished delivery.
struct FinishedDelivery {
    attempt: Attempt,
    /// `None` without an answer in time.
    status: Option<u16>,
    took: Duration,
}

impl PushSubscription {
    /// `endpoint` is a URL.
    pub fn new(
        published: PublishedMessages,
        endpoint: String,
        project: &str,
        policy: SubscriptionPolicy,
        dead_letters: Arc<DeadLetterTopic>,
        stats: TopologyStats,
    ) -> Result<Self, reqwest::Error> {
        // A redirect counts as a nack.
        let client = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none());
        let http = client.timeout(policy.ack_deadline).user_agent(USER_AGENT).build()?;
        let subscription = format!("projects/{project}/subscriptions/{SUBSCRIPTION}");
        let pusher = Pusher { http, endpoint, subscription, sends_delivery_attempt: policy.dead_letter.is_some() };
        Ok(Self { published, policy, dead_letters, stats, pusher })
    }

    /// Delivers messages until `end` has a deadline. Then accepts no new message, retries failed ones without their delay,
    /// and returns when none is left or the deadline is over. Returns the number of unfinished messages.
    pub async fn run(self, mut end: watch::Receiver<Option<Instant>>) -> usize {
        let Self { published: PublishedMessages(mut published), policy, dead_letters, stats, pusher } = self;
        let mut backlog = Backlog::new(policy);
        let mut deliveries = JoinSet::new();
        let throttle = Throttle::new(Duration::from_secs(1));
        let (mut deadline, mut all_published) = (None, false);
        loop {
            let wake = loop {
                match backlog.next(Instant::now()) {
                    NextStep::Deliver(attempt) => drop(deliveries.spawn(pusher.clone().push(attempt))),
                    NextStep::Wait(until) => break until,
                }
            };
            if all_published && backlog.len() == 0 {
                return 0;
            }
            tokio::select! {
                message = published.recv(), if !all_published => match message {
                    Some(message) => backlog.add(message),
                    None => all_published = true,
                },
                Some(Ok(finished)) = deliveries.join_next(), if !deliveries.is_empty() => {
                    let answer = record(&finished, &stats, &throttle);
                    if let Some(exhausted) = backlog.finish(finished.attempt, answer, Instant::now()) {
                        dead_letter(&exhausted, &dead_letters, &stats);
                    }
                }
                () = tokio::time::sleep_until(wake.unwrap_or_else(Instant::now)), if wake.is_some() => {}
                () = tokio::time::sleep_until(deadline.unwrap_or_else(Instant::now)), if deadline.is_some() => return backlog.len(),
                // An error means that the sender is gone: shut down, too.
                Ok(()) | Err(_) = end.changed() => {
                    deadline = Some(end.borrow().unwrap_or_else(Instant::now));
                    published.close();
                    backlog.retry_at_once(Instant::now());
                }
            }
        }
    }
}

impl Pusher {
    async fn push(self, attempt: Attempt) -> FinishedDelivery {
        let began = Instant::now();
        let body = attempt.message.push_body(&self.subscription, self.sends_delivery_attempt.then_some(attempt.number));
        let request = self.http.post(&self.endpoint).header("content-type", "application/json").body(body);
        let status = match request.send().await {
            Ok(response) => Some(response.status().as_u16()),
            Err(error) => {
                tracing::debug!(%error, "push request failed");
                None
            }
        };
        FinishedDelivery { attempt, status, took: began.elapsed() }
    }
}

/// Logs a failed delivery, and records the result.
fn record(finished: &FinishedDelivery, stats: &TopologyStats, throttle: &Throttle) -> PushResult {
    let FinishedDelivery { attempt: Attempt { message, number, .. }, status, took } = finished;
    let acked = status.is_some_and(is_ack);
    if !acked && let Some(suppressed) = throttle.pass() {
        tracing::warn!(status, attempt = number, suppressed, "push delivery not acknowledged");
    }
    stats.record_delivery(DeliveryRecord {
        message_id: message.id.clone(),
        data: message.data.clone(),
        publish_time: message.publish_time,
        attempt: *number,
        status: *status,
        acked,
        took: *took,
    });
    if acked { PushResult::Ack } else { PushResult::Nack }
}

fn dead_letter(exhausted: &ExhaustedMessage, dead_letters: &DeadLetterTopic, stats: &TopologyStats) {
    dead_letters.publish(exhausted, Timestamp::now());
    stats.record_dead_letter();
    let ExhaustedMessage { message, attempts } = exhausted;
    tracing::warn!(message_id = message.id, attempts, "message moved to the dead-letter topic, which is kept in memory");
}
