//! Mistakes in the settings, collected so that all of them are reported at once.

use std::fmt;

use super::setting::Setting;

/// Every mistake in the settings, a line each, which begins with the setting's name.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Problems(pub(crate) Vec<String>);

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("\n"))
    }
}

impl std::error::Error for Problems {}

impl Problems {
    pub(crate) fn add(&mut self, name: &str, problem: impl fmt::Display) {
        self.0.push(format!("{name}: {problem}"));
    }

    /// The value, or `None` after adding the error.
    pub(crate) fn check<T, E: fmt::Display>(&mut self, name: &str, result: Result<T, E>) -> Option<T> {
        result.map_err(|error| self.add(name, error)).ok()
    }

    /// Whether a mistake in that setting has been found.
    pub(crate) fn contains(&self, setting: &Setting) -> bool {
        self.0.iter().any(|problem| problem.strip_prefix(setting.name).is_some_and(|rest| rest.starts_with(':')))
    }

    pub(crate) fn or<T>(self, value: Option<T>) -> Result<T, Self> {
        match value {
            Some(value) if self.0.is_empty() => Ok(value),
            _ => Err(self),
        }
    }
}
