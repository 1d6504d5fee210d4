//! Whether refused rows are at fault, or their table.
//!
//! A refusal may be about the table, and a table may change between two requests. A row is at fault only if BigQuery
//! refuses it alone again, while it accepts a request for the table both before and after that. That request repeats a row
//! that is stored, which changes nothing because of its insertId. `split` finds the rows.

use std::future::Future;
use std::slice;
use std::time::Duration;

use super::super::InsertRow;
use super::super::error::{ErrorClass, RequestError, RowResult};
use super::super::refusal::Refusal;
use super::split::{RefusedRow, Split};

type Answer = Result<Vec<RowResult>, RequestError>;

/// Sends the refused rows again, each alone, and replaces their results. `send` sends the row at this position.
pub(super) async fn confirm<F: Future<Output = Answer>>(
    rows: &[InsertRow],
    refused_rows: &[RefusedRow],
    results: &mut [RowResult],
    send: impl Fn(usize) -> F,
) {
    let Some(stored) = results.iter().position(|result| *result == RowResult::Stored) else { return };
    // A table that lacks an unknown column is known to be at fault.
    let mut suspects: Vec<&RefusedRow> = refused_rows.iter().filter(|refused| !refused.refusal.no_such_field).collect();
    if suspects.is_empty() {
        return;
    }
    let send_alone = async |row: usize| Alone::new(&rows[row], send(row).await);
    let mut table = send_alone(stored).await.table_result();
    if table == RowResult::Stored {
        let mut refused_again = Vec::new();
        let mut left = suspects.into_iter();
        for suspect in left.by_ref() {
            let mut alone = send_alone(suspect.row).await;
            if alone.is_refused {
                // A table may fail every second time, so one more refusal does not prove that the row is at fault.
                alone = send_alone(suspect.row).await;
            }
            if alone.is_refused {
                refused_again.push(suspect);
                continue;
            }
            results[suspect.row] = alone.result.clone();
            if matches!(alone.result, RowResult::Retry { after, .. } if !after.is_zero()) {
                // BigQuery wants no other request for the table either.
                table = alone.result;
                break;
            }
        }
        suspects = refused_again.into_iter().chain(left).collect();
        if table == RowResult::Stored && !suspects.is_empty() {
            table = send_alone(stored).await.table_result();
        }
    }
    for RefusedRow { row, refusal, .. } in suspects {
        results[*row] = if table == RowResult::Stored { RowResult::Refused(refusal.clone()) } else { table.clone() };
    }
}

/// The answer to a request with a single row.
pub(super) struct Alone {
    result: RowResult,
    /// The row is refused without proof that it is at fault.
    is_refused: bool,
}

impl Alone {
    pub(super) fn new(row: &InsertRow, answer: Answer) -> Self {
        let mut split = Split::new(slice::from_ref(row));
        split.record(vec![0], answer);
        let (mut results, refused_rows) = split.finish();
        Self { result: results.remove(0), is_refused: !refused_rows.is_empty() }
    }

    /// The result of a row that is at fault if it is refused again.
    pub(super) fn or_refused(self, refusal: &Refusal) -> RowResult {
        if self.is_refused { RowResult::Refused(refusal.clone()) } else { self.result }
    }

