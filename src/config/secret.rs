//! A setting that must not be shown: not in an error, not by `Debug`, and not by clap, whose own parsers
//! would quote it.

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

/// As it was given.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// What was given, unless that is nothing.
    pub(crate) fn given(secret: Option<&Self>) -> Option<&str> {
        secret.map(|Self(text)| text.trim()).filter(|text| !text.is_empty())
    }
}

impl FromStr for Secret {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(not shown)")
    }
}
