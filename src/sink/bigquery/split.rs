//! Which rows to send together, so that a row that BigQuery refuses is found and the others are stored.
//!
//! A request that is refused as a whole is halved until the row that causes it is alone. Such a refusal names no row, so
//! the cause may be the table or the settings: `confirm` decides. No I/O.

use std::time::Duration;

use super::super::error::{ErrorClass, Refusal, RequestError, RowResult};

/// Requests after which a table counts as refused if BigQuery has accepted none. Enough for each of 16 rows alone.
const MAX_REFUSED_REQUESTS: usize = 32;

/// The rows of one batch: what is still to be sent, and the results so far. Rows are named by their position.
#[derive(Debug)]
pub(super) struct Split {
    results: Vec<RowResult>,
    /// Requests to send, the next one last.
    work: Vec<Vec<usize>>,
    /// Refused requests to split after all others, and refused single rows.
    refused: Vec<(Vec<usize>, RequestError)>,
    /// BigQuery has accepted a request for the table.
    is_accepted: bool,
    sent: usize,
}

/// A row whose request was refused as a whole.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct RefusedRow {
    pub(super) row: usize,
    /// BigQuery's message.
    pub(super) message: String,
}

impl Split {
    pub(super) fn new(count: usize) -> Self {
        let (results, work) = (vec![RowResult::NotAttempted; count], vec![(0..count).collect()]);
        Self { results, work, refused: Vec::new(), is_accepted: false, sent: 0 }
    }

    /// The rows of the next request.
    pub(super) fn next(&mut self) -> Option<Vec<usize>> {
        if self.work.is_empty() && (self.is_accepted || self.sent < MAX_REFUSED_REQUESTS) {
            let (together, alone): (Vec<_>, Vec<_>) = std::mem::take(&mut self.refused).into_iter().partition(|(rows, _)| rows.len() > 1);
            self.refused = alone;
            for (rows, _) in together {
                self.halve(rows);
            }
        }
        self.sent += 1;
        self.work.pop()
    }

