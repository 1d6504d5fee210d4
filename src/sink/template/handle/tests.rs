//! The handle alone: each test is the watcher itself, on paused time.

use std::time::Duration;

use futures_util::FutureExt as _;

use super::*;
use crate::config::TemplateSettings;

const SECOND: Duration = Duration::from_secs(1);

/// A table that was read just now.
fn current(is_fitting: bool) -> Current {
    let TemplateSettings { schema, decode, .. } = TemplateSettings::example("");
    Current { decoder: is_fitting.then(|| Arc::new(Decoder::new(decode, &schema))), requested_at: Instant::now() }
}

fn is_read_requested(publisher: &Publisher) -> bool {
    publisher.read_requested().now_or_never().is_some()
}

/// What `decoder` returns within so long, and when.
async fn decoder(template: &Template, within: Duration) -> (Result<(), TemplateError>, Duration) {
    let began = Instant::now();
    let result = template.decoder(began + within).await.map(drop);
    (result, began.elapsed())
}

#[tokio::test(start_paused = true)]
async fn before_the_first_read_a_message_waits_until_its_deadline() {
    let (publisher, template) = channel();
    assert!(!template.is_ready());
    let (result, took) = decoder(&template, 2 * SECOND).await;
    assert_eq!(result, Err(TemplateError::NotRead));
    assert!((2 * SECOND..3 * SECOND).contains(&took), "{took:?}");
    let publish = async {
        tokio::time::sleep(SECOND).await;
        publisher.publish(current(true));
    };
    let ((result, took), ()) = tokio::join!(decoder(&template, 8 * SECOND), publish);
    assert_eq!(result, Ok(()));
    assert!(took < 2 * SECOND, "{took:?}");
    assert!(template.is_ready());
    assert!(!is_read_requested(&publisher), "the watcher reads without a request");
}

#[tokio::test(start_paused = true)]
async fn a_table_that_fits_is_used_whatever_its_age() {
    let (publisher, template) = channel();
    publisher.publish(current(true));
    tokio::time::advance(3600 * SECOND).await;
    assert_eq!(decoder(&template, SECOND).await, (Ok(()), Duration::ZERO));
    assert!(!publisher.is_mismatch() && !is_read_requested(&publisher));
}

#[tokio::test(start_paused = true)]
async fn a_table_that_does_not_fit_is_read_again_when_its_time_has_come() {
    let (publisher, template) = channel();
    publisher.publish(current(false));
    assert!(publisher.is_mismatch() && !template.is_ready());
    tokio::time::advance(MISMATCH_INTERVAL - Duration::from_millis(1)).await;
    assert_eq!(decoder(&template, 8 * SECOND).await, (Err(TemplateError::Mismatch), Duration::ZERO));
    assert!(!is_read_requested(&publisher), "the time has not come");
    tokio::time::advance(Duration::from_millis(1)).await;
    let reads = async {
        publisher.read_requested().await;
        tokio::time::sleep(SECOND).await;
        publisher.publish(current(true));
    };
    let ((result, took), ()) = tokio::join!(decoder(&template, 8 * SECOND), reads);
    assert_eq!(result, Ok(()));
    assert!(took >= SECOND, "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_read_that_was_requested_before_is_not_fresh() {
    let (publisher, template) = channel();
    publisher.publish(current(true));
    let read = Instant::now();
    assert!(template.decoder_after(read, read).await.is_ok(), "requested at that time");
    assert!(!is_read_requested(&publisher), "it is there already");
    tokio::time::advance(SECOND).await;
    let before = current(true);
    tokio::time::advance(SECOND).await;
    let since = Instant::now();
    let reads = async {
        publisher.read_requested().await;
        publisher.publish(before);
        tokio::time::sleep(SECOND).await;
        publisher.publish(Current { requested_at: since, ..current(true) });
    };
    let (result, ()) = tokio::join!(template.decoder_after(since, since + 8 * SECOND), reads);
    assert!(result.is_ok());
    assert!(since.elapsed() >= SECOND, "not by the answer to the request of before");
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_for_a_watcher_that_has_ended() {
    let (publisher, template) = channel();
    let end = async {
        tokio::time::sleep(SECOND).await;
        drop(publisher);
    };
    let ((result, took), ()) = tokio::join!(decoder(&template, 8 * SECOND), end);
    assert_eq!(result, Err(TemplateError::NotRead));
    assert!(took < 2 * SECOND, "{took:?}");
}
