//! `gs://BUCKET/PREFIX`: archives as a log sink writes them, `PREFIX/YYYY/MM/DD/HH:MM:SS_HH:MM:SS_S0.json`, an hour of
//! entries in each, one a line.
//!
//! A task of many reads the objects that are its own, and none of the others.

use std::io::{self, Read};
use std::sync::Arc;

use bytes::Bytes;
use jiff::ToSpan as _;
use jiff::civil::Date;
use jiff::tz::Offset as Zone;
use tokio::sync::mpsc;

use super::period::{Moment, Period};
use super::shard::Shard;
use crate::google::storage::{self, Object};
use crate::google::{ApiResult, Client};

/// Chunks that may wait to be read.
const AHEAD: usize = 16;

/// Cloud Storage.
#[derive(Debug)]
pub(crate) struct Archive {
    google: Arc<Client>,
}

/// Bucket and prefix of a `gs://` URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    bucket: String,
    prefix: String,
}

impl Place {
    /// `None` if the text is something else.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (bucket, prefix) = text.strip_prefix("gs://")?.split_once('/').unwrap_or((text.strip_prefix("gs://")?, ""));
        Some(Self { bucket: bucket.to_owned(), prefix: prefix.to_owned() })
    }
}

impl Archive {
    pub(crate) fn new(google: Client) -> Self {
        Self { google: Arc::new(google) }
    }

    /// The objects of a place that are this task's and may have entries of the period, in the order of their names.
    pub(crate) async fn list(&self, place: &Place, shard: Shard, period: Period) -> ApiResult<Vec<Object>> {
        let Place { bucket, prefix } = place;
        let objects = storage::list(&self.google, bucket, prefix).await?.require(format!("bucket {bucket}"))?;
        // A console stores a folder as an object whose name ends with /.
        let is_mine = |object: &Object| !object.path.ends_with('/') && shard.has_source(&object.name()) && may_have(&object.path, period);
        Ok(objects.into_iter().filter(is_mine).collect())
    }

    /// The content of an object, to be read outside of the runtime.
    pub(crate) fn open(self: &Arc<Self>, object: &Object, runtime: &tokio::runtime::Handle) -> Body {
        let (chunks, receiver) = mpsc::channel(AHEAD);
        // Ends with the object, or when nobody reads any more.
        runtime.spawn(download(Arc::clone(&self.google), object.clone(), chunks));
        Body { chunks: receiver, chunk: Bytes::new() }
    }
}

async fn download(google: Arc<Client>, object: Object, chunks: mpsc::Sender<io::Result<Bytes>>) {
    let started = storage::download(&google, &object).await.and_then(|response| response.require(object.name()));
    let mut response = match started {
        Ok(response) => response,
        Err(error) => {
            let _ = chunks.send(Err(io::Error::other(error))).await;
            return;
        }
    };
    loop {
        let chunk = match response.chunk().await {
            Ok(Some(chunk)) => Ok(chunk),
            Ok(None) => return,
            Err(error) => Err(io::Error::other(error)),
        };
        let is_last = chunk.is_err();
        if chunks.send(chunk).await.is_err() || is_last {
            return;
        }
    }
}

/// A download as a stream of bytes.
pub(crate) struct Body {
    chunks: mpsc::Receiver<io::Result<Bytes>>,
    chunk: Bytes,
}

impl Read for Body {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.chunk.is_empty() {
            match self.chunks.blocking_recv() {
                Some(chunk) => self.chunk = chunk?,
                None => return Ok(0),
            }
        }
        let count = buffer.len().min(self.chunk.len());
        buffer[..count].copy_from_slice(&self.chunk.split_to(count));
        Ok(count)
    }
}

/// Whether an object may have entries of the period, as far as its name tells. An entry is in the object of its own
/// hour; a day more at both ends is for clocks.
fn may_have(path: &str, period: Period) -> bool {
    let Some(day) = day_of(path) else { return true };
    let day_of = |Moment(time): Moment| Zone::UTC.to_datetime(time).date();
    let (after, before) = (day.checked_add(1.day()), day.checked_sub(1.day()));
    period.since.is_none_or(|since| after.is_ok_and(|after| day_of(since) <= after))
        && period.until.is_none_or(|until| before.is_ok_and(|before| before <= day_of(until)))
}

/// The day in `…/YYYY/MM/DD/FILE`.
fn day_of(path: &str) -> Option<Date> {
    let mut parts = path.rsplit('/').skip(1);
    let mut part = |length: usize| parts.next().filter(|part| part.len() == length && part.bytes().all(|byte| byte.is_ascii_digit()));
    let (day, month, year) = (part(2)?, part(2)?, part(4)?);
    Date::new(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_objects_day_decides_whether_it_is_read() {
        let period = Period { since: Some("2026-01-10".parse().unwrap()), until: Some("2026-01-12".parse().unwrap()) };
        let read = |day: &str| may_have(&format!("requests/2026/01/{day}/03:00:00_03:59:59_S0.json"), period);
        let days: Vec<&str> = ["07", "08", "09", "10", "12", "13", "14"].into_iter().filter(|day| read(day)).collect();
        assert_eq!(days, ["09", "10", "12", "13"]);
        for other in ["requests.json", "2026/requests.json", "a/2026/13/01/x.json"] {
            assert!(may_have(other, period), "{other}");
        }
    }

    #[test]
    fn a_place_is_a_bucket_and_a_prefix() {
        let place = |bucket: &str, prefix: &str| Some(Place { bucket: bucket.to_owned(), prefix: prefix.to_owned() });
        assert_eq!(Place::parse("gs://b/requests/2026"), place("b", "requests/2026"));
        assert_eq!(Place::parse("gs://b"), place("b", ""));
        assert_eq!(Place::parse("requests"), None);
    }
}
