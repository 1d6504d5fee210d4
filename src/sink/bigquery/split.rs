//! Which rows to send together, so that a row that BigQuery refuses is found and the others are stored.
//!
//! A request that is refused as a whole is halved until the row that causes it is alone. Such a refusal names no row, so
//! the cause may be the table or the settings: `confirm` decides. The same holds for a refusal of one row that is not about
//! a value of this row, such as a REQUIRED column that nothing fills, unless BigQuery stores another row of the request.
//! No I/O.

use std::time::Duration;

use super::super::InsertRow;
use super::super::error::{ErrorClass, RequestError, RowResult};
use super::super::refusal::Refusal;

/// Requests after which a table counts as refused if BigQuery has stored no row. Enough for each of 16 rows alone.
const MAX_REFUSED_REQUESTS: usize = 32;

/// The rows of one batch: what is still to be sent, and the results so far. Rows are named by their position.
#[derive(Debug)]
pub(super) struct Split<'r> {
    rows: &'r [InsertRow],
    results: Vec<RowResult>,
    /// Requests to send, the next one last.
    work: Vec<Vec<usize>>,
    /// Refused requests to split after all others, and refused single rows.
    refused: Vec<(Vec<usize>, Cause)>,
    /// BigQuery has stored a row of the table.
    is_accepted: bool,
    /// BigQuery wants no request for the table for a time: the result of the rows that are still to be sent.
    retry_after: Option<RowResult>,
    sent: usize,
}

/// A row that BigQuery refuses, and maybe not because of the row.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct RefusedRow {
    pub(super) row: usize,
    pub(super) refusal: Refusal,
    /// BigQuery refuses this row, and not a whole request.
    pub(super) is_named: bool,
}

impl RefusedRow {
    /// Whether a row that BigQuery stores later shows that this one is at fault. A refused request names no row, and a table
    /// that lacks an unknown column is known to be at fault.
    pub(super) fn is_suspect(&self) -> bool {
        self.is_named && !self.refusal.no_such_field
    }
}

/// Why a request stored nothing.
#[derive(Debug)]
enum Cause {
    Row(Refusal),
    Request(Refusal),
    /// A proxy refuses the size.
    TooLarge,
}

impl<'r> Split<'r> {
    pub(super) fn new(rows: &'r [InsertRow]) -> Self {
        let (results, work) = (vec![RowResult::NotAttempted; rows.len()], vec![(0..rows.len()).collect()]);
        Self { rows, results, work, refused: Vec::new(), is_accepted: false, retry_after: None, sent: 0 }
    }

    /// The rows of the next request.
    pub(super) fn next(&mut self) -> Option<Vec<usize>> {
        if self.retry_after.is_some() {
            return None;
        }
        if self.work.is_empty() && (self.is_accepted || self.sent < MAX_REFUSED_REQUESTS) {
            let (together, alone): (Vec<_>, Vec<_>) = std::mem::take(&mut self.refused).into_iter().partition(|(rows, _)| rows.len() > 1);
            self.refused = alone;
            for (rows, _) in together {
                self.halve(rows);
            }
        }
        if !self.is_accepted && self.sent >= 2 * MAX_REFUSED_REQUESTS {
            return None;
        }
        self.sent += 1;
        self.work.pop()
    }

    /// Records the answer to a request with these rows.
    pub(super) fn record(&mut self, rows: Vec<usize>, answer: Result<Vec<RowResult>, RequestError>) {
        let result = match answer {
            Ok(results) => return self.accept(rows, results),
            Err(RequestError::TooLarge(Some(_))) if rows.len() > 1 => return self.halve(rows),
            Err(RequestError::TooLarge(Some(detail))) => RowResult::Refused(Refusal::of_request(detail)),
            Err(RequestError::BadRequest(detail)) => return self.refuse(rows, Cause::Request(Refusal::of_request(detail))),
            Err(RequestError::TooLarge(None)) => return self.refuse(rows, Cause::TooLarge),
            Err(RequestError::Retry { class, after }) => {
                let retry = RowResult::Retry { class, after };
                self.retry_after = Some(retry.clone()).filter(|_| !after.is_zero());
                retry
            }
            Err(RequestError::Unreadable(_)) => RowResult::Retry { class: ErrorClass::Unreadable, after: Duration::ZERO },
            Err(RequestError::Unavailable(class)) => RowResult::Unavailable(class),
            Err(RequestError::Unauthorized) => RowResult::Unavailable(ErrorClass::Denied),
            // BigQuery takes seconds to minutes to create a generated table, and the watcher creates a missing template.
            Err(RequestError::NotFound) => RowResult::Retry { class: ErrorClass::Unavailable, after: Duration::ZERO },
        };
        for row in rows {
            self.results[row] = result.clone();
        }
    }

