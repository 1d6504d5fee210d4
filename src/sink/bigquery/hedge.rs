//! A second request for the same rows while the first one is still under way.
//!
//! A request without an answer is lost, or BigQuery is slow. A second request helps against the first. To wait for the
//! first request helps against the second: if it were dropped, rows that BigQuery stores slowly would be stored each time
//! and acknowledged never. BigQuery stores the rows once, by their insertIds.

use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use futures_util::future::select;
use tokio::time::timeout;

use super::super::error::{RequestError, RowResult};

type Answer = Result<Vec<RowResult>, RequestError>;

/// Sends the request, and once more if it has no answer after `delay`. The first answer that decides about every row
/// counts. After any other answer, that of the other request is waited for.
pub(super) async fn hedged<F: Future<Output = Answer>>(delay: Duration, request: impl Fn() -> F) -> Answer {
    let mut first = pin!(request());
    if let Ok(answer) = timeout(delay, first.as_mut()).await {
        return answer;
    }
    let second = pin!(request());
    let (answer, other) = select(first, second).await.factor_first();
    if is_final(&answer) { answer } else { merge(answer, other.await) }
}

/// Whether each row is stored or refused for good.
fn is_final(answer: &Answer) -> bool {
    answer.as_ref().is_ok_and(|results| results.iter().all(|result| matches!(result, RowResult::Stored | RowResult::Refused(_))))
}

/// The better result of each row.
fn merge(one: Answer, other: Answer) -> Answer {
    match (one, other) {
        (Ok(one), Ok(other)) => Ok(one.into_iter().zip(other).map(|(one, other)| better(one, other)).collect()),
        (Ok(results), Err(_)) | (Err(_), Ok(results)) => Ok(results),
        (Err(_), Err(last)) => Err(last),
    }
}

fn better(one: RowResult, other: RowResult) -> RowResult {
    match (one, other) {
        (RowResult::Stored, _) | (_, RowResult::Stored) => RowResult::Stored,
        (refused @ RowResult::Refused(_), _) | (_, refused @ RowResult::Refused(_)) => refused,
        (one, _) => one,
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use tokio::time::{Instant, sleep};

    use super::*;
    use crate::sink::error::ErrorClass;

    const SECOND: Duration = Duration::from_secs(1);

    fn retry() -> RowResult {
        RowResult::Retry { class: ErrorClass::Unavailable, after: Duration::ZERO }
    }

    /// The answer to requests that are answered after these times with these results, how many were sent, and when it came.
    async fn run(answers: [(u32, Answer); 2]) -> (Answer, usize, Duration) {
        let (started, sent) = (Instant::now(), Cell::new(0));
        let answer = hedged(3 * SECOND, || {
            let (after, answer) = answers[sent.get()].clone();
            sent.set(sent.get() + 1);
            async move {
                sleep(after * SECOND).await;
                answer
            }
        });
        (answer.await, sent.get(), started.elapsed())
    }

    #[tokio::test(start_paused = true)]
    async fn a_prompt_answer_is_the_only_one_whatever_it_is() {
        for answer in [Ok(vec![RowResult::Stored]), Ok(vec![retry()]), Err(RequestError::NotFound)] {
            assert_eq!(run([(2, answer.clone()), (0, Ok(vec![]))]).await, (answer, 1, 2 * SECOND));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_first_request_decides_however_slow_it_is() {
        for seconds in [5, 6, 7] {
            let answers = [(seconds, Ok(vec![RowResult::Stored])), (seconds, Ok(vec![RowResult::Stored]))];
            assert_eq!(run(answers).await, (Ok(vec![RowResult::Stored]), 2, seconds * SECOND));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_second_request_decides_if_the_first_is_lost() {
        assert_eq!(
            run([(600, Err(RequestError::TRANSIENT)), (1, Ok(vec![RowResult::Stored]))]).await,
            (Ok(vec![RowResult::Stored]), 2, 4 * SECOND)
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_failure_waits_for_the_other_request() {
        for failed in [Err(RequestError::TRANSIENT), Err(RequestError::Unavailable(ErrorClass::Denied)), Ok(vec![retry()])] {
            for answers in
                [[(4, failed.clone()), (5, Ok(vec![RowResult::Stored]))], [(8, Ok(vec![RowResult::Stored])), (1, failed.clone())]]
            {
                assert_eq!(run(answers).await, (Ok(vec![RowResult::Stored]), 2, 8 * SECOND));
            }
        }
        let failed = [(4, Err(RequestError::TRANSIENT)), (4, Err(RequestError::NotFound))];
        assert_eq!(run(failed).await, (Err(RequestError::NotFound), 2, 7 * SECOND));
    }

    #[tokio::test(start_paused = true)]
    async fn the_better_result_of_each_row_counts() {
        let answers =
            [(4, Ok(vec![RowResult::Stored, retry(), retry()])), (4, Ok(vec![retry(), RowResult::Stored, RowResult::NotAttempted]))];
        assert_eq!(run(answers).await.0, Ok(vec![RowResult::Stored, RowResult::Stored, retry()]));
    }
}
