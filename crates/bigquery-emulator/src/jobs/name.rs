//! How a job is called.

use std::fmt;

use crate::error::ApiError;

/// `project` and job id. A job's location is shown and otherwise ignored: one machine has one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct JobName {
    pub project: String,
    pub id: String,
}

impl JobName {
    /// For jobs.insert: letters, digits, `_` and `-`, 1,024 at most.
    pub(crate) fn check_id(&self) -> Result<(), ApiError> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
        if (1..=1_024).contains(&self.id.len()) && self.id.bytes().all(allowed) {
            return Ok(());
        }
        Err(ApiError::Invalid(format!(
            "Invalid job ID \"{}\". Job IDs must be alphanumeric (plus underscores and dashes) and must be at most 1024 characters long.",
            self.id
        )))
    }

    /// Of a job whose client leaves the choice to the server.
    pub(crate) fn made_up(project: String) -> JobName {
        let random: String = std::iter::repeat_with(fastrand::alphanumeric).take(27).collect();
        JobName { project, id: format!("job_{random}") }
    }
}

impl fmt::Display for JobName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{LOCATION}.{}", self.project, self.id)
    }
}

/// The one there is.
pub(crate) const LOCATION: &str = "US";