    /// The result for a row that is stored: stored again, or why other rows of the table are not.
    fn table_result(self) -> RowResult {
        match self.result {
            stored_or_table @ (RowResult::Stored | RowResult::Unavailable(_) | RowResult::Retry { .. }) => stored_or_table,
            RowResult::Refused(_) | RowResult::NotAttempted => RowResult::Retry { class: ErrorClass::Unavailable, after: Duration::ZERO },
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::super::split::tests::rows;
    use super::*;

    /// How BigQuery refuses rows: the whole request, or each row for a reason that is not one of its values.
    const FORMS: [Form; 2] = [Form::Request, Form::Rows];

    #[derive(Debug, Clone, Copy, PartialEq)]
    enum Form {
        Request,
        Rows,
    }

    fn refusal(form: Form) -> Refusal {
        match form {
            Form::Request => Refusal::of_request("400 invalid: m".to_owned()),
            Form::Rows => Refusal::of_row(None, Some("m".to_owned())),
        }
    }

    /// Splits four rows, confirms the refusals, and returns the results. `is_accepted` tells for a request's number and
    /// rows whether BigQuery accepts it.
    async fn run(form: Form, is_accepted: impl Fn(usize, &[usize]) -> bool) -> Vec<RowResult> {
        let (number, all_rows) = (Cell::new(0), rows(4));
        let answer = |rows: &[usize]| {
            number.set(number.get() + 1);
            if is_accepted(number.get(), rows) {
                return Ok(vec![RowResult::Stored; rows.len()]);
            }
            match form {
                Form::Request => Err(RequestError::BadRequest("400 invalid: m".to_owned())),
                Form::Rows => Ok(vec![RowResult::Refused(refusal(form)); rows.len()]),
            }
        };
        let mut split = Split::new(&all_rows);
        while let Some(rows) = split.next() {
            let answer = answer(&rows);
            split.record(rows, answer);
        }
        let (mut results, refused_rows) = split.finish();
        confirm(&all_rows, &refused_rows, &mut results, |row| std::future::ready(answer(&[row]))).await;
        results
    }

    fn count_refused(results: &[RowResult]) -> usize {
        results.iter().filter(|result| matches!(result, RowResult::Refused(_))).count()
    }

    #[tokio::test]
    async fn nothing_is_sent_after_a_retry_after() {
        let after = Duration::from_secs(20);
        for pause_at in 1..=4 {
            let number = Cell::new(0);
            let refused_rows: Vec<RefusedRow> =
                (1..4).map(|row| RefusedRow { row, refusal: refusal(Form::Request), is_named: false }).collect();
            let mut results = vec![RowResult::Unavailable(ErrorClass::TableRefused); 4];
            results[0] = RowResult::Stored;
            let send = |row: usize| {
                number.set(number.get() + 1);
                std::future::ready(match row {
                    _ if number.get() == pause_at => Err(RequestError::Retry { class: ErrorClass::Quota, after }),
                    0 => Ok(vec![RowResult::Stored]),
                    _ => Err(RequestError::BadRequest("400 invalid: m".to_owned())),
                })
            };
            confirm(&rows(4), &refused_rows, &mut results, send).await;
            assert_eq!(number.get(), pause_at);
            assert_eq!(results[1..], vec![RowResult::Retry { class: ErrorClass::Quota, after }; 3]);
        }
    }

    #[tokio::test]
    async fn rows_that_are_refused_each_time_are_at_fault() {
        for bad in [&[0][..], &[3], &[1, 2], &[0, 1, 2]] {
            let results = run(Form::Request, |_, rows| !rows.iter().any(|row| bad.contains(row))).await;
            for (row, result) in results.iter().enumerate() {
                let expected = if bad.contains(&row) { RowResult::Refused(refusal(Form::Request)) } else { RowResult::Stored };
                assert_eq!(*result, expected, "{row} of {bad:?}");
            }
        }
    }

    #[tokio::test]
    async fn a_table_that_fails_for_a_time_refuses_no_row() {
        for form in FORMS {
            for first in 1..12 {
                for last in first..14 {
                    let results = run(form, |number, _| !(first..=last).contains(&number)).await;
                    assert_eq!(count_refused(&results), 0, "requests {first} to {last} fail: {results:?}");
                }
            }
        }
    }

    #[tokio::test]
    async fn a_table_that_fails_every_second_time_refuses_no_row() {
        for form in FORMS {
            for parity in [0, 1] {
                assert_eq!(count_refused(&run(form, |number, _| number % 2 == parity).await), 0);
            }
        }
    }

    #[tokio::test]
    async fn a_table_that_refuses_every_request_is_at_fault() {
        for form in FORMS {
            assert_eq!(run(form, |_, _| false).await, vec![RowResult::Unavailable(ErrorClass::TableRefused); 4]);
        }
    }
}
