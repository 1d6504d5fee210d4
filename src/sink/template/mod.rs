//! The template table: its schema, kept current, and the decoder for that schema.
//!
//! The live table's schema wins over the schema file. It is read while the port is being bound, and the first push waits
//! for it. It is read again every ten minutes, when BigQuery refuses a row, and when BigQuery answers that the table does
//! not exist. While the table does not fit the settings, there is no decoder, so no message is acknowledged, and the table
//! is read every ten seconds. One task ([`TemplateWatcher::run`]) sends these requests; everything else reads the last
//! result from a [`Template`].

mod dead_letter_table;
mod handle;
mod problems;
mod watcher;

use std::time::Duration;

pub use crate::config::TemplateSettings;
pub use handle::{Template, TemplateError};
pub use problems::{Mismatch, TemplateProblem, fitting_schema, problems_with};
pub use watcher::TemplateWatcher;

/// Maximum age of a table that does not fit the settings.
const MISMATCH_INTERVAL: Duration = Duration::from_secs(10);
