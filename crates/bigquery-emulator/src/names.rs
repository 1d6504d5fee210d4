//! Names of datasets and tables, and the template suffix.
//!
//! The parts of a URL's path become a [`DatasetRef`] or [`TableRef`] without a check: an invalid id is not found. Ids are
//! checked when a dataset or table is created. A [`TableSuffix`] is always checked.

use std::fmt;

use googlesql::{DatasetName, TableName};

use crate::error::ApiError;

const MAX_ID_LENGTH: usize = 1_024;

/// `project:dataset`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DatasetRef {
    pub project: String,
    pub dataset: String,
}

impl DatasetRef {
    /// Checks the id for datasets.insert: at most 1,024 letters, digits and underscores.
    pub(crate) fn check_id(&self) -> Result<(), ApiError> {
        if is_plain(&self.dataset) && self.dataset.len() <= MAX_ID_LENGTH {
            return Ok(());
        }
        Err(ApiError::Invalid(format!(
            "Invalid dataset ID \"{}\". Dataset IDs must be alphanumeric (plus underscores) and \
             must be at most {MAX_ID_LENGTH} characters long.",
            self.dataset
        )))
    }
}

impl fmt::Display for DatasetRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.project, self.dataset)
    }
}

impl From<DatasetName> for DatasetRef {
    fn from(name: DatasetName) -> DatasetRef {
        DatasetRef { project: name.project, dataset: name.dataset }
    }
}

impl From<DatasetRef> for DatasetName {
    fn from(name: DatasetRef) -> DatasetName {
        DatasetName { project: name.project, dataset: name.dataset }
    }
}

impl From<TableName> for TableRef {
    fn from(name: TableName) -> TableRef {
        TableRef { dataset: name.dataset.into(), table: name.table }
    }
}

impl From<TableRef> for TableName {
    fn from(name: TableRef) -> TableName {
        TableName { dataset: name.dataset.into(), table: name.table }
    }
}

/// `project:dataset.table`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TableRef {
    pub dataset: DatasetRef,
    pub table: String,
}

impl TableRef {
    /// Checks the id for tables.insert: at most 1,024 letters, marks and digits of any script, `_`, `-` and spaces. Of
    /// the characters outside of ASCII, it rejects only control characters.
    pub(crate) fn check_id(&self) -> Result<(), ApiError> {
        let allowed = |c: char| match c {
            '_' | '-' | ' ' => true,
            c if c.is_ascii() => c.is_ascii_alphanumeric(),
            c => !c.is_control(),
        };
        let length = self.table.chars().count();
        if (1..=MAX_ID_LENGTH).contains(&length) && self.table.chars().all(allowed) {
            return Ok(());
        }
        Err(ApiError::Invalid(format!(
            "Invalid table ID \"{}\". Table IDs must be alphanumeric (plus underscores) and must \
             be at most {MAX_ID_LENGTH} characters long. Also, Table decorators cannot be used.",
            self.table
        )))
    }

    /// The name of the table that is generated from this template table and the suffix.
    pub(crate) fn with_suffix(&self, suffix: &TableSuffix) -> Result<TableRef, ApiError> {
        let generated = TableRef { dataset: self.dataset.clone(), table: format!("{}{}", self.table, suffix.0) };
        generated.check_id()?;
        Ok(generated)
    }
}

impl fmt::Display for TableRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.dataset, self.table)
    }
}

/// A `templateSuffix`: letters, digits and underscores, at least one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TableSuffix(String);

impl TableSuffix {
    pub(crate) fn parse(text: String) -> Result<TableSuffix, ApiError> {
        if is_plain(&text) {
            return Ok(TableSuffix(text));
        }
        Err(ApiError::Invalid(format!("Invalid template suffix \"{text}\". Suffixes must be alphanumeric (plus underscores).")))
    }
}

fn is_plain(id: &str) -> bool {
    !id.is_empty() && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}
