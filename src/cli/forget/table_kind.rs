//! The types of tables that hold rows, and which of them can lose rows.

use crate::config::Config;

/// The type of a table with rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TableKind {
    Table,
    Snapshot,
    MaterializedView,
    External,
}

/// Why the rows of a table cannot be deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Protection {
    pub(crate) reason: &'static str,
    /// The command that removes them. It contains the table's name.
    pub(crate) command: Option<String>,
}

impl TableKind {
    /// `None` for a table whose rows can be deleted.
    pub(crate) fn protection(self, config: &Config, table: &str) -> Option<Protection> {
        let location = &config.location;
        let (reason, command) = match self {
            Self::Table => return None,
            Self::Snapshot => ("a snapshot cannot be changed: delete it as a whole", Some(delete_command(config, table))),
            Self::MaterializedView => {
                let refresh = format!("CALL BQ.REFRESH_MATERIALIZED_VIEW('{}.{}.{table}')", location.project, location.dataset);
                let command = format!("bq query --use_legacy_sql=false {}", shell(&refresh));
                ("a materialized view changes with its tables: refresh it after their rows are deleted", Some(command))
            }
            Self::External => ("the rows of an external table are in its source: delete them there", None),
        };
        Some(Protection { reason, command })
    }
}

/// The command that deletes a table.
pub(crate) fn delete_command(config: &Config, table: &str) -> String {
    format!("bq rm -f -t {}", shell(&format!("{}:{}.{table}", config.location.project, config.location.dataset)))
}

/// Text as one word of a shell.
pub(crate) fn shell(text: &str) -> String {
    shlex::try_quote(text).map_or_else(|_| text.to_owned(), Into::into)
}
