//! The names in a URL: dataset, table and template suffix.
//!
//! A [`DatasetRef`] or [`TableRef`] taken from a path may name anything, and simply is not found
//! when it does not exist. Ids are checked where something is created, and a [`TableSuffix`]
//! always.

use std::fmt;

use axum::extract::rejection::PathRejection;
use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;

use super::errors::ApiError;

const LONGEST_ID: usize = 1_024;

/// `project:dataset`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DatasetRef {
    pub project: String,
    pub dataset: String,
}

impl DatasetRef {
    /// For datasets.insert: letters, digits and underscores, 1,024 at most.
    pub(crate) fn check_id(&self) -> Result<(), ApiError> {
        if is_plain(&self.dataset) && self.dataset.len() <= LONGEST_ID {
            return Ok(());
        }
        Err(ApiError::Invalid(format!(
            "Invalid dataset ID \"{}\". Dataset IDs must be alphanumeric (plus underscores) and \
             must be at most {LONGEST_ID} characters long.",
            self.dataset
        )))
    }
}

impl fmt::Display for DatasetRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.project, self.dataset)
    }
}

/// `project:dataset.table`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TableRef {
    pub dataset: DatasetRef,
    pub table: String,
}

impl TableRef {
    /// For tables.insert: letters, marks and digits of any script, `_`, `-` and space, 1,024 at
    /// most. (Outside ASCII this is the gentler check of "not a control character".)
    pub(crate) fn check_id(&self) -> Result<(), ApiError> {
        let allowed = |c: char| match c {
            '_' | '-' | ' ' => true,
            c if c.is_ascii() => c.is_ascii_alphanumeric(),
            c => !c.is_control(),
        };
        let length = self.table.chars().count();
        if (1..=LONGEST_ID).contains(&length) && self.table.chars().all(allowed) {
            return Ok(());
        }
        Err(ApiError::Invalid(format!(
            "Invalid table ID \"{}\". Table IDs must be alphanumeric (plus underscores) and must \
             be at most {LONGEST_ID} characters long. Also, Table decorators cannot be used.",
            self.table
        )))
    }

    /// The table that rows for this template table and suffix go to.
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

impl<S: Send + Sync> FromRequestParts<S> for DatasetRef {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let Path((project, dataset)) = Path::from_request_parts(parts, state).await.map_err(unreadable)?;
        Ok(DatasetRef { project, dataset })
    }
}

impl<S: Send + Sync> FromRequestParts<S> for TableRef {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let Path((project, dataset, table)) = Path::from_request_parts(parts, state).await.map_err(unreadable)?;
        Ok(TableRef { dataset: DatasetRef { project, dataset }, table })
    }
}

/// The project of `/projects/{project}/…`.
pub(crate) struct Project(pub String);

impl<S: Send + Sync> FromRequestParts<S> for Project {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let Path(project) = Path::from_request_parts(parts, state).await.map_err(unreadable)?;
        Ok(Project(project))
    }
}

pub(crate) fn unreadable(rejection: PathRejection) -> ApiError {
    ApiError::Invalid(rejection.body_text())
}
