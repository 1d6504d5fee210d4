//! The settings that limit the number of new tables.

use super::settings::{MAX_NEW_TABLES_PER_HOUR, OVERFLOW_SUFFIX};
use super::{DecodeConfig, Problems, Values};
use crate::table_limit::{OverflowSuffix, TableLimits};

/// Without `decode`, whose problems are reported already, the suffix cannot be checked.
pub(crate) fn read(values: &Values, decode: Option<&DecodeConfig>, problems: &mut Problems) -> Option<TableLimits> {
    let DecodeConfig { settings, table_name, .. } = decode?;
    let suffix = OverflowSuffix::parse(values.text(&OVERFLOW_SUFFIX), &settings.valid_attributes, table_name, &settings.table_suffix);
    let overflow = problems.check(OVERFLOW_SUFFIX.name, suffix)?;
    Some(TableLimits { per_hour: values.number(&MAX_NEW_TABLES_PER_HOUR), overflow })
}
