//! A table's name, and a label for logs and receipts where the name would identify the user.
//!
//! Logs and receipts are kept for longer than the user's data.

use std::fmt::Display;

/// A table.
#[derive(Debug, Clone)]
pub(crate) struct TableLabel {
    name: String,
    /// Replaces a name that is made of the user's values.
    alias: Option<String>,
}

impl TableLabel {
    /// A table whose name identifies no user.
    pub(crate) fn public(name: String) -> Self {
        Self { name, alias: None }
    }

    /// A table whose name identifies the user: number `number` of the `of` tables that are searched.
    pub(crate) fn hidden(name: String, number: usize, of: usize) -> Self {
        Self { name, alias: Some(format!("table {number} of {of}")) }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn label(&self) -> &str {
        self.alias.as_deref().unwrap_or(&self.name)
    }

    /// An error with the label in place of the name: Google's messages contain the name.
    pub(crate) fn redact(&self, error: &impl Display) -> String {
        error.to_string().replace(&self.name, self.label())
    }
}
