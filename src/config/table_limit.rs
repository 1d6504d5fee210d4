//! The settings that cap the tables which strangers can make.

use clap::Args;

use super::{DecodeConfig, Problems};
use crate::table_limit::{OverflowSuffix, TableLimits};

/// How many tables may be made, and what becomes of further events.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "New tables")]
pub struct TableLimitArgs {
    /// Most tables that are new to an instance within an hour; events of further ones go to the overflow table
    #[arg(long, env, value_name = "N", default_value = "1000")]
    pub max_new_tables_per_hour: String,
    /// What follows TABLE_NAME in the name of the overflow table: letters, digits, `_`, {date} and {date:STRFTIME}
    #[arg(long, env, value_name = "TEMPLATE", default_value = "_overflow_{date}")]
    pub overflow_suffix: String,
}

impl TableLimitArgs {
    /// Without `decode`, whose mistakes are reported already, the suffix cannot be judged.
    pub(crate) fn read(&self, decode: Option<&DecodeConfig>, problems: &mut Problems) -> Option<TableLimits> {
        let per_hour = problems.number("MAX_NEW_TABLES_PER_HOUR", &self.max_new_tables_per_hour, 1, 1_000_000);
        let DecodeConfig { settings, table_name, .. } = decode?;
        let suffix = OverflowSuffix::parse(&self.overflow_suffix, &settings.valid_attributes, table_name, &settings.table_suffix);
        let overflow = problems.check("OVERFLOW_SUFFIX", suffix);
        Some(TableLimits { per_hour: per_hour?, overflow: overflow? })
    }
}
