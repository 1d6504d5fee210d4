//! The push subscription of `local` over real sockets: its requests, and how it handles answers. The timing is tested
//! with `backlog`, on a simulated clock.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use pixel_pipeline::local::pubsub::{
    Attributes, DeadLetterPolicy, DeadLetterTopic, DeliveryRetryPolicy, PushSubscription, SubscriptionPolicy, Topic,
};
use pixel_pipeline::local::stats::TopologyStats;
use pixel_pipeline::source::http::server;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use crate::support::service::TIMEOUT;

/// Sends no answer.
const NO_ANSWER: u16 = 0;

/// A push endpoint that answers the n-th delivery with the n-th status, and all later ones with the last.
async fn endpoint(statuses: &'static [u16]) -> (String, mpsc::UnboundedReceiver<Value>) {
    let (bodies, received) = mpsc::unbounded_channel();
    let count = Arc::new(AtomicUsize::new(0));
    let answer = async move |State(count): State<Arc<AtomicUsize>>, body: String| {
        let n = count.fetch_add(1, Ordering::Relaxed);
        let _ = bodies.send(serde_json::from_str(&body).unwrap());
        match statuses[n.min(statuses.len() - 1)] {
            NO_ANSWER => std::future::pending().await,
            status => StatusCode::from_u16(status).unwrap(),
        }
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    tokio::spawn(server::serve(listener, Router::new().fallback(answer).with_state(count), std::future::pending()));
    (url, received)
}

/// A topic, its push requests and its dead letters.
struct Pubsub {
    topic: Topic,
    received: mpsc::UnboundedReceiver<Value>,
    stats: TopologyStats,
    dead_letters: Arc<DeadLetterTopic>,
}

/// Retries are delayed only by push backoff.
fn policy() -> SubscriptionPolicy {
    SubscriptionPolicy {
        ack_deadline: TIMEOUT,
        retry: DeliveryRetryPolicy::IMMEDIATE,
        dead_letter: Some(DeadLetterPolicy { max_delivery_attempts: 5 }),
    }
}

/// A topic, and its subscription to an endpoint with these answers.
async fn pubsub(statuses: &'static [u16], policy: SubscriptionPolicy) -> (Pubsub, PushSubscription) {
    let (url, received) = endpoint(statuses).await;
    let stats = TopologyStats::default();
    let (topic, published) = Topic::new(stats.clone());
    let dead_letters = Arc::new(DeadLetterTopic::new("p"));
    let subscription = PushSubscription::new(published, url, "p", policy, Arc::clone(&dead_letters), stats.clone()).unwrap();
    (Pubsub { topic, received, stats, dead_letters }, subscription)
}

impl Pubsub {
    fn publish(&self, data: &'static str) -> String {
        self.topic.publish(data.into(), Attributes::new()).expect("the topic is open")
    }

    /// Delivers until every message is finished, or `within` is over. Returns the number of unfinished messages, and the
    /// bodies of all push requests.
    async fn deliver(&mut self, subscription: PushSubscription, within: Duration) -> (usize, Vec<Value>) {
        let (end, ended) = watch::channel(None);
        end.send_replace(Some(Instant::now() + within));
        let left = subscription.run(ended).await;
        (left, std::iter::from_fn(|| self.received.try_recv().ok()).collect())
    }
}

#[tokio::test]
async fn messages_are_delivered_until_acknowledged() {
    for statuses in [&[429, 301, 203, 204][..], &[503, 200], &[400, 201], &[503, 202], &[NO_ANSWER, 204]] {
        let ack_deadline = if statuses[0] == NO_ANSWER { Duration::from_millis(200) } else { TIMEOUT };
        let (mut pubsub, subscription) = pubsub(statuses, SubscriptionPolicy { ack_deadline, ..policy() }).await;
        let mut deliveries = pubsub.stats.subscribe();
        let id = pubsub.topic.publish("{}".into(), Attributes::from([("k".to_owned(), "v".to_owned())])).expect("the topic is open");
        let (left, bodies) = pubsub.deliver(subscription, TIMEOUT).await;
        assert_eq!(left, 0, "{statuses:?}");
        let attempts: Vec<u64> = bodies.iter().map(|body| body["deliveryAttempt"].as_u64().unwrap()).collect();
        assert_eq!(attempts, (1..=statuses.len() as u64).collect::<Vec<_>>(), "{statuses:?}");
        for body in bodies {
            assert_eq!(body["message"]["messageId"], id.as_str());
            assert_eq!((&body["message"]["data"], &body["message"]["attributes"]["k"]), (&"e30=".into(), &"v".into()));
        }
        let counts = pubsub.stats.counts();
        assert_eq!((counts.published, counts.acked, counts.nacked), (1, 1, statuses.len() as u64 - 1));
        let first = deliveries.try_recv().unwrap();
        let status = Some(statuses[0]).filter(|status| *status != NO_ANSWER);
        assert_eq!((first.status, first.acked, first.attempt), (status, false, 1));
        assert_eq!(pubsub.dead_letters.messages(), []);
    }
}

#[tokio::test]
async fn messages_are_dead_lettered_after_the_last_attempt() {
    let (mut pubsub, subscription) = pubsub(&[503], policy()).await;
    pubsub.publish("poison");
    let (left, bodies) = pubsub.deliver(subscription, TIMEOUT).await;
    assert_eq!((left, bodies.len()), (0, 5));
    let [message] = &pubsub.dead_letters.messages()[..] else { panic!("expected one message") };
    assert_eq!(message.data.as_ref(), b"poison");
    assert_eq!(message.attributes["CloudPubSubDeadLetterSourceDeliveryCount"], "5");
    assert_eq!(pubsub.stats.counts().dead_lettered, 1);
}

#[tokio::test]
async fn empty_members_are_not_pushed() {
    let (mut pubsub, subscription) = pubsub(&[204], SubscriptionPolicy { dead_letter: None, ..policy() }).await;
    pubsub.publish("");
    let (_, bodies) = pubsub.deliver(subscription, TIMEOUT).await;
    let names = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&bodies[0]), ["message", "subscription"], "no delivery attempt without a dead-letter policy");
    assert_eq!(names(&bodies[0]["message"]), ["messageId", "message_id", "publishTime", "publish_time"]);
}

#[tokio::test]
async fn messages_unfinished_at_the_deadline_are_counted() {
    let (mut pubsub, subscription) = pubsub(&[503], policy()).await;
    (0..7).for_each(|_| drop(pubsub.publish("{}")));
    let (left, _) = pubsub.deliver(subscription, Duration::from_millis(300)).await;
    assert_eq!(left, 7);
    assert_eq!(pubsub.topic.publish("{}".into(), Attributes::new()), None, "the topic is closed");
}
