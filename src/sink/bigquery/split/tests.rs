//! Which requests a batch becomes, for answers that accept and refuse rows.

use super::*;
use crate::decode::EventId;

/// Rows with a column `n` that differs and a column `same` that does not.
pub(in super::super) fn rows(count: usize) -> Vec<InsertRow> {
    let row = |number: usize| InsertRow {
        event_id: EventId::of_message(&number.to_string()),
        json: format!(r#"{{"n":{number},"same":"x"}}"#).into(),
    };
    (0..count).map(row).collect()
}

/// Sends `count` rows to a BigQuery that answers like this. Returns the results, the refused rows, and the requests.
fn run(
    count: usize,
    answer: impl Fn(&[usize]) -> Result<Vec<RowResult>, RequestError>,
) -> (Vec<RowResult>, Vec<RefusedRow>, Vec<Vec<usize>>) {
    let all_rows = rows(count);
    let (mut split, mut requests) = (Split::new(&all_rows), Vec::new());
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

fn unexplained() -> Refusal {
    Refusal::of_row(None, None)
}

/// A refusal in an answer, of the value of a column if there is one.
fn explained(column: &str) -> Refusal {
    Refusal::of_row(Some(column.to_owned()), Some("m".to_owned()))
}

fn table_refused(count: usize) -> Vec<RowResult> {
    vec![RowResult::Unavailable(ErrorClass::TableRefused); count]
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
        assert_eq!(refused_rows[0], RefusedRow { row: 0, refusal: Refusal::of_request("400 invalid: m".to_owned()), is_named: false });
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
    let refusal = Refusal::of_request("413 uploadTooLarge: m".to_owned());
    assert_eq!((results, refused_rows), (vec![RowResult::Refused(refusal)], vec![]));
}

#[test]
fn nothing_is_sent_after_a_retry_after() {
    let retry = RequestError::Retry { class: ErrorClass::Quota, after: Duration::from_secs(20) };
    for pause_at in 2..6 {
        let number = std::cell::Cell::new(0);
        let (results, refused_rows, requests) = run(8, |_| {
            number.set(number.get() + 1);
            Err(if number.get() == pause_at { retry.clone() } else { bad_request() })
        });
        assert_eq!(requests.len(), pause_at);
        let expected = RowResult::Retry { class: ErrorClass::Quota, after: Duration::from_secs(20) };
        assert_eq!((results, refused_rows), (vec![expected; 8], vec![]), "request {pause_at}");
    }
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
        let result = |row: &usize| match row {
            2 => RowResult::Refused(explained("n")),
            _ if rows.contains(&2) => RowResult::Refused(unexplained()),
            _ => RowResult::Stored,
        };
        Ok(rows.iter().map(result).collect())
    });
    assert_eq!(requests, [vec![0, 1, 2, 3, 4], vec![0, 1, 3, 4]]);
    assert_eq!(results.iter().filter(|result| **result == RowResult::Stored).count(), 4);
    assert_eq!(results[2], RowResult::Refused(explained("n")));
}

#[test]
fn a_bad_row_without_a_message_is_found_among_its_neighbours() {
    let answer = |rows: &[usize]| {
        let result = if rows.contains(&5) { RowResult::Refused(unexplained()) } else { RowResult::Stored };
        Ok(vec![result; rows.len()])
    };
    let (results, refused_rows, requests) = run(8, answer);
    for (row, result) in results.iter().enumerate().filter(|(row, _)| *row != 5) {
        assert_eq!(*result, RowResult::Stored, "{row}");
    }
    assert_eq!(refused_rows, [RefusedRow { row: 5, refusal: unexplained(), is_named: true }]);
    assert!(requests.contains(&vec![5]), "it was sent alone: {requests:?}");
}

