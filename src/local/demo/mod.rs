//! The demo: sends requests for the pixel, as visitors would.
//!
//! It is an ordinary client of the load balancer: it uses the pixel's port and no other part. `traffic` generates the
//! requests, `visitors` lists the people and programs that send them.

mod traffic;
mod visitors;

use std::fmt;
use std::future::Future;
use std::str::FromStr;
use std::time::Duration;

use tokio::time::Instant;

use crate::decode::signature::SigningKeys;
use crate::google::body::{BodyError, read_body};
use crate::telemetry::Throttle;

pub use traffic::{DemoRequest, Method, Traffic};

/// Longest answer of the load balancer that is read.
const MAX_PIXEL_BYTES: usize = 1 << 20;

/// Mean number of requests per second: 0.01 to 1,000.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Rate(f64);

impl FromStr for Rate {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let rate = text.trim().parse().ok().filter(|rate| (0.01..=1000.0).contains(rate));
        rate.map(Self).ok_or_else(|| format!("{text:?} is not a number of requests per second: use 0.01 to 1000"))
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Sends requests to the load balancer at `url` until `end` completes. Signs their URLs if there are `keys`.
pub async fn run(
    url: String,
    mut traffic: Traffic,
    Rate(rate): Rate,
    keys: Option<SigningKeys>,
    end: impl Future<Output = ()>,
) -> Result<(), reqwest::Error> {
    let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(10)).build()?;
    let throttle = Throttle::new(Duration::from_secs(1));
    tokio::pin!(end);
    let mut next_at = Instant::now();
    loop {
        next_at += Duration::from_secs_f64(traffic.gap() / rate);
        tokio::select! {
            () = tokio::time::sleep_until(next_at) => {}
            () = &mut end => return Ok(()),
        }
        let mut request = traffic.next_request();
        // The shop signs the URLs of its tags. A scanner has no tag, and its URL has no query.
        if let Some(keys) = keys.as_ref().filter(|_| request.target.contains('?')) {
            request.target = keys.sign(&request.target);
        }
        if let Err(error) = send_request(&http, &url, request).await
            && let Some(suppressed) = throttle.pass()
        {
            tracing::warn!(%error, suppressed, "demo request failed");
        }
    }
}

async fn send_request(http: &reqwest::Client, url: &str, request: DemoRequest) -> Result<(), BodyError> {
    let url = format!("{url}{}", request.target);
    let builder = match request.method {
        Method::Get => http.get(url),
        Method::Head => http.head(url),
        Method::Post => http.post(url),
    };
    let builder = builder.header("user-agent", request.user_agent).header("x-forwarded-for", request.remote_ip);
    let builder = request.referer.into_iter().fold(builder, |builder, referer| builder.header("referer", referer));
    // Read the whole body, or the connection cannot be reused.
    read_body(builder.send().await?, MAX_PIXEL_BYTES).await.map(drop)
}
