//! What becomes of looking at one link.

use serde::Serialize;

/// One line of the report.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Link {
    pub(crate) link: &'static str,
    /// `None` if it could not be looked at.
    pub(crate) ok: Option<bool>,
    /// What is there, if it is right.
    pub(crate) found: Option<String>,
    pub(crate) problem: Option<String>,
    /// Commands, one a line.
    pub(crate) mend: Option<String>,
    /// Of a stage of a live event: how long after the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) seconds: Option<f64>,
}

/// What is there, or what is wrong with it.
pub(crate) type Verdict = Result<String, Fault>;

/// Why a link is not ✓.
#[derive(Debug, Clone)]
pub(crate) enum Fault {
    /// It is broken.
    Wrong { problem: String, mend: String },
    /// It could not be looked at.
    Unseen { problem: String, mend: Option<String> },
}

impl Fault {
    pub(crate) fn wrong(problem: impl Into<String>, mend: impl Into<String>) -> Self {
        Self::Wrong { problem: problem.into(), mend: mend.into() }
    }
}

impl Link {
    pub(crate) fn new(link: &'static str, verdict: Verdict) -> Self {
        let (ok, found, problem, mend) = match verdict {
            Ok(found) => (Some(true), Some(found), None, None),
            Err(Fault::Wrong { problem, mend }) => (Some(false), None, Some(problem), Some(mend).filter(|mend| !mend.is_empty())),
            Err(Fault::Unseen { problem, mend }) => (None, None, Some(problem), mend),
        };
        Self { link, ok, found, problem, mend, seconds: None }
    }
}

/// Everything that is wrong with one link.
#[derive(Debug, Default)]
pub(crate) struct Mistakes {
    problems: Vec<String>,
    mends: Vec<String>,
}

impl Mistakes {
    pub(crate) fn add(&mut self, problem: impl Into<String>, mend: impl Into<String>) {
        self.problems.push(problem.into());
        let mend = mend.into();
        // One command often mends several.
        if !self.mends.contains(&mend) {
            self.mends.push(mend);
        }
    }

    /// What is there, unless there was a mistake.
    pub(crate) fn or(self, found: impl Into<String>) -> Verdict {
        if self.problems.is_empty() {
            return Ok(found.into());
        }
        Err(Fault::wrong(self.problems.join("; "), self.mends.join("\n")))
    }
}
