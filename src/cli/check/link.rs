//! One line of the report: the verdict on a link of the pipeline.

use serde::Serialize;

use super::difference::Difference;
use super::part::Verdict;

/// One line of the report.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Link {
    pub(crate) link: &'static str,
    /// `None` if it could not be checked.
    pub(crate) ok: Option<bool>,
    /// The resources that were found, if all of them are right.
    pub(crate) found: Option<String>,
    /// All problems, separated by `; `.
    pub(crate) problem: Option<String>,
    /// The same, one by one.
    #[serde(skip)]
    pub(crate) problems: Vec<String>,
    /// Commands that fix the problems, one per line.
    pub(crate) fix: Option<String>,
    /// Each difference from the description.
    pub(crate) differences: Vec<Difference>,
    /// For a stage of a live event: seconds since the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) seconds: Option<f64>,
}

/// Why a link is not right.
#[derive(Debug, Clone)]
pub(crate) enum Fault {
    /// It is broken, and no command fixes it.
    Broken { problem: String },
    /// It could not be checked.
    Unknown { problem: String, fix: Option<String> },
}

impl Fault {
    pub(crate) fn broken(problem: impl Into<String>) -> Self {
        Self::Broken { problem: problem.into() }
    }

    pub(crate) fn unknown(problem: impl Into<String>) -> Self {
        Self::Unknown { problem: problem.into(), fix: None }
    }
}

/// Why what depends on an absent resource cannot be checked.
pub(crate) fn absent(resource: &str) -> String {
    format!("{resource} does not exist yet")
}

impl Link {
    /// A stage of a live event.
    pub(crate) fn stage(link: &'static str, verdict: Result<String, Fault>) -> Self {
        let (ok, found, problem, fix) = match verdict {
            Ok(found) => (Some(true), Some(found), None, None),
            Err(Fault::Broken { problem }) => (Some(false), None, Some(problem), None),
            Err(Fault::Unknown { problem, fix }) => (None, None, Some(problem), fix),
        };
        Self { link, ok, found, problems: problem.iter().cloned().collect(), problem, fix, differences: Vec::new(), seconds: None }
    }

    /// The verdicts on the parts of one line. A difference weighs more than what could not be checked.
    pub(crate) fn of_parts(link: &'static str, verdicts: Vec<Verdict>) -> Self {
        let (mut found, mut differences, mut problems, mut fixes) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let mut add_fix = |fix: String| {
            // One command often fixes several differences.
            if !fix.is_empty() && !fixes.contains(&fix) {
                fixes.push(fix);
            }
        };
        let mut unknown = Vec::new();
        for verdict in verdicts {
            found.extend(Some(verdict.found).filter(|found| !found.is_empty()));
            for difference in verdict.differences {
                problems.push(difference.text());
                add_fix(difference.fix.clone());
                differences.push(difference);
            }
            for fault in verdict.unknown {
                let (problem, fix) = match fault {
                    Fault::Broken { problem } => (problem, None),
                    Fault::Unknown { problem, fix } => (problem, fix),
                };
                // Parts that depend on the same resource.
                if !unknown.contains(&problem) {
                    unknown.push(problem);
                }
                add_fix(fix.unwrap_or_default());
            }
        }
        // Another part of the line reports it.
        unknown.retain(|problem| !differences.iter().any(|difference: &Difference| *problem == absent(&difference.resource)));
        let ok = match (differences.is_empty(), unknown.is_empty()) {
            (true, true) => Some(true),
            (true, false) => None,
            (false, _) => Some(false),
        };
        problems.extend(unknown.into_iter().map(|problem| if ok.is_none() { problem } else { format!("could not be checked: {problem}") }));
        let some = |text: String| Some(text).filter(|text| !text.is_empty());
        Self {
            link,
            ok,
            found: Some(found.join(", ")).filter(|_| ok == Some(true)),
            problem: some(problems.join("; ")),
            problems,
            fix: some(fixes.join("\n")),
            differences,
            seconds: None,
        }
    }
}
