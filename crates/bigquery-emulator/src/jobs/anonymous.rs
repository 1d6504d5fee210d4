//! The anonymous table into which BigQuery writes each result.
//!
//! Here it is only a name for the kept rows: most clients read them by getQueryResults, but some ask
//! for the table (`list_rows(job.destination)`), and tables.get and tabledata.list then answer from
//! the job.

use std::sync::Arc;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::job::{Ended, Job, Success};
use super::name::{JobName, LOCATION};
use super::page::{self, Wanted};
use super::registry::Jobs;
use crate::error::ApiError;
use crate::names::{DatasetRef, TableRef};

/// The name of the table that belongs to a job.
pub(crate) fn reference(job: &JobName) -> Value {
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

/// The result of a job, found by its table.
pub(crate) struct AnonymousTable {
    job: Arc<Job>,
    ended: i64,
    success: Success,
}

impl Jobs {
    /// The result that goes by that name.
    pub(crate) fn anonymous(&self, name: &TableRef) -> Option<AnonymousTable> {
        // Datasets that begin so are hidden, and hold nothing else.
        if !name.dataset.dataset.starts_with('_') {
            return None;
        }
        let job = self.newest_first().into_iter().find(|job| table(&job.name) == *name)?;
        match job.ended()? {
            Ended { at, outcome: Ok(success) } => Some(AnonymousTable { job, ended: at, success }),
            Ended { outcome: Err(_), .. } => None,
        }
    }
}

impl AnonymousTable {
    /// As tables.get shows it.
    pub(crate) fn shown(&self) -> Value {
        let name = table(&self.job.name);
        json!({
            "kind": "bigquery#table",
            "id": name.to_string(),
            "type": "TABLE",
            "tableReference": reference(&self.job.name),
            "schema": self.success.schema.clone().unwrap_or_else(|| json!({})),
            "location": LOCATION,
            "creationTime": self.ended.to_string(),
            "lastModifiedTime": self.ended.to_string(),
            "numRows": self.success.total_rows.to_string(),
            "numBytes": self.success.bytes.to_string(),
            "numLongTermBytes": "0",
        })
    }

    /// A page as tabledata.list gives it.
    pub(crate) async fn page(&self, from: u64, most: Option<u32>, int64_timestamp: bool) -> Result<Value, ApiError> {
        let wanted = Wanted { from: usize::try_from(from).unwrap_or(usize::MAX), most: most.map(u64::from), int64_timestamp };
        let mut page = page::page(&self.job, &self.success, wanted).await?;
        page.remove("schema");
        page.insert("kind".to_owned(), json!("bigquery#tableDataList"));
        Ok(Value::Object(page))
    }
}
