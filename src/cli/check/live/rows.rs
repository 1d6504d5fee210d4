//! Searches for the row until it is found.
//!
//! A table with probes only is listed (`tabledata.list`), which is free. A table with a day's events is queried, less
//! often, because each query is charged for a column.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde_json::Value;

use super::probe::Probe;
use super::{LOGGED, RECEIVED};
use crate::cli::check::link::Fault;
use crate::cli::check::names::ResourceNames;
use crate::google::list;
use crate::google::statement::{self, Statement};
use crate::google::{Api, ApiError, ApiResult, Client, Lookup, bigquery};

/// The interval between two searches grows from the minimum to one of the maxima.
const MIN_INTERVAL: Duration = Duration::from_millis(200);
const MAX_LIST_INTERVAL: Duration = Duration::from_secs(2);
const MAX_QUERY_INTERVAL: Duration = Duration::from_secs(20);

/// Where to search.
pub(crate) struct Search<'a> {
    pub(crate) google: &'a Client,
    pub(crate) names: &'a ResourceNames,
    pub(crate) probe: &'a Probe,
    pub(crate) tables: Vec<String>,
}

/// The row's times, where the table has columns for them.
#[derive(Debug, PartialEq)]
pub(crate) struct Arrived {
    pub(crate) logged: Option<Timestamp>,
    pub(crate) received: Option<Timestamp>,
}

impl Search<'_> {
    /// The row's table and times.
    pub(crate) async fn wait(&self, until: Instant) -> Result<(String, Arrived), Fault> {
        let started = Instant::now();
        let max_interval = if self.probe.has_own_table { MAX_LIST_INTERVAL } else { MAX_QUERY_INTERVAL };
        let (mut interval, mut last_error) = (MIN_INTERVAL, None);
        loop {
            for table in &self.tables {
                match self.search(table).await {
                    Ok(Lookup::Found(Some(arrived))) => return Ok((format!("{}.{table}", self.names.dataset), arrived)),
                    // BigQuery creates the table with its first row.
                    Ok(Lookup::Found(None) | Lookup::Absent) => {}
                    Err(error @ (ApiError::Denied { .. } | ApiError::Disabled { .. })) => return Err(Fault::from(&error)),
                    Err(error) => last_error = Some(error),
                }
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                let tables = self.tables.join(" or ");
                let waited = started.elapsed().as_secs_f64();
                let error = last_error.map(|error| format!(" (last error: {error})")).unwrap_or_default();
                return Err(Fault::broken(format!("no row with {} in {tables} after {waited:.1} s{error}", self.probe.marker().1)));
            }
            tokio::time::sleep(interval.min(left)).await;
            interval = interval.mul_f64(1.5).min(max_interval);
        }
    }

    async fn search(&self, table: &str) -> ApiResult<Lookup<Option<Arrived>>> {
        if self.probe.has_own_table { self.list(table).await } else { self.query(table).await }
    }

    /// By any cell: the marker is in no other row.
    async fn list(&self, table: &str) -> ApiResult<Lookup<Option<Arrived>>> {
        let ResourceNames { project, dataset, .. } = self.names;
        let path = bigquery::table_path(project, dataset, table);
        let Lookup::Found(resource) = self.google.get(Api::BigQuery, &path).await? else { return Ok(Lookup::Absent) };
        let Lookup::Found(rows) = self.google.list(&list::TABLE_ROWS, &format!("{path}/data")).await? else {
            return Ok(Lookup::Absent);
        };
        let is_probe = |cells: &[Value]| cells.iter().any(|cell| cell["v"] == self.probe.marker().1);
        Ok(Lookup::Found(find(&resource["schema"], &rows, is_probe)))
    }

    async fn query(&self, table: &str) -> ApiResult<Lookup<Option<Arrived>>> {
        let ResourceNames { project, dataset, .. } = self.names;
        let (column, marker) = self.probe.marker();
        let columns = [&[column], self.probe.times.as_slice()].concat().join("`, `");
        let sql = format!("SELECT `{columns}` FROM `{project}.{dataset}.{table}` WHERE `{column}` = @marker");
        let statement = Statement { sql, parameters: vec![statement::scalar("marker", "STRING", marker)] };
        let Lookup::Found(mut rows) = statement::query(self.google, project, &statement).await? else { return Ok(Lookup::Absent) };
        Ok(Lookup::Found(rows.take().first().map(|cells| arrived(rows.schema(), cells))))
    }
}

/// The times in the first row that `is_probe` accepts.
fn find(schema: &Value, rows: &[Value], is_probe: impl Fn(&[Value]) -> bool) -> Option<Arrived> {
    let cells = rows.iter().filter_map(|row| row["f"].as_array()).find(|cells| is_probe(cells))?;
    Some(arrived(schema, &cells.iter().map(|cell| cell["v"].clone()).collect::<Vec<_>>()))
}

fn arrived(schema: &Value, cells: &[Value]) -> Arrived {
    let time = |name: &str| {
        let index =
            schema["fields"].as_array()?.iter().position(|field| field["name"].as_str().is_some_and(|n| n.eq_ignore_ascii_case(name)))?;
        // Seconds since 1970, as `1.767323045402197E9`.
        let seconds: f64 = cells.get(index)?.as_str()?.parse().ok()?;
        Timestamp::from_microsecond((seconds * 1e6).round() as i64).ok()
    };
    Arrived { logged: time(LOGGED), received: time(RECEIVED) }
}
