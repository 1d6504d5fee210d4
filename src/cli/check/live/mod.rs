//! `--live`: one request of the pixel, followed into its table.
//!
//! [`probe`] makes the query and says which table it leads to, by the decoder's own rules; [`rows`] looks there
//! until the row has come. The row stays: all checks of a day share one table, where a table is made per value.

mod probe;
mod rows;

use std::time::{Duration, Instant};

use jiff::Timestamp;
use reqwest::header::AGE;
use url::Url;

use super::link::{Fault, Link, Verdict};
use super::names::Names;
use super::tables::schema;
use crate::cli::google::{Google, Look};
use crate::config::Deployment;
use crate::telemetry::with_causes;
use probe::Probe;
use rows::{Arrived, Search};

/// Columns that the decoder fills, if a table has them.
const LOGGED: &str = "event_timestamp";
const RECEIVED: &str = "received_timestamp";

/// When the request was made, and what it was answered.
struct Request {
    at: Timestamp,
    /// The clock of the stages that are measured here.
    started: Instant,
    answer: Verdict,
    took: Duration,
}

/// Requests the pixel, and waits for its row until `timeout` is over.
pub(crate) async fn run(
    google: &Google,
    names: &Names,
    deployment: &Deployment,
    template: &Look,
    url: Url,
    timeout: Duration,
) -> Vec<Link> {
    let settings = &deployment.service.template.decode;
    let schema = template.needed(&format!("table {}.{}", names.dataset, names.table)).and_then(schema);
    let probe = match schema.and_then(|schema| Probe::new(settings, &schema)) {
        Ok(probe) => probe,
        Err(fault) => return vec![Link::new("in the table", Err(fault))],
    };
    let path_counts = settings.pixel_paths.is_empty() || settings.pixel_paths.iter().any(|path| path == url.path());
    let mut url = probe.url(url);
    if let Some(signatures) = &settings.signatures {
        let query = url.query().unwrap_or_default();
        let signed = signatures.keys.sign(&format!("?{query}"));
        url.set_query(signed.strip_prefix('?'));
    }
    let request = fire(google, url).await;
    let Request { at, started, answer, took } = request;
    let answered = Link { seconds: Some(took.as_secs_f64()), ..Link::new("pixel answers", answer) };
    // The day is that of the load balancer's clock.
    let mut tables: Vec<String> =
        [at, Timestamp::now()].iter().map(|time| format!("{}{}", names.table, probe.suffix(settings, *time))).collect();
    tables.dedup();
    let search = Search { google, names, probe: &probe, tables };
    match search.wait(started + timeout).await {
        Ok((table, arrived)) => {
            let [logged, received] = moments(at, &arrived);
            let seen = started.elapsed().as_secs_f64();
            let stored = Link { seconds: Some(seen), ..Link::new("in the table", Ok(format!("{seen:.1} s after the request: {table}"))) };
            [Some(answered), logged, received, Some(stored)].into_iter().flatten().collect()
        }
        Err(mut fault) => {
            if let Fault::Wrong { problem, .. } = &mut fault
                && !path_counts
            {
                *problem += ": the URL's path is none of PIXEL_PATH";
            }
            vec![answered, Link::new("in the table", Err(fault))]
        }
    }
}

async fn fire(google: &Google, url: Url) -> Request {
    let (at, started) = (Timestamp::now(), Instant::now());
    let answer = google.http().get(url.clone()).send().await;
    let took = started.elapsed();
    let answer = match answer {
        Ok(answer) if answer.status().is_success() => {
            let cache = if answer.headers().contains_key(AGE) { "from the cache" } else { "not from the cache" };
            Ok(format!("{} after {} ms, {cache}", answer.status().as_u16(), took.as_millis()))
        }
        Ok(answer) => Err(Fault::wrong(format!("it answers {}", answer.status().as_u16()), "")),
        Err(error) => Err(Fault::wrong(format!("{} cannot be reached: {}", url.origin().ascii_serialization(), with_causes(&error)), "")),
    };
    Request { at, started, answer, took }
}

/// What the row itself tells, by the clocks of load balancer and service.
fn moments(request: Timestamp, arrived: &Arrived) -> [Option<Link>; 2] {
    let moment = |link: &'static str, time: Option<Timestamp>| {
        let seconds = time?.duration_since(request).as_secs_f64();
        Some(Link { seconds: Some(seconds), ..Link::new(link, Ok(format!("{seconds:.1} s after the request"))) })
    };
    [moment("logged", arrived.logged), moment("received", arrived.received)]
}
