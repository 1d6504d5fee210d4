//! Whom to forget: values of attributes, and how tables, queries and messages tell of them.

use std::str::FromStr;

use serde_json::Value;

use crate::cli::statement;
use crate::config::Config;
use crate::decode::json;
use crate::decode::log_entry::LogEntry;
use crate::decode::request_url::RequestUrl;
use crate::decode::table_suffix::Resemblance;
use crate::decode::{PubsubMessage, Settings};

/// A name and a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Attribute {
    pub(super) name: String,
    pub(super) value: String,
}

impl FromStr for Attribute {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, value) = text.split_once('=').ok_or("it is not of the form NAME=VALUE")?;
        Ok(Self { name: name.to_owned(), value: value.to_owned() })
    }
}

/// All that is known of the user.
#[derive(Debug)]
pub(super) struct Subject {
    attributes: Vec<Attribute>,
    settings: Settings,
}

impl Subject {
    pub(super) fn new(attributes: Vec<Attribute>, config: &Config) -> Result<Self, String> {
        let settings = config.template.decode.clone();
        for Attribute { name, value } in &attributes {
            if settings.valid_attributes.position(name).is_none() {
                return Err(format!("{name:?} is none of VALID_ATTRIBUTES ({})", settings.valid_attributes.names().join(", ")));
            }
            // Every event without would be meant.
            if value.is_empty() {
                return Err(format!("the value of {name} is empty"));
            }
        }
        let is_twice = |(index, attribute): (usize, &Attribute)| attributes[..index].iter().any(|other| other.name == attribute.name);
        if attributes.iter().enumerate().any(is_twice) {
            return Err("an attribute is given twice".to_owned());
        }
        Ok(Self { attributes, settings })
    }

    pub(super) fn attributes(&self) -> &[Attribute] {
        &self.attributes
    }

    fn value(&self, position: usize) -> Option<&str> {
        let name = self.settings.valid_attributes.names().get(position)?;
        self.attributes.iter().find(|attribute| attribute.name == *name).map(|attribute| attribute.value.as_str())
    }

    /// Whether a table with that suffix may be the user's.
    pub(super) fn resembles(&self, suffix: &str) -> Resemblance {
        self.settings.table_suffix.resembles(suffix, |position| self.value(position))
    }

    /// The condition that a row is of the user.
    pub(super) fn condition(&self) -> String {
        // Of whatever type the column is, its value is what it was in the URL.
        let conditions = self.attributes.iter().map(|Attribute { name, .. }| format!("CAST(`{name}` AS STRING) = @{name}"));
        conditions.collect::<Vec<_>>().join(" AND ")
    }

    /// The condition that a row is of somebody else: a column that is NULL speaks for nobody.
    pub(super) fn condition_of_others(&self) -> String {
        let conditions = self.attributes.iter().map(|Attribute { name, .. }| format!("CAST(`{name}` AS STRING) != @{name}"));
        conditions.collect::<Vec<_>>().join(" OR ")
    }

    pub(super) fn parameters(&self) -> Vec<Value> {
        self.attributes.iter().map(|Attribute { name, value }| statement::string(name, value)).collect()
    }

    /// Whether a message is of the user: by its URL, or, where there is none to be read, by its text.
    pub(super) fn is_of(&self, message: &PubsubMessage<'_>) -> bool {
        let data = match message.data.bytes() {
            Ok(data) => data,
            Err(_) => message.data.to_base64().into_owned().into_bytes().into(),
        };
        match json::read::<LogEntry<'_>>(&data).ok().and_then(|entry| entry.http_request.map(|request| request.0)) {
            Some(request) if request.request_url.text().is_some() => {
                let url = RequestUrl::new(request.request_url.text().unwrap_or_default());
                let values = self.settings.valid_attributes.read(url.query, |_| false);
                (0..self.settings.valid_attributes.names().len())
                    .filter_map(|position| Some((position, self.value(position)?)))
                    .all(|(position, value)| values.first(position) == Some(value))
            }
            _ => self.attributes.iter().all(|Attribute { value, .. }| mentions(&data, value)),
        }
    }
}

/// Whether a text has the value as a word of its own, as it is or as a URL has it.
fn mentions(text: &[u8], value: &str) -> bool {
    let escaped: String = url::form_urlencoded::byte_serialize(value.as_bytes()).collect();
    let is_word = |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric());
    [value, &escaped].iter().any(|form| {
        let found = |start: &usize| text[*start..].starts_with(form.as_bytes());
        let stands_alone =
            |start: usize| !is_word(start.checked_sub(1).and_then(|at| text.get(at))) && !is_word(text.get(start + form.len()));
        (0..text.len()).filter(found).any(stands_alone)
    })
}

#[cfg(test)]
mod tests {
    use super::mentions;

    #[test]
    fn a_value_is_found_as_a_word_and_not_within_another() {
        assert!(mentions(b"{\"requestUrl\":\"/pixel.png?user_id=bob%40example.com&", "bob@example.com"));
        assert!(mentions(b"user_id=507f\"", "507f"));
        assert!(!mentions(b"user_id=507f1", "507f"));
        assert!(!mentions(b"a507f", "507f"));
        assert!(!mentions(b"", "507f"));
    }
}
