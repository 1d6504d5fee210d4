//! The pipeline and its two tasks, assembled from the settings: what `serve` and `replay` have in common.
//!
//! The caller owns the tasks, which are aborted when their handles are dropped. The watcher of the template table runs
//! until then. The batcher ends when the last [`Pipeline`] is dropped and every row has its outcome.

use std::sync::Arc;

use tokio_util::task::AbortOnDropHandle;

use crate::config::Config;
use crate::config::settings::BATCH_GZIP;
use crate::google::Tokens;
use crate::pipeline::Pipeline;
use crate::sink::batcher::{Batcher, Limits};
use crate::sink::bigquery::BigQuery;
use crate::sink::template::{Mismatch, Template, TemplateWatcher};
use crate::table_limit::TableLimiter;

/// A pipeline and its tasks.
#[derive(Debug)]
pub struct Assembly {
    pub pipeline: Pipeline,
    /// The schema of the template table.
    pub template: Template,
    pub batcher: AbortOnDropHandle<()>,
    /// Ends only if the settings do not fit the template table.
    pub watcher: AbortOnDropHandle<Mismatch>,
}

impl Assembly {
    /// Assembles the parts and starts to read the schema of the template table.
    pub fn start(config: &Config, tokens: Tokens) -> Self {
        let bigquery = BigQuery::new(config.location.clone(), tokens, config.values.boolean(&BATCH_GZIP), config.push_deadline);
        Self::with_bigquery(config, bigquery)
    }

    /// The same with this BigQuery.
    pub fn with_bigquery(config: &Config, bigquery: Arc<BigQuery>) -> Self {
        let table = Arc::clone(&config.template.table);
        let dead_letter_table = Arc::clone(&config.template.dead_letter_table);
        let (watcher, template) = TemplateWatcher::new(Arc::clone(&bigquery), config.template.clone());
        let (batcher, batcher_task) = Batcher::new(bigquery, Limits::new(&config.values));
        let table_limiter = TableLimiter::new(config.table_limits.clone());
        let pipeline = Pipeline::new(template.clone(), batcher, table_limiter, table, dead_letter_table);
        let batcher = AbortOnDropHandle::new(tokio::spawn(batcher_task.run()));
        let watcher = AbortOnDropHandle::new(tokio::spawn(watcher.run()));
        Self { pipeline, template, batcher, watcher }
    }
}
