//! Mistakes in the settings, gathered so that all of them are reported at once.

use std::fmt;
use std::str::FromStr;

/// Every mistake in the settings, a sentence each.
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

    /// The value, or `None` and a problem more.
    pub(crate) fn check<T, E: fmt::Display>(&mut self, name: &str, result: Result<T, E>) -> Option<T> {
        result.map_err(|error| self.add(name, error)).ok()
    }

    pub(crate) fn number<T: FromStr + PartialOrd + fmt::Display + Copy>(&mut self, name: &str, text: &str, least: T, most: T) -> Option<T> {
        let number = text.trim().parse().ok().filter(|number| (least..=most).contains(number));
        self.check(name, number.ok_or_else(|| format!("{text:?} is not a whole number from {least} to {most}")))
    }

    pub(crate) fn boolean(&mut self, name: &str, text: &str) -> Option<bool> {
        let boolean = match text.trim().to_ascii_lowercase().as_str() {
            "true" | "1" | "yes" | "on" => Ok(true),
            "false" | "0" | "no" | "off" => Ok(false),
            _ => Err(format!("{text:?} is neither true nor false")),
        };
        self.check(name, boolean)
    }

    pub(crate) fn identifier(&mut self, name: &str, text: &str, dashes: bool) {
        let legal = |c: char| c == '_' || c.is_ascii_alphanumeric() || (dashes && c == '-');
        if text.is_empty() || text.len() > 1024 || !text.chars().all(legal) {
            let also = if dashes { " and -" } else { "" };
            self.add(name, format!("{text:?} is not a name of letters, digits, _{also}"));
        }
    }

    pub(crate) fn or<T>(self, value: Option<T>) -> Result<T, Self> {
        match value {
            Some(value) if self.0.is_empty() => Ok(value),
            _ => Err(self),
        }
    }
}
