//! The anonymous table of a query's result.
//!
//! BigQuery writes each result to an anonymous table. In the emulator, its name refers to the rows of the job. Most
//! clients use getQueryResults. For clients that read the table (`list_rows(job.destination)`), tables.get and
//! tabledata.list return the data of the job.
//! Reference: <https://cloud.google.com/bigquery/docs/cached-results>.

use std::sync::Arc;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::job::{Completion, Job, JobResult};
use super::name::{JobName, LOCATION};
use super::page::{self, PageRequest};
use super::registry::JobRegistry;
use crate::error::ApiError;
use crate::names::{DatasetRef, TableRef};

/// The `TableReference` of a job's anonymous table.
pub(crate) fn table_reference(job: &JobName) -> Value {
    let TableRef { dataset, table } = table(job);
    json!({"projectId": dataset.project, "datasetId": dataset.dataset, "tableId": table})
}

fn table(job: &JobName) -> TableRef {
    let dataset = format!("_{}", digest(&job.project));
    TableRef { dataset: DatasetRef { project: job.project.clone(), dataset }, table: format!("anon{}", digest(&job.id)) }
}

fn digest(text: &str) -> String {
    hex::encode(&Sha256::digest(text.as_bytes())[..20])
}

/// The result of a job, found by the name of its anonymous table.
pub(crate) struct AnonymousTable {
    job: Arc<Job>,
    ended: i64,
    success: JobResult,
}

impl JobRegistry {
    /// Finds the result by the table's name.
    pub(crate) fn find_anonymous_table(&self, name: &TableRef) -> Option<AnonymousTable> {
        // A dataset whose name begins with `_` is hidden and contains only anonymous tables.
        if !name.dataset.dataset.starts_with('_') {
            return None;
        }
        let job = self.newest_first().into_iter().find(|job| table(&job.name) == *name)?;
        match job.completion()? {
            Completion { at, outcome: Ok(success) } => Some(AnonymousTable { job, ended: at, success }),
            Completion { outcome: Err(_), .. } => None,
        }
    }
}

impl AnonymousTable {
    /// The `Table` resource.
    pub(crate) fn to_resource(&self) -> Value {
        let name = table(&self.job.name);
        json!({
            "kind": "bigquery#table",
            "id": name.to_string(),
            "type": "TABLE",
            "tableReference": table_reference(&self.job.name),
            "schema": self.success.schema.clone().unwrap_or_else(|| json!({})),
            "location": LOCATION,
            "creationTime": self.ended.to_string(),
            "lastModifiedTime": self.ended.to_string(),
            "numRows": self.success.total_rows.to_string(),
            "numBytes": self.success.bytes.to_string(),
            "numLongTermBytes": "0",
        })
    }

    /// A page for tabledata.list.
    pub(crate) async fn page(&self, start: u64, max_results: Option<u32>, int64_timestamp: bool) -> Result<Value, ApiError> {
        let request =
            PageRequest { start: usize::try_from(start).unwrap_or(usize::MAX), max_results: max_results.map(u64::from), int64_timestamp };
        let mut page = page::build_page(&self.job, &self.success, request).await?;
        page.remove("schema");
        page.insert("kind".to_owned(), json!("bigquery#tableDataList"));
        Ok(Value::Object(page))
    }
}
