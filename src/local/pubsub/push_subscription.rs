//! The push subscription: sends what the backlog says, and tells it how that ended.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::backlog::{Answer, Attempt, Backlog, GivenUp, Next};
use super::dead_letter_topic::DeadLetterTopic;
use super::policy::Policy;
use super::topic::Published;
use super::{SUBSCRIPTION, is_ack};
use crate::local::activity::{Activity, Delivery};
use crate::telemetry::Throttle;

/// What Pub/Sub calls itself.
const USER_AGENT: &str = "APIs-Google; (+https://developers.google.com/webmasters/APIs-Google.html)";

/// Delivers what is published to one endpoint.
#[derive(Debug)]
pub struct PushSubscription {
    published: Published,
    policy: Policy,
    dead_letters: Arc<DeadLetterTopic>,
    activity: Activity,
    pusher: Pusher,
}

/// What a single delivery needs.
#[derive(Debug, Clone)]
struct Pusher {
    http: reqwest::Client,
    endpoint: String,
    /// `projects/P/subscriptions/S`
    subscription: String,
    tells_attempt: bool,
}

/// A delivery that has ended.
struct Ended {
    attempt: Attempt,
    /// `None` when there was none in time.
    status: Option<u16>,
    took: Duration,
}

impl PushSubscription {
    /// To `endpoint`, a URL.
    pub fn new(
        published: Published,
        endpoint: String,
        project: &str,
        policy: Policy,
        dead_letters: Arc<DeadLetterTopic>,
        activity: Activity,
    ) -> Result<Self, reqwest::Error> {
        // A redirect is a nack as well.
        let client = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none());
        let http = client.timeout(policy.ack_deadline).user_agent(USER_AGENT).build()?;
        let subscription = format!("projects/{project}/subscriptions/{SUBSCRIPTION}");
        let pusher = Pusher { http, endpoint, subscription, tells_attempt: policy.dead_letter.is_some() };
        Ok(Self { published, policy, dead_letters, activity, pusher })
    }

    /// Delivers until it is told a time by which to end; from then on takes no more messages, does
    /// not hold back failed ones, and ends when there are none left, or then. Returns how many were.
    pub async fn run(self, mut end: watch::Receiver<Option<Instant>>) -> usize {
        let Self { published: Published(mut published), policy, dead_letters, activity, pusher } = self;
        let mut backlog = Backlog::new(policy);
        let mut deliveries = JoinSet::new();
        let throttle = Throttle::new(Duration::from_secs(1));
        let (mut deadline, mut all_published) = (None, false);
        loop {
            let wake = loop {
                match backlog.next(Instant::now()) {
                    Next::Deliver(attempt) => drop(deliveries.spawn(pusher.clone().push(attempt))),
                    Next::Wait(until) => break until,
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
                Some(Ok(ended)) = deliveries.join_next(), if !deliveries.is_empty() => {
                    let answer = report(&ended, &activity, &throttle);
                    if let Some(given_up) = backlog.settle(ended.attempt, answer, Instant::now()) {
                        bury(&given_up, &dead_letters, &activity);
                    }
                }
                () = tokio::time::sleep_until(wake.unwrap_or_else(Instant::now)), if wake.is_some() => {}
                () = tokio::time::sleep_until(deadline.unwrap_or_else(Instant::now)), if deadline.is_some() => return backlog.len(),
                // Also when nobody is left who could tell it to end.
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
    async fn push(self, attempt: Attempt) -> Ended {
        let began = Instant::now();
        let body = attempt.message.push_body(&self.subscription, self.tells_attempt.then_some(attempt.number));
        let request = self.http.post(&self.endpoint).header("content-type", "application/json").body(body);
        let status = match request.send().await {
            Ok(response) => Some(response.status().as_u16()),
            Err(error) => {
                tracing::debug!(%error, "a delivery was not answered");
                None
            }
        };
        Ended { attempt, status, took: began.elapsed() }
    }
}

/// Tells the log and whoever watches how a delivery ended.
fn report(ended: &Ended, activity: &Activity, throttle: &Throttle) -> Answer {
    let Ended { attempt: Attempt { message, number, .. }, status, took } = ended;
    let acked = status.is_some_and(is_ack);
    if !acked && let Some(suppressed) = throttle.pass() {
        tracing::warn!(status, attempt = number, suppressed, "a delivery was not acknowledged");
    }
    activity.delivered(Delivery {
        message_id: message.id.clone(),
        data: message.data.clone(),
        publish_time: message.publish_time,
        attempt: *number,
        status: *status,
        acked,
        took: *took,
    });
    if acked { Answer::Ack } else { Answer::Failure }
}

fn bury(given_up: &GivenUp, dead_letters: &DeadLetterTopic, activity: &Activity) {
    dead_letters.publish(given_up, Timestamp::now());
    activity.dead_lettered();
    let GivenUp { message, attempts } = given_up;
    tracing::warn!(message_id = message.id, attempts, "a message was given up and is in the dead-letter topic, until this process ends");
}
