//! `gs://BUCKET/PREFIX`: archives of a log sink, `PREFIX/YYYY/MM/DD/HH:MM:SS_HH:MM:SS_S0.json`. Each object has the
//! entries of one hour, one per line.
//!
//! With several tasks, each object belongs to one task.

use std::fmt;
use std::sync::Arc;

use jiff::ToSpan as _;
use jiff::civil::Date;
use jiff::tz::Offset as Zone;

use super::download::Download;
use crate::cli::replay::period::{Period, TimeArg};
use crate::cli::replay::shard::Shard;
use crate::google::storage::{self, StorageObject};
use crate::google::{ApiResult, Client};

/// A client of Cloud Storage.
#[derive(Debug)]
pub(crate) struct Archive {
    google: Arc<Client>,
}

/// Bucket and prefix of a `gs://` URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ArchivePrefix {
    bucket: String,
    prefix: String,
}

impl ArchivePrefix {
    /// `None` if the text is not a `gs://` URL.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let rest = text.strip_prefix("gs://")?;
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        Some(Self { bucket: bucket.to_owned(), prefix: prefix.to_owned() })
    }
}

impl fmt::Display for ArchivePrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "gs://{}/{}", self.bucket, self.prefix)
    }
}

impl Archive {
    pub(crate) fn new(google: Client) -> Self {
        Self { google: Arc::new(google) }
    }

    /// The objects with this prefix that belong to the task and may have entries of the period, sorted by name.
    pub(crate) async fn list(&self, prefix: &ArchivePrefix, shard: Shard, period: Period) -> ApiResult<Vec<StorageObject>> {
        let ArchivePrefix { bucket, prefix } = prefix;
        let objects = storage::list(&self.google, bucket, prefix).await?.require(format!("bucket {bucket}"))?;
        // Cloud consoles make an empty object for a folder.
        let is_read =
            |object: &StorageObject| !object.path.ends_with('/') && shard.has_object(&object.name()) && may_contain(&object.path, period);
        Ok(objects.into_iter().filter(is_read).collect())
    }

    /// The content of an object, to be read outside of the runtime.
    pub(crate) fn open(&self, object: &StorageObject, runtime: &tokio::runtime::Handle) -> Download {
        Download::start(Arc::clone(&self.google), object.clone(), runtime)
    }
}

/// Whether an object may have entries of the period, judged by its name. The sink writes an entry into the object
/// of its hour; one day more on both sides allows for clock skew.
fn may_contain(path: &str, period: Period) -> bool {
    let Some(day) = day_of(path) else { return true };
    let date = |TimeArg(time): TimeArg| Zone::UTC.to_datetime(time).date();
    let (after, before) = (day.checked_add(1.day()), day.checked_sub(1.day()));
    period.since.is_none_or(|since| after.is_ok_and(|after| date(since) <= after))
        && period.until.is_none_or(|until| before.is_ok_and(|before| before <= date(until)))
}

/// The day in `…/YYYY/MM/DD/FILE`.
fn day_of(path: &str) -> Option<Date> {
    let mut segments = path.rsplit('/').skip(1);
    let mut number = |length: usize| segments.next().filter(|text| text.len() == length && text.bytes().all(|byte| byte.is_ascii_digit()));
    let (day, month, year) = (number(2)?, number(2)?, number(4)?);
    Date::new(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_of_days_outside_the_period_are_not_read() {
        let period = Period { since: Some("2026-01-10".parse().unwrap()), until: Some("2026-01-12".parse().unwrap()) };
        let read = |day: &str| may_contain(&format!("requests/2026/01/{day}/03:00:00_03:59:59_S0.json"), period);
        let days: Vec<&str> = ["07", "08", "09", "10", "12", "13", "14"].into_iter().filter(|day| read(day)).collect();
        assert_eq!(days, ["09", "10", "12", "13"]);
        for other in ["requests.json", "2026/requests.json", "a/2026/13/01/x.json"] {
            assert!(may_contain(other, period), "{other}");
        }
    }

    #[test]
    fn a_gs_url_is_a_bucket_and_a_prefix() {
        let prefix_of = |bucket: &str, prefix: &str| Some(ArchivePrefix { bucket: bucket.to_owned(), prefix: prefix.to_owned() });
        assert_eq!(ArchivePrefix::parse("gs://b/requests/2026"), prefix_of("b", "requests/2026"));
        assert_eq!(ArchivePrefix::parse("gs://b"), prefix_of("b", ""));
        assert_eq!(ArchivePrefix::parse("requests"), None);
    }
}
