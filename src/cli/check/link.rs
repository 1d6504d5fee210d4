//! The result of checking one link.

use serde::Serialize;

/// One line of the report.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Link {
    pub(crate) link: &'static str,
    /// `None` if it could not be checked.
    pub(crate) ok: Option<bool>,
    /// The resource that was found, if it is right.
    pub(crate) found: Option<String>,
    pub(crate) problem: Option<String>,
    /// Commands that fix the problem, one per line.
    pub(crate) fix: Option<String>,
    /// For a stage of a live event: seconds since the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) seconds: Option<f64>,
}

/// A description of the resource, or the fault.
pub(crate) type Verdict = Result<String, Fault>;

/// Why a link is not right.
#[derive(Debug, Clone)]
pub(crate) enum Fault {
    /// It is broken. `fix` is empty if no command fixes it.
    Broken { problem: String, fix: String },
    /// It could not be checked.
    Unknown { problem: String, fix: Option<String> },
}

impl Fault {
    pub(crate) fn broken(problem: impl Into<String>, fix: impl Into<String>) -> Self {
        Self::Broken { problem: problem.into(), fix: fix.into() }
    }

    pub(crate) fn unknown(problem: impl Into<String>) -> Self {
        Self::Unknown { problem: problem.into(), fix: None }
    }
}

impl Link {
    pub(crate) fn new(link: &'static str, verdict: Verdict) -> Self {
        let (ok, found, problem, fix) = match verdict {
            Ok(found) => (Some(true), Some(found), None, None),
            Err(Fault::Broken { problem, fix }) => (Some(false), None, Some(problem), Some(fix).filter(|fix| !fix.is_empty())),
            Err(Fault::Unknown { problem, fix }) => (None, None, Some(problem), fix),
        };
        Self { link, ok, found, problem, fix, seconds: None }
    }
}

/// All problems of one link.
#[derive(Debug, Default)]
pub(crate) struct LinkProblems {
    problems: Vec<String>,
    fixes: Vec<String>,
}

impl LinkProblems {
    pub(crate) fn add(&mut self, problem: impl Into<String>, fix: impl Into<String>) {
        self.problems.push(problem.into());
        let fix = fix.into();
        // One command often fixes several problems.
        if !self.fixes.contains(&fix) {
            self.fixes.push(fix);
        }
    }

    /// `found`, unless there was a problem.
    pub(crate) fn or(self, found: impl Into<String>) -> Verdict {
        if self.problems.is_empty() {
            return Ok(found.into());
        }
        Err(Fault::broken(self.problems.join("; "), self.fixes.join("\n")))
    }
}
