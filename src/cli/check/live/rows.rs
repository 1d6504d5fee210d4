//! Looks for the row until it is there.
//!
//! A table that only checks are in is listed, which costs nothing. One that all events of a day are in is asked
//! with a query, seldom, because each reads a column.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde_json::{Value, json};

use super::probe::Probe;
use super::{LOGGED, RECEIVED};
use crate::cli::check::link::Fault;
use crate::cli::check::names::Names;
use crate::cli::google::{Api, Google, Unseen};

/// The time between two looks grows from here.
const SHORTEST: Duration = Duration::from_millis(200);
const LONGEST: Duration = Duration::from_secs(2);
const LONGEST_BETWEEN_QUERIES: Duration = Duration::from_secs(20);

/// Where the row may be.
pub(crate) struct Search<'a> {
    pub(crate) google: &'a Google,
    pub(crate) names: &'a Names,
    pub(crate) probe: &'a Probe,
    pub(crate) tables: Vec<String>,
}

/// What the row tells, where the table has such columns.
#[derive(Debug, PartialEq)]
pub(crate) struct Arrived {
    pub(crate) logged: Option<Timestamp>,
    pub(crate) received: Option<Timestamp>,
}

impl Search<'_> {
    /// The table that the row is in, and what it tells.
    pub(crate) async fn wait(&self, until: Instant) -> Result<(String, Arrived), Fault> {
        let started = Instant::now();
        let longest = if self.probe.has_own_table { LONGEST } else { LONGEST_BETWEEN_QUERIES };
        let (mut pause, mut trouble) = (SHORTEST, None);
        loop {
            for table in &self.tables {
                match self.look(table).await {
                    Ok(Some(arrived)) => return Ok((format!("{}.{table}", self.names.dataset), arrived)),
                    // BigQuery makes the table with its first row.
                    Ok(None) | Err(Unseen::Missing) => {}
                    Err(unseen @ (Unseen::Denied { .. } | Unseen::Disabled { .. })) => return Err(unseen.fault()),
                    Err(Unseen::Failed(error)) => trouble = Some(error),
                }
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                let tables = self.tables.join(" or ");
                let waited = started.elapsed().as_secs_f64();
                let trouble = trouble.map(|error| format!(" (once, {error})")).unwrap_or_default();
                return Err(Fault::wrong(format!("no row with {} in {tables} after {waited:.1} s{trouble}", self.probe.marker().1), ""));
            }
            tokio::time::sleep(pause.min(left)).await;
            pause = pause.mul_f64(1.5).min(longest);
        }
    }

    async fn look(&self, table: &str) -> Result<Option<Arrived>, Unseen> {
        if self.probe.has_own_table { self.list(table).await } else { self.query(table).await }
    }

    /// The marker is in no other row, so that any cell will do.
    async fn list(&self, table: &str) -> Result<Option<Arrived>, Unseen> {
        let Names { project, dataset, .. } = self.names;
        let path = format!("projects/{project}/datasets/{dataset}/tables/{table}");
        let resource = self.google.get(Api::BigQuery, &path).await.into_result()?;
        let mut page = self.google.get(Api::BigQuery, &format!("{path}/data")).await.into_result()?;
        loop {
            let arrived = find(&resource["schema"], &page, |cells| cells.iter().any(|cell| cell["v"] == self.probe.marker().1));
            let Some(token) = page["pageToken"].as_str().filter(|_| arrived.is_none()) else { return Ok(arrived) };
            let token: String = url::form_urlencoded::byte_serialize(token.as_bytes()).collect();
            page = self.google.get(Api::BigQuery, &format!("{path}/data?pageToken={token}")).await.into_result()?;
        }
    }

    async fn query(&self, table: &str) -> Result<Option<Arrived>, Unseen> {
        let Names { project, dataset, .. } = self.names;
        let (column, marker) = self.probe.marker();
        let columns = [&[column], self.probe.times.as_slice()].concat().join("`, `");
        let body = json!({
            "query": format!("SELECT `{columns}` FROM `{project}.{dataset}.{table}` WHERE `{column}` = @marker"),
            "useLegacySql": false,
            "timeoutMs": 15_000,
            "parameterMode": "NAMED",
            "queryParameters": [{"name": "marker", "parameterType": {"type": "STRING"}, "parameterValue": {"value": marker}}],
        });
        let answer = self.google.post(Api::BigQuery, &format!("projects/{project}/queries"), &body).await.into_result()?;
        Ok(find(&answer["schema"], &answer, |_| true))
    }
}

/// The first row of a page that is the one.
fn find(schema: &Value, page: &Value, is_it: impl Fn(&[Value]) -> bool) -> Option<Arrived> {
    let rows = page["rows"].as_array()?;
    let cells = rows.iter().filter_map(|row| row["f"].as_array()).find(|cells| is_it(cells))?;
    let time = |name: &str| {
        let index =
            schema["fields"].as_array()?.iter().position(|field| field["name"].as_str().is_some_and(|n| n.eq_ignore_ascii_case(name)))?;
        // Seconds since 1970, as `1.767323045402197E9`.
        let seconds: f64 = cells.get(index)?["v"].as_str()?.parse().ok()?;
        Timestamp::from_microsecond((seconds * 1e6).round() as i64).ok()
    };
    Some(Arrived { logged: time(LOGGED), received: time(RECEIVED) })
}
