//! What the decoder noticed about a request besides its outcome, for `explain` and for metrics. Contains no value of the
//! URL.

/// Further names of one request are not noted.
const MAX_NAMES: usize = 32;
/// Longer names are not noted.
const MAX_NAME_BYTES: usize = 64;

/// Observations about one request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Notes {
    not_kept: Vec<String>,
    /// Whether the query has `&amp;` for `&`.
    pub html_escaped: bool,
}

impl Notes {
    /// The names of parameters that VALID_ATTRIBUTES does not list, each once, in the order of the query.
    pub fn not_kept(&self) -> impl Iterator<Item = &str> {
        self.not_kept.iter().map(String::as_str)
    }

    /// Notes a parameter that is not kept. A text without `=` is more likely a value, such as the id in `?alice`.
    pub(crate) fn add_not_kept(&mut self, name: &str, has_value: bool) {
        let is_noted = has_value && !name.is_empty() && name.len() <= MAX_NAME_BYTES && self.not_kept.len() < MAX_NAMES;
        if is_noted && !self.not_kept.iter().any(|noted| noted == name) {
            self.not_kept.push(name.to_owned());
        }
    }

    /// Removes the names of parameters that the service reads itself.
    pub(crate) fn retain(&mut self, keep: impl Fn(&str) -> bool) {
        self.not_kept.retain(|name| keep(name));
    }
}
