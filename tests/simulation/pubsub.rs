//! The simulated Pub/Sub: pushes each message to some instance until it is acknowledged.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use bytes::Bytes;
use futures_util::stream;
use hyper::service::Service as _;

use crate::checker::Delivery;
use crate::instance::Instance;
use crate::message::Message;
use crate::world::World;

/// From the first to the longest pause after a nack.
const BACKOFF_MILLIS: [u64; 7] = [100, 200, 400, 800, 1600, 3200, 6400];

/// Delivers a message until it is acknowledged, and then perhaps once more.
pub async fn deliver(world: Arc<World>, message: Arc<Message>) {
    tokio::time::sleep(message.published).await;
    let mut attempt = 0;
    while !world.is_over() && !world.checker().is_acked(message.id) {
        if world.is_given_up(&message) {
            return;
        }
        let Some(instance) = world.pick() else {
            world.sleep(100).await;
            continue;
        };
        if world.happens(2) {
            let (world, message, other) = (Arc::clone(&world), Arc::clone(&message), world.pick());
            tokio::spawn(async move {
                if let Some(other) = other {
                    push(&world, &message, &other).await;
                }
            });
        }
        push(&world, &message, &instance).await;
        let pause = BACKOFF_MILLIS[attempt.min(BACKOFF_MILLIS.len() - 1)];
        attempt += 1;
        world.sleep(world.random(pause / 2..pause)).await;
    }
    if world.happens(5) {
        world.sleep(world.random(0..100_000)).await;
        if let Some(instance) = world.pick() {
            push(&world, &message, &instance).await;
        }
    }
}

/// One delivery.
async fn push(world: &Arc<World>, message: &Arc<Message>, instance: &Arc<Instance>) {
    let Some(service) = instance.service() else { return };
    let is_cut = world.happens(1);
    let delivery = Delivery {
        message: message.id,
        instance: instance.id,
        sent: world.now(),
        is_after_shutdown: instance.is_shutting_down(),
        others: instance.others(),
        is_cut,
    };
    let body = if is_cut {
        cut_body(&message.body)
    } else if world.happens(5) {
        slow_body(world, message.body.clone())
    } else {
        Body::from(message.body.clone())
    };
    let request = Request::post("/").body(body).expect("a request");
    world.note(|| format!("m{} is pushed to i{}", message.id, instance.id));
    world.checker().history.counts.deliveries += 1;
    let mut task = tokio::spawn(async move { service.call(request).await.map(|response| response.status().as_u16()) });
    instance.add_request(task.abort_handle());
    // The sender goes away, or the ack deadline has passed.
    let ack_deadline = world.settings.config.push_deadline + Duration::from_secs(2);
    let patience = if world.happens(3) { Duration::from_millis(world.random(0..5000)) } else { ack_deadline };
    match tokio::time::timeout(patience, &mut task).await {
        Ok(Ok(Ok(status))) => {
            world.checker().answered(delivery, status, instance.is_shutting_down(), world.now());
            if status != 429 {
                world.check_progress(message, delivery.sent, status == 204);
            }
        }
        Ok(Ok(Err(error))) => {
            let error: Infallible = error;
            match error {}
        }
        // The instance was killed.
        Ok(Err(error)) if error.is_cancelled() => world.note(|| format!("i{} loses m{}", instance.id, message.id)),
        Ok(Err(error)) => world.violate(format!("i{} panics: {error}", instance.id)),
        Err(_) => {
            if patience == ack_deadline {
                world.violate(format!("i{} does not answer m{}", instance.id, message.id));
            }
            world.note(|| format!("the sender of m{} goes away", message.id));
            task.abort();
        }
    }
}

/// A body in two parts.
fn slow_body(world: &Arc<World>, body: Bytes) -> Body {
    let (pause, end) = (world.random(0..3000), body.len() / 2);
    let world = Arc::clone(world);
    let parts = [(0, body.slice(..end)), (pause, body.slice(end..))];
    Body::from_stream(stream::unfold(parts.into_iter(), move |mut parts| {
        let world = Arc::clone(&world);
        async move {
            let (pause, part) = parts.next()?;
            world.sleep(pause).await;
            Some((Ok::<_, Infallible>(part), parts))
        }
    }))
}

/// A body that ends before its end.
fn cut_body(body: &Bytes) -> Body {
    let parts = [Ok(body.slice(..body.len() / 2)), Err(std::io::Error::from(std::io::ErrorKind::ConnectionReset))];
    Body::from_stream(stream::iter(parts))
}
