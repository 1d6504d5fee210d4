//! The body of an insertAll request, as a stream of chunks: the rows, which may be large, are not copied into one buffer.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};

use super::InsertRow;
use crate::decode::TableSuffix;
use crate::decode::coerce::write_json_string;

/// Small rows are copied together into chunks of this size: each chunk is a system call.
const CHUNK_BYTES: usize = 64 << 10;
/// A row of this size is a chunk of its own, which shares the row's memory.
const LARGE_ROW_BYTES: usize = 16 << 10;
const BEFORE_ID: &[u8] = br#"{"insertId":""#;
const BEFORE_JSON: &[u8] = br#"","json":"#;
const AFTER_JSON: &[u8] = b"}";
const END: &[u8] = b"]}";

/// The chunks of one request body that have not been read yet.
///
/// `skipInvalidRows`, because otherwise BigQuery stores no row of a request with one invalid row.
/// Not `ignoreUnknownValues`: a value without a column must not be dropped silently.
#[derive(Debug, Clone)]
pub struct InsertBody {
    /// The beginning of the next chunk.
    chunk: Vec<u8>,
    separator: &'static [u8],
    rows: std::vec::IntoIter<InsertRow>,
    /// A large row whose beginning is read.
    large: Option<Bytes>,
    remaining: usize,
}

impl InsertBody {
    /// The body for rows of one table.
    pub fn new(suffix: &TableSuffix, rows: &[&InsertRow]) -> Self {
        let mut chunk = br#"{"skipInvalidRows":true,"#.to_vec();
        if !suffix.as_str().is_empty() {
            chunk.extend_from_slice(br#""templateSuffix":"#);
            write_json_string(suffix.as_str(), &mut chunk);
            chunk.push(b',');
        }
        chunk.extend_from_slice(br#""rows":["#);
        let around = BEFORE_ID.len() + BEFORE_JSON.len() + AFTER_JSON.len();
        let of_rows: usize = rows.iter().map(|row| around + row.event_id.as_str().len() + row.json.len()).sum();
        let separators = rows.len().saturating_sub(1);
        let remaining = chunk.len() + of_rows + separators + END.len();
        chunk.reserve_exact(remaining.min(CHUNK_BYTES));
        Self {
            chunk,
            separator: b"",
            rows: rows.iter().map(|row| InsertRow::clone(row)).collect::<Vec<_>>().into_iter(),
            large: None,
            remaining,
        }
    }

    fn next_chunk(&mut self) -> Option<Bytes> {
        if let Some(json) = self.large.take() {
            self.chunk.extend_from_slice(AFTER_JSON);
            return Some(json);
        }
        while self.chunk.len() < CHUNK_BYTES {
            let Some(row) = self.rows.next() else {
                if self.chunk.len() < self.remaining {
                    self.chunk.extend_from_slice(END);
                }
                break;
            };
            for part in [std::mem::replace(&mut self.separator, b","), BEFORE_ID, row.event_id.as_str().as_bytes(), BEFORE_JSON] {
                self.chunk.extend_from_slice(part);
            }
            if row.json.len() >= LARGE_ROW_BYTES {
                self.large = Some(row.json);
                break;
            }
            self.chunk.extend_from_slice(&row.json);
            self.chunk.extend_from_slice(AFTER_JSON);
        }
        Some(std::mem::take(&mut self.chunk).into()).filter(|chunk: &Bytes| !chunk.is_empty())
    }
}

impl Iterator for InsertBody {
    type Item = Bytes;

    fn next(&mut self) -> Option<Bytes> {
        let chunk = self.next_chunk()?;
        self.remaining -= chunk.len();
        Some(chunk)
    }
}

impl Body for InsertBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.get_mut().next().map(|chunk| Ok(Frame::data(chunk))))
    }

    fn is_end_stream(&self) -> bool {
        self.remaining == 0
    }

    /// Exact, so that the request has a Content-Length.
    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.remaining as u64)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::decode::EventId;

    /// The chunks for rows of these lengths.
    fn chunks(lengths: &[usize]) -> Vec<Bytes> {
        let row = |(number, length): (usize, &usize)| InsertRow {
            event_id: EventId::of_message(&number.to_string()),
            json: format!(r#"{{"a":"{}"}}"#, "x".repeat(*length)).into(),
        };
        let rows: Vec<InsertRow> = lengths.iter().enumerate().map(row).collect();
        let body = InsertBody::new(&TableSuffix::none(), &rows.iter().collect::<Vec<_>>());
        let length = Body::size_hint(&body).exact();
        let chunks: Vec<Bytes> = body.collect();
        let text = chunks.concat();
        assert_eq!(length, Some(text.len() as u64), "{lengths:?}");
        let sent: Value = serde_json::from_slice(&text).unwrap();
        assert_eq!(sent["skipInvalidRows"], true);
        let sent: Vec<_> = sent["rows"].as_array().unwrap().iter().map(|row| (row["insertId"].clone(), row["json"].to_string())).collect();
        let expected: Vec<_> =
            rows.iter().map(|row| (row.event_id.as_str().into(), String::from_utf8(row.json.to_vec()).unwrap())).collect();
        assert_eq!(sent, expected, "{lengths:?}");
        chunks
    }

    #[test]
    fn small_rows_are_joined_into_chunks() {
        assert_eq!(chunks(&[]).len(), 1);
        assert_eq!(chunks(&[10]).len(), 1);
        assert_eq!(chunks(&[500; 100]).len(), 1);
        assert_eq!(chunks(&[500; 200]).len(), 2);
    }

    #[test]
    fn large_rows_are_not_copied() {
        for lengths in
            [&[LARGE_ROW_BYTES][..], &[10, LARGE_ROW_BYTES, 10], &[LARGE_ROW_BYTES, CHUNK_BYTES], &[CHUNK_BYTES, 10, CHUNK_BYTES]]
        {
            let large = lengths.iter().filter(|length| **length >= LARGE_ROW_BYTES).count();
            let found = chunks(lengths);
            assert_eq!(found.iter().filter(|chunk| chunk.starts_with(br#"{"a":"#)).count(), large, "{lengths:?}");
            assert_eq!(found.len(), 2 * large + 1, "{lengths:?}");
        }
    }
}
