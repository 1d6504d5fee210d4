//! `--live`: one request of the pixel, followed into its table.
//!
//! [`probe`] builds the query and derives the row's table by the decoder's rules; [`rows`] searches that table until the
//! row is found. The row is not deleted. If tables are created per value, all checks of a day share one.

mod probe;
mod rows;

use std::time::{Duration, Instant};

use jiff::Timestamp;
use reqwest::header::AGE;
use url::Url;

use super::link::{Fault, Link};
use super::parts::{Context, schema, template_source};
use super::state::State;
use crate::google::Client;
use probe::Probe;
use rows::{Arrived, Search};

/// Columns with the event's times. A table need not have them.
const LOGGED: &str = "event_timestamp";
const RECEIVED: &str = "received_timestamp";

/// The request for the pixel.
struct Request {
    at: Timestamp,
    /// For durations that are measured here.
    started: Instant,
    answer: Result<String, Fault>,
    took: Duration,
}

/// Requests the pixel and waits for its row for `timeout`.
pub(crate) async fn run(google: &Client, context: &Context<'_>, state: &State, url: Url, timeout: Duration) -> Vec<Link> {
    let names = context.names;
    let settings = &context.deployment.service.template.decode;
    let template = state.needed(&template_source(context), &format!("table {}.{}", names.dataset, names.table));
    let schema = template.and_then(schema);
    let probe = match schema.and_then(|schema| Probe::new(settings, &schema)) {
        Ok(probe) => probe,
        Err(fault) => return vec![Link::stage("row stored", Err(fault))],
    };
    let is_pixel_path = settings.requests.paths.contains(url.path());
    let mut url = probe.url(url);
    if let Some(signatures) = &settings.signatures {
        let query = url.query().unwrap_or_default();
        let signed = signatures.keys.sign(&format!("?{query}"));
        url.set_query(signed.strip_prefix('?'));
    }
    let request = request_pixel(google, url).await;
    let Request { at, started, answer, took } = request;
    let answered = Link { seconds: Some(took.as_secs_f64()), ..Link::stage("pixel response", answer) };
    // The table's day is that of the load balancer's clock.
    let mut tables: Vec<String> =
        [at, Timestamp::now()].iter().map(|time| format!("{}{}", names.table, probe.suffix(settings, *time))).collect();
    tables.dedup();
    let search = Search { google, names, probe: &probe, tables };
    match search.wait(started + timeout).await {
        Ok((table, arrived)) => {
            let [logged, received] = arrival_stages(at, &arrived);
            let seen = started.elapsed().as_secs_f64();
            let stored = Link { seconds: Some(seen), ..Link::stage("row stored", Ok(format!("{seen:.1} s after the request: {table}"))) };
            [Some(answered), logged, received, Some(stored)].into_iter().flatten().collect()
        }
        Err(mut fault) => {
            if let Fault::Broken { problem } = &mut fault
                && !is_pixel_path
            {
                *problem += ": the URL's path is not in PIXEL_PATH";
            }
            vec![answered, Link::stage("row stored", Err(fault))]
        }
    }
}

async fn request_pixel(google: &Client, url: Url) -> Request {
    let (at, started) = (Timestamp::now(), Instant::now());
    let answer = google.get_page(url.as_str()).await;
    let took = started.elapsed();
    let answer = match answer {
        Ok(answer) if answer.status().is_success() => {
            let cache = if answer.headers().contains_key(AGE) { "from the cache" } else { "not from the cache" };
            Ok(format!("{} after {} ms, {cache}", answer.status().as_u16(), took.as_millis()))
        }
        Ok(answer) => Err(Fault::broken(format!("the pixel's URL answers {}", answer.status().as_u16()))),
        Err(error) => Err(Fault::broken(format!("cannot reach {}: {error}", url.origin().ascii_serialization()))),
    };
    Request { at, started, answer, took }
}

/// The stages that the row has the times of, by the clocks of the load balancer and of the service.
fn arrival_stages(request: Timestamp, arrived: &Arrived) -> [Option<Link>; 2] {
    let stage = |link: &'static str, time: Option<Timestamp>| {
        let seconds = time?.duration_since(request).as_secs_f64();
        Some(Link { seconds: Some(seconds), ..Link::stage(link, Ok(format!("{seconds:.1} s after the request"))) })
    };
    [stage("logged", arrived.logged), stage("received", arrived.received)]
}