#[test]
fn a_refusal_of_each_row_for_no_value_of_it_is_of_the_table() {
    for refusal in [
        Refusal::of_row(None, Some("The destination table has no schema.".to_owned())),
        Refusal::of_row(Some("tenant".to_owned()), Some("Missing required field: tenant.".to_owned())),
        Refusal::of_row(None, Some("Missing required field: Msg_0_CLOUD_QUERY_TABLE.tenant.".to_owned())),
        Refusal::of_row(Some("gone".to_owned()), Some("no such field: gone.".to_owned())),
        Refusal::of_row(None, Some("no such field.".to_owned())),
        unexplained(),
    ] {
        for count in [1, 2, 3, 12, 500] {
            let (results, refused_rows, requests) = run(count, |rows| Ok(vec![RowResult::Refused(refusal.clone()); rows.len()]));
            assert_eq!((results, refused_rows.len()), (table_refused(count), count), "{refusal:?}");
            assert_eq!(refused_rows[0].refusal, refusal);
            assert!(requests.len() <= 2 * MAX_REFUSED_REQUESTS, "{} requests for {count} rows", requests.len());
        }
    }
}

#[test]
fn the_same_words_for_different_values_are_of_the_table() {
    for (column, count, is_of_row) in [("n", 1, true), ("n", 3, false), ("same", 1, true), ("same", 3, true)] {
        let (results, refused_rows, _) = run(count, |rows| Ok(vec![RowResult::Refused(explained(column)); rows.len()]));
        let expected = if is_of_row { vec![RowResult::Refused(explained(column)); count] } else { table_refused(count) };
        assert_eq!((results, refused_rows.is_empty()), (expected, is_of_row), "{count} rows, column {column}");
    }
}

#[test]
fn a_row_that_is_refused_beside_a_stored_one_is_at_fault() {
    let refusal = Refusal::of_row(None, Some("Missing required field: plan.".to_owned()));
    let answer = |rows: &[usize]| {
        let result = |row: &usize| if *row == 1 { RowResult::Refused(refusal.clone()) } else { RowResult::Stored };
        Ok(rows.iter().map(result).collect())
    };
    let (results, refused_rows, requests) = run(3, answer);
    assert_eq!((&results[1], refused_rows.len(), requests.len()), (&RowResult::Refused(refusal.clone()), 0, 1));
}

#[test]
fn rows_stopped_by_a_refused_table_are_sent_again() {
    let refusal = Refusal::of_row(None, Some("m".to_owned()));
    let answer = |rows: &[usize]| match rows {
        [0, others @ ..] if !others.is_empty() => {
            Ok([vec![RowResult::Refused(refusal.clone())], vec![RowResult::NotAttempted; others.len()]].concat())
        }
        rows => Ok(vec![RowResult::Stored; rows.len()]),
    };
    let (results, refused_rows, _) = run(3, answer);
    assert_eq!(refused_rows, [RefusedRow { row: 0, refusal: refusal.clone(), is_named: true }]);
    assert_eq!(results[1..], [RowResult::Stored, RowResult::Stored]);
    let stops = |rows: &[usize]| {
        let mut results = vec![RowResult::NotAttempted; rows.len()];
        results[0] = RowResult::Refused(refusal.clone());
        Ok(results)
    };
    let (_, refused_rows, requests) = run(500, stops);
    assert!(refused_rows.len() == requests.len() && requests.len() <= 2 * MAX_REFUSED_REQUESTS);
}

#[test]
fn a_column_of_the_row_that_the_table_lacks_is_named_for_each_row() {
    for (location, message) in [("n", "no such field."), ("", "no such field: root.n."), ("N", "no such field: N.")] {
        let refusal = Refusal::of_row(Some(location.to_owned()), Some(message.to_owned()));
        let (results, refused_rows, _) = run(3, |rows| Ok(vec![RowResult::Refused(refusal.clone()); rows.len()]));
        assert!(refused_rows.is_empty());
        for result in results {
            let RowResult::Refused(refusal) = result else { panic!("{result:?}") };
            assert_eq!(refusal.missing_column(), Some("n"));
        }
    }
}
