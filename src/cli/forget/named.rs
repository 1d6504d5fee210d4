//! A table's name, and what to call it where the name would say whom it is of.
//!
//! A log and a receipt are kept for longer than the user.

use crate::cli::google::Unseen;

/// A table by its name.
#[derive(Debug, Clone)]
pub(crate) struct Named {
    name: String,
    /// In place of a name that is made of the user's values.
    alias: Option<String>,
}

impl Named {
    /// Of a table whose name says nothing.
    pub(crate) fn open(name: String) -> Self {
        Self { name, alias: None }
    }

    /// The first, second … of so many that are looked into, in the order of their names.
    pub(crate) fn hidden(name: String, number: usize, of: usize) -> Self {
        Self { name, alias: Some(format!("table {number} of {of}")) }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn called(&self) -> &str {
        self.alias.as_deref().unwrap_or(&self.name)
    }

    /// What is wrong with the table: Google's own words name it.
    pub(crate) fn conceal(&self, error: &Unseen) -> String {
        error.to_string().replace(&self.name, self.called())
    }
}
