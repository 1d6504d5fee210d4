//! The name of a job.

use std::fmt;

use crate::error::ApiError;

/// Project and job id. Requests may contain any location. The emulator ignores it and has only [`LOCATION`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct JobName {
    pub project: String,
    pub id: String,
}

impl JobName {
    /// Checks the id for jobs.insert: at most 1,024 letters, digits, `_` and `-`.
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

    /// Generates an id for a request without one.
    pub(crate) fn generate(project: String) -> JobName {
        let random: String = std::iter::repeat_with(fastrand::alphanumeric).take(27).collect();
        JobName { project, id: format!("job_{random}") }
    }
}

impl fmt::Display for JobName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{LOCATION}.{}", self.project, self.id)
    }
}

/// The location of all jobs and tables.
pub(crate) const LOCATION: &str = "US";