    /// Records the answer to a request with these rows.
    pub(super) fn record(&mut self, rows: Vec<usize>, answer: Result<Vec<RowResult>, RequestError>) {
        let result = match answer {
            Ok(results) => return self.accept(&rows, results),
            Err(RequestError::TooLarge(Some(_))) if rows.len() > 1 => return self.halve(rows),
            Err(RequestError::TooLarge(Some(detail))) => refused(detail),
            Err(error @ (RequestError::BadRequest(_) | RequestError::TooLarge(None))) => {
                // After a row that was refused alone, a request that is accepted is more likely among the others.
                let is_waiting = !self.refused.is_empty() && !self.is_accepted;
                return if rows.len() > 1 && !is_waiting { self.halve(rows) } else { self.refused.push((rows, error)) };
            }
            Err(RequestError::Retry { class, after }) => RowResult::Retry { class, after },
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

    /// The results of all rows, and the rows whose requests were refused. Their result is that the table is refused.
    pub(super) fn finish(mut self) -> (Vec<RowResult>, Vec<RefusedRow>) {
        let mut refused_rows = Vec::new();
        for (rows, error) in self.refused {
            for row in rows {
                self.results[row] = match &error {
                    RequestError::BadRequest(message) => {
                        refused_rows.push(RefusedRow { row, message: message.clone() });
                        RowResult::Unavailable(ErrorClass::TableRefused)
                    }
                    // A proxy refuses the size.
                    _ => RowResult::Retry { class: ErrorClass::Unavailable, after: Duration::ZERO },
                };
            }
        }
        (self.results, refused_rows)
    }

    /// BigQuery marks valid rows next to an invalid one as invalid, too, without a column or a message
    /// (<https://github.com/GoogleCloudDataproc/hadoop-connectors/issues/61>): such rows are sent again with fewer others,
    /// in the end alone.
    fn accept(&mut self, rows: &[usize], results: Vec<RowResult>) {
        self.is_accepted = true;
        let mut unexplained = Vec::new();
        for (row, result) in rows.iter().zip(results) {
            match result {
                RowResult::Refused(refusal) if rows.len() > 1 && !refusal.is_explained() => unexplained.push(*row),
                result => self.results[*row] = result,
            }
        }
        if unexplained.len() == rows.len() {
            self.halve(unexplained);
        } else if !unexplained.is_empty() {
            self.work.push(unexplained);
        }
    }

    fn halve(&mut self, mut rows: Vec<usize>) {
        let second = rows.split_off(rows.len() / 2);
        self.work.extend([second, rows]);
    }
}

/// The result of a row that is at fault.
pub(super) fn refused(detail: String) -> RowResult {
    RowResult::Refused(Refusal { column: None, detail, no_such_field: false })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sends `count` rows to a BigQuery that answers like this. Returns the results, the refused rows, and the requests.
    fn run(
        count: usize,
        answer: impl Fn(&[usize]) -> Result<Vec<RowResult>, RequestError>,
    ) -> (Vec<RowResult>, Vec<RefusedRow>, Vec<Vec<usize>>) {
        let (mut split, mut requests) = (Split::new(count), Vec::new());
        while let Some(rows) = split.next() {
            requests.push(rows.clone());
            let answer = answer(&rows);
            split.record(rows, answer);
        }
        let (results, refused_rows) = split.finish();
        (results, refused_rows, requests)
    }

    /// Refuses a request with one of these rows, and stores all others.
    fn refuses(bad: &[usize], error: RequestError) -> impl Fn(&[usize]) -> Result<Vec<RowResult>, RequestError> {
        move |rows| if rows.iter().any(|row| bad.contains(row)) { Err(error.clone()) } else { Ok(vec![RowResult::Stored; rows.len()]) }
    }

    fn bad_request() -> RequestError {
        RequestError::BadRequest("400 invalid: m".to_owned())
    }

    fn unexplained() -> RowResult {
        refused(Refusal::WITHOUT_MESSAGE.to_owned())
    }

    #[test]
    fn rows_without_a_refusal_are_one_request() {
        let (results, refused_rows, requests) = run(500, refuses(&[], bad_request()));
        assert_eq!((results, refused_rows, requests.len()), (vec![RowResult::Stored; 500], vec![], 1));
    }

    #[test]
    fn refused_rows_are_found_and_the_others_are_stored() {
        for bad in [&[0][..], &[7], &[3, 4], &[0, 1, 2, 3], &[0, 2, 4, 6], &[1, 3, 5, 7], &[0, 1, 2, 3, 4, 5, 6]] {
            let (results, refused_rows, _) = run(8, refuses(bad, bad_request()));
            let mut found: Vec<usize> = refused_rows.iter().map(|refused| refused.row).collect();
            found.sort_unstable();
            assert_eq!(found, bad);
            let (too_large, refused_rows, _) = run(8, refuses(bad, RequestError::TooLarge(Some("413 uploadTooLarge: m".to_owned()))));
            assert_eq!(refused_rows, [], "{bad:?}");
            for row in 0..8 {
                assert_eq!(results[row] == RowResult::Stored, !bad.contains(&row), "{row} of {bad:?}: {results:?}");
                assert_eq!(matches!(too_large[row], RowResult::Refused(_)), bad.contains(&row), "{row} of {bad:?}: {too_large:?}");
            }
        }
    }

    #[test]
    fn a_table_that_refuses_every_request_refuses_no_row() {
        for count in [1, 2, 3, 12, 500] {
            let (results, refused_rows, requests) = run(count, |_| Err(bad_request()));
            assert_eq!(results, vec![RowResult::Unavailable(ErrorClass::TableRefused); count]);
            assert_eq!(refused_rows.len(), count);
            assert_eq!(refused_rows[0], RefusedRow { row: 0, message: "400 invalid: m".to_owned() });
            assert!(requests.len() <= 2 * MAX_REFUSED_REQUESTS, "{} requests for {count} rows", requests.len());
        }
    }

    #[test]
    fn a_proxy_that_refuses_every_size_refuses_no_row() {
        let (results, refused_rows, _) = run(8, |_| Err(RequestError::TooLarge(None)));
        let retry = RowResult::Retry { class: ErrorClass::Unavailable, after: Duration::ZERO };
        assert_eq!((results, refused_rows), (vec![retry; 8], vec![]));
    }

    #[test]
    fn a_row_that_is_too_large_alone_is_refused() {
        let (results, refused_rows, _) = run(1, |_| Err(RequestError::TooLarge(Some("413 uploadTooLarge: m".to_owned()))));
        assert_eq!((results, refused_rows), (vec![refused("413 uploadTooLarge: m".to_owned())], vec![]));
    }

    #[test]
    fn a_transient_failure_is_no_evidence_against_a_row() {
        let answer = |rows: &[usize]| if rows.contains(&0) { Err(bad_request()) } else { Err(RequestError::TRANSIENT) };
        let (results, refused_rows, _) = run(4, answer);
        assert_eq!(results[0], RowResult::Unavailable(ErrorClass::TableRefused));
        assert!(results[1..].iter().all(|result| matches!(result, RowResult::Retry { .. })), "{results:?}");
        assert_eq!(refused_rows.len(), 1);
    }

    /// As in the report: the neighbours of an invalid row have its reason without a message.
    #[test]
    fn neighbours_without_a_message_are_sent_again_without_the_bad_row() {
        let (results, _, requests) = run(5, |rows| {
            let explained = refused("invalid: m".to_owned());
            let result = |row: &usize| {
                if *row == 2 {
                    explained.clone()
                } else if rows.contains(&2) {
                    unexplained()
                } else {
                    RowResult::Stored
                }
            };
            Ok(rows.iter().map(result).collect())
        });
        assert_eq!(requests, [vec![0, 1, 2, 3, 4], vec![0, 1, 3, 4]]);
        assert_eq!(results.iter().filter(|result| **result == RowResult::Stored).count(), 4);
        assert_eq!(results[2], refused("invalid: m".to_owned()));
    }

    #[test]
    fn a_bad_row_without_a_message_is_found_among_its_neighbours() {
        let answer = |rows: &[usize]| {
            let result = if rows.contains(&5) { unexplained() } else { RowResult::Stored };
            Ok(vec![result; rows.len()])
        };
        let (results, _, requests) = run(8, answer);
        for (row, result) in results.iter().enumerate() {
            assert_eq!(*result, if row == 5 { unexplained() } else { RowResult::Stored }, "{row}");
        }
        assert!(requests.contains(&vec![5]), "it was sent alone: {requests:?}");
    }
}