    /// The results of all rows, and the rows that are refused without proof that they are at fault. Their result is that
    /// the table is refused.
    pub(super) fn finish(mut self) -> (Vec<RowResult>, Vec<RefusedRow>) {
        let mut refused_rows = Vec::new();
        if let Some(retry) = self.retry_after {
            for row in self.work.into_iter().chain(self.refused.into_iter().map(|(rows, _)| rows)).flatten() {
                self.results[row] = retry.clone();
            }
            return (self.results, refused_rows);
        }
        for (rows, cause) in self.refused {
            for row in rows {
                self.results[row] = match &cause {
                    Cause::Row(refusal) | Cause::Request(refusal) => {
                        let is_named = matches!(cause, Cause::Row(_));
                        refused_rows.push(RefusedRow { row, refusal: refusal.clone(), is_named });
                        RowResult::Unavailable(ErrorClass::TableRefused)
                    }
                    Cause::TooLarge => RowResult::Retry { class: ErrorClass::Unavailable, after: Duration::ZERO },
                };
            }
        }
        (self.results, refused_rows)
    }

    /// Records a refusal that names no row.
    fn refuse(&mut self, rows: Vec<usize>, cause: Cause) {
        // After a row that was refused alone, a request that is accepted is more likely among the others.
        let is_waiting = !self.refused.is_empty() && !self.is_accepted;
        if rows.len() > 1 && !is_waiting { self.halve(rows) } else { self.refused.push((rows, cause)) }
    }

    /// Records the result of each row.
    ///
    /// BigQuery marks valid rows next to an invalid one as invalid, too, without a column or a message
    /// (<https://github.com/GoogleCloudDataproc/hadoop-connectors/issues/61>): such rows are sent again with fewer others,
    /// in the end alone.
    fn accept(&mut self, rows: Vec<usize>, results: Vec<RowResult>) {
        let is_accepted = results.contains(&RowResult::Stored);
        self.is_accepted |= is_accepted;
        let is_of_table = self.is_of_table(&rows, &results);
        let refused_before = self.refused.len();
        let (mut unexplained, mut not_attempted) = (Vec::new(), Vec::new());
        for (row, result) in rows.iter().copied().zip(results) {
            match result {
                RowResult::Refused(refusal) if rows.len() > 1 && !refusal.is_explained() => unexplained.push(row),
                RowResult::Refused(refusal) => match refusal.column_in(&self.rows[row].json) {
                    Some(column) if refusal.no_such_field || !is_of_table => {
                        self.results[row] = RowResult::Refused(Refusal { column: Some(column), ..refusal });
                    }
                    // A table that lacks an unknown column lacks it for every row that has it.
                    _ if is_accepted && !refusal.no_such_field => self.results[row] = RowResult::Refused(refusal),
                    _ => self.refused.push((vec![row], Cause::Row(refusal))),
                },
                RowResult::NotAttempted => not_attempted.push(row),
                result => self.results[row] = result,
            }
        }
        if unexplained.len() == rows.len() {
            return self.refuse(unexplained, Cause::Row(Refusal::of_row(None, None)));
        }
        // Whether BigQuery stores them shows who is at fault.
        if self.refused.len() > refused_before {
            unexplained.append(&mut not_attempted);
        }
        if !unexplained.is_empty() {
            self.work.push(unexplained);
        }
    }

    /// Whether BigQuery refuses rows of different values in the same words, which are not about the values then.
    fn is_of_table(&self, rows: &[usize], results: &[RowResult]) -> bool {
        let [RowResult::Refused(refusal), others @ ..] = results else { return false };
        let value = |row: usize| refusal.value_in(&self.rows[row].json);
        others.iter().all(|other| *other == results[0]) && rows.iter().any(|row| value(*row) != value(rows[0]))
    }

    fn halve(&mut self, mut rows: Vec<usize>) {
        let second = rows.split_off(rows.len() / 2);
        self.work.extend([second, rows]);
    }
}

#[cfg(test)]
pub(super) mod tests;
