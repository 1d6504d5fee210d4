//! Columns of the template table that a generated table lacks.
//!
//! BigQuery does not add a new column of the template to the tables that were generated before; with a TABLE_SUFFIX
//! without a date, these are used for ever. Rows for such a table are stored without the column. This is the memory of
//! BigQuery's refusals, so that not each of these rows is refused first. It forgets a table after [`MAX_AGE`], so that the
//! next row shows whether the table has the column by now.

use std::collections::HashMap;
use std::time::Duration;

use tokio::time::Instant;

use crate::decode::TableSuffix;

/// How long a refusal counts.
const MAX_AGE: Duration = Duration::from_secs(10);
/// Maximum number of tables that are remembered.
const MAX_TABLES: usize = 10_000;

/// The columns that BigQuery refused in the last [`MAX_AGE`], by table.
#[derive(Debug, Default)]
pub struct MissingColumns {
    tables: HashMap<TableSuffix, Refused>,
}

#[derive(Debug)]
struct Refused {
    columns: Vec<String>,
    /// When the first of the columns was refused.
    since: Instant,
}

impl MissingColumns {
    /// The columns that the table lacks.
    pub fn of(&self, suffix: &TableSuffix, now: Instant) -> Vec<String> {
        self.tables.get(suffix).filter(|refused| refused.is_recent(now)).map(|refused| refused.columns.clone()).unwrap_or_default()
    }

    /// Adds a column that BigQuery refused. Forgets all tables if there are too many.
    pub fn add(&mut self, suffix: &TableSuffix, column: &str, now: Instant) {
        if self.tables.len() >= MAX_TABLES && !self.tables.contains_key(suffix) {
            self.tables.retain(|_, refused| refused.is_recent(now));
            if self.tables.len() >= MAX_TABLES {
                self.tables.clear();
            }
        }
        let refused = self.tables.entry(suffix.clone()).or_insert_with(|| Refused::new(now));
        if !refused.is_recent(now) {
            *refused = Refused::new(now);
        }
        if !refused.columns.iter().any(|known| known == column) {
            refused.columns.push(column.to_owned());
        }
    }
}

impl Refused {
    fn new(since: Instant) -> Self {
        Self { columns: Vec::new(), since }
    }

    fn is_recent(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.since) < MAX_AGE
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::attributes::ValidAttributes;
    use crate::decode::table_suffix::SuffixTemplate;

    fn suffix(user: &str) -> TableSuffix {
        let template = SuffixTemplate::parse("_{user_id}", &ValidAttributes::parse("user_id").unwrap(), "pixel").unwrap();
        template.render(|_| Some(user), jiff::Timestamp::UNIX_EPOCH).unwrap()
    }

    #[test]
    fn a_table_is_forgotten_after_its_first_refusal_is_old() {
        let (mut missing, now) = (MissingColumns::default(), Instant::now());
        missing.add(&suffix("u"), "a", now);
        missing.add(&suffix("u"), "b", now + MAX_AGE / 2);
        missing.add(&suffix("u"), "b", now + MAX_AGE / 2);
        assert_eq!(missing.of(&suffix("u"), now + MAX_AGE / 2), ["a", "b"]);
        assert!(missing.of(&suffix("v"), now).is_empty());
        assert!(missing.of(&suffix("u"), now + MAX_AGE).is_empty());
        missing.add(&suffix("u"), "b", now + MAX_AGE);
        assert_eq!(missing.of(&suffix("u"), now + MAX_AGE), ["b"]);
    }

    #[test]
    fn the_number_of_tables_is_bounded() {
        let (mut missing, now) = (MissingColumns::default(), Instant::now());
        for user in 0..3 * MAX_TABLES {
            missing.add(&suffix(&user.to_string()), "a", now);
            assert!(missing.tables.len() <= MAX_TABLES);
        }
        assert_eq!(missing.of(&suffix(&(3 * MAX_TABLES - 1).to_string()), now), ["a"]);
    }
}
