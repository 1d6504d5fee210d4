//! The values of all settings, each valid for its kind.
//!
//! Only `RawSettings::check` creates them, so reading a value cannot fail. Reading a setting as another kind is a bug, and
//! panics.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use super::parse;
use super::setting::{Kind, Setting};
use super::settings::SETTINGS;

/// The checked texts by name.
#[derive(Clone)]
pub struct Values(pub(crate) BTreeMap<&'static str, String>);

impl Kind {
    /// Whether a text is a value of this kind. An optional setting may be empty.
    pub(crate) fn check(self, text: &str, is_optional: bool) -> Result<(), String> {
        if is_optional && text.trim().is_empty() {
            return Ok(());
        }
        match self {
            Self::Number { min, max } => parse::number(text, min, max).map(drop),
            Self::Boolean => parse::boolean(text).map(drop),
            Self::Duration { min_ms, max_ms } => parse::duration(text, min_ms, max_ms).map(drop),
            Self::Choice(values) if values.contains(&text.trim().to_ascii_lowercase().as_str()) => Ok(()),
            Self::Choice(values) => Err(format!("{text:?} is not one of {}", values.join(", "))),
            Self::Identifier { dashes } => parse::identifier(text, dashes),
            Self::Address => parse::address(text).map(drop),
            Self::Text | Self::Secret => Ok(()),
        }
    }
}

impl Values {
    /// The text, unchanged.
    pub fn text(&self, setting: &Setting) -> &str {
        self.0.get(setting.name).map_or("", String::as_str)
    }

    /// The text without surrounding blanks. An empty text counts as not set.
    pub fn optional(&self, setting: &Setting) -> Option<&str> {
        Some(self.text(setting).trim()).filter(|text| !text.is_empty())
    }

    pub fn path(&self, setting: &Setting) -> Option<PathBuf> {
        self.optional(setting).map(PathBuf::from)
    }

    /// A value of [`Kind::Choice`], in lower case.
    pub fn choice(&self, setting: &Setting) -> String {
        self.text(setting).trim().to_ascii_lowercase()
    }

    /// A value of [`Kind::Number`], in a type that holds its range.
    pub fn number<T: TryFrom<u64>>(&self, setting: &Setting) -> T {
        let number = match setting.kind {
            Kind::Number { min, max } => parse::number(self.text(setting), min, max).ok().and_then(|number| T::try_from(number).ok()),
            _ => None,
        };
        number.unwrap_or_else(|| panic!("{} is read as a number of another range", setting.name))
    }

    /// A value of [`Kind::Number`] that may be missing.
    pub fn optional_number<T: TryFrom<u64>>(&self, setting: &Setting) -> Option<T> {
        self.optional(setting).map(|_| self.number(setting))
    }

    /// A value of [`Kind::Boolean`].
    pub fn boolean(&self, setting: &Setting) -> bool {
        parse::boolean(self.text(setting)).unwrap_or_else(|_| panic!("{} is read as a Boolean", setting.name))
    }

    /// A value of [`Kind::Duration`].
    pub fn duration(&self, setting: &Setting) -> Duration {
        let duration = match setting.kind {
            Kind::Duration { min_ms, max_ms } => parse::duration(self.text(setting), min_ms, max_ms).ok(),
            _ => None,
        };
        duration.unwrap_or_else(|| panic!("{} is read as a duration", setting.name))
    }

    /// A value of [`Kind::Address`]: a URL without a slash at the end.
    pub fn address(&self, setting: &Setting) -> Option<String> {
        self.optional(setting).and_then(|text| parse::address(text).ok())
    }
}

impl fmt::Debug for Values {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        debug(&self.0, f)
    }
}

/// Shows the texts by name, but no secret.
pub(crate) fn debug(texts: &BTreeMap<&'static str, String>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let is_secret = |name: &str| SETTINGS.iter().any(|setting| setting.name == name && setting.is_secret());
    f.debug_map().entries(texts.iter().map(|(name, text)| (name, if is_secret(name) { "(not shown)" } else { text }))).finish()
}
