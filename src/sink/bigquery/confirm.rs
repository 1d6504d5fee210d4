//! Whether rows whose requests were refused are at fault, or their table.
//!
//! A refusal of a whole request names no row, and a table may change between two requests. A row is at fault only if
//! BigQuery refuses it alone again, while it accepts a request for the table both before and after that. That request
//! repeats a row that is stored, which changes nothing because of its insertId. `split` finds the rows.

use std::future::Future;
use std::time::Duration;

use super::super::error::{ErrorClass, RequestError, RowResult};
use super::split::{RefusedRow, Split, refused};

type Answer = Result<Vec<RowResult>, RequestError>;

/// Sends the refused rows again, each alone, and replaces their results. `send` sends the row at this position.
pub(super) async fn confirm<F: Future<Output = Answer>>(refused_rows: &[RefusedRow], results: &mut [RowResult], send: impl Fn(usize) -> F) {
    let Some(stored) = results.iter().position(|result| *result == RowResult::Stored) else { return };
    if refused_rows.is_empty() {
        return;
    }
    let mut table = table_result(send(stored).await);
    let mut suspects: Vec<&RefusedRow> = refused_rows.iter().collect();
    if table == RowResult::Stored {
        suspects.clear();
        for refused_row in refused_rows {
            match send_twice(refused_row.row, &send).await {
                Err(RequestError::BadRequest(_)) => suspects.push(refused_row),
                answer => results[refused_row.row] = result(answer),
            }
        }
        if !suspects.is_empty() {
            table = table_result(send(stored).await);
        }
    }
    for RefusedRow { row, message } in suspects {
        results[*row] = if table == RowResult::Stored { refused(message.clone()) } else { table.clone() };
    }
}

/// Sends a row, and once more if it is refused: a table that fails every second time is no evidence against a row.
async fn send_twice<F: Future<Output = Answer>>(row: usize, send: impl Fn(usize) -> F) -> Answer {
    match send(row).await {
        Err(RequestError::BadRequest(_)) => send(row).await,
        answer => answer,
    }
}

/// The result of a request with a single row.
fn result(answer: Answer) -> RowResult {
    let mut split = Split::new(1);
    split.record(vec![0], answer);
    split.finish().0.remove(0)
}

/// The result of the request with the stored row: stored, or why the other rows are not.
fn table_result(answer: Answer) -> RowResult {
    match result(answer) {
        stored_or_table @ (RowResult::Stored | RowResult::Unavailable(_)) => stored_or_table,
        _ => RowResult::Retry { class: ErrorClass::Unavailable, after: Duration::ZERO },
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    /// Splits four rows, confirms the refusals, and returns the results. `is_accepted` tells for a request's number and
    /// rows whether BigQuery accepts it.
    async fn run(is_accepted: impl Fn(usize, &[usize]) -> bool) -> Vec<RowResult> {
        let number = Cell::new(0);
        let answer = |rows: &[usize]| {
            number.set(number.get() + 1);
            if is_accepted(number.get(), rows) {
                Ok(vec![RowResult::Stored; rows.len()])
            } else {
                Err(RequestError::BadRequest("400 invalid: m".to_owned()))
            }
        };
        let mut split = Split::new(4);
        while let Some(rows) = split.next() {
            let answer = answer(&rows);
            split.record(rows, answer);
        }
        let (mut results, refused_rows) = split.finish();
        confirm(&refused_rows, &mut results, |row| std::future::ready(answer(&[row]))).await;
        results
    }

    fn count_refused(results: &[RowResult]) -> usize {
        results.iter().filter(|result| matches!(result, RowResult::Refused(_))).count()
    }

    #[tokio::test]
    async fn rows_that_are_refused_each_time_are_at_fault() {
        for bad in [&[0][..], &[3], &[1, 2], &[0, 1, 2]] {
            let results = run(|_, rows| !rows.iter().any(|row| bad.contains(row))).await;
            for (row, result) in results.iter().enumerate() {
                let expected = if bad.contains(&row) { refused("400 invalid: m".to_owned()) } else { RowResult::Stored };
                assert_eq!(*result, expected, "{row} of {bad:?}");
            }
        }
    }

    #[tokio::test]
    async fn a_table_that_fails_for_a_time_refuses_no_row() {
        for first in 1..12 {
            for last in first..14 {
                let results = run(|number, _| !(first..=last).contains(&number)).await;
                assert_eq!(count_refused(&results), 0, "requests {first} to {last} fail: {results:?}");
            }
        }
    }

    #[tokio::test]
    async fn a_table_that_fails_every_second_time_refuses_no_row() {
        for parity in [0, 1] {
            assert_eq!(count_refused(&run(|number, _| number % 2 == parity).await), 0);
        }
    }

    #[tokio::test]
    async fn a_table_that_refuses_every_request_is_at_fault() {
        assert_eq!(run(|_, _| false).await, vec![RowResult::Unavailable(ErrorClass::TableRefused); 4]);
    }
}
