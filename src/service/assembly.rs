//! The pipeline and its two tasks, put together from the settings: what `serve` and `replay` have in common.
//!
//! Whoever starts it joins the tasks: the watcher of the template table runs until it is dropped, the batcher
//! until the last [`Pipeline`] is gone and every row is settled.

use std::sync::Arc;

use tokio::task::JoinHandle;

use crate::config::Config;
use crate::google::Tokens;
use crate::pipeline::Pipeline;
use crate::sink::batcher::Batcher;
use crate::sink::bigquery::BigQuery;
use crate::sink::template::{Mismatch, Template, TemplateWatcher};
use crate::table_limit::TableLimiter;

/// A pipeline that takes messages, and the tasks behind it.
#[derive(Debug)]
pub struct Assembly {
    pub pipeline: Pipeline,
    /// What is seen of the template table.
    pub template: Template,
    pub batcher: JoinHandle<()>,
    /// Ends only if the settings cannot work.
    pub watcher: JoinHandle<Mismatch>,
}

impl Assembly {
    /// Puts the parts together and begins to look for the template table.
    pub fn start(config: &Config, tokens: Tokens) -> Result<Self, reqwest::Error> {
        let bigquery = BigQuery::new(config.location.clone(), tokens, config.gzip)?;
        let table = Arc::clone(&config.template.table);
        let dead_letter_table = Arc::clone(&config.template.dead_letter_table);
        let (watcher, template) = TemplateWatcher::new(Arc::clone(&bigquery), config.template.clone());
        let (batcher, batcher_task) = Batcher::new(bigquery, config.limits);
        let new_tables = TableLimiter::new(config.new_tables.clone());
        let pipeline = Pipeline::new(template.clone(), batcher, new_tables, table, dead_letter_table);
        let (batcher, watcher) = (tokio::spawn(batcher_task.run()), tokio::spawn(watcher.run()));
        Ok(Self { pipeline, template, batcher, watcher })
    }
}
