//! The user to forget: values of attributes, in every form that may be stored.

use std::borrow::Cow;
use std::str::FromStr;

use super::column::ColumnValue;
use crate::config::Config;
use crate::decode::schema::Mode;
use crate::decode::table_suffix::Match;
use crate::decode::{Schema, Settings};

/// A name and a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AttributeArg {
    pub(crate) name: String,
    pub(crate) value: String,
}

impl FromStr for AttributeArg {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, value) = text.split_once('=').ok_or("expected NAME=VALUE")?;
        Ok(Self { name: name.to_owned(), value: value.to_owned() })
    }
}

/// The user.
#[derive(Debug)]
pub(crate) struct Subject {
    attributes: Vec<AttributeArg>,
    settings: Settings,
    /// The template table's.
    schema: Schema,
}

impl Subject {
    pub(crate) fn new(attributes: Vec<AttributeArg>, config: &Config) -> Result<Self, String> {
        let settings = config.template.decode.clone();
        for AttributeArg { name, value } in &attributes {
            if settings.valid_attributes.position(name).is_none() {
                return Err(format!("attribute {name:?} is not in VALID_ATTRIBUTES ({})", settings.valid_attributes.names().join(", ")));
            }
            // An empty value would match every event without the attribute.
            if value.is_empty() {
                return Err(format!("the value of attribute {name:?} is empty"));
            }
        }
        let is_duplicate =
            |(index, attribute): (usize, &AttributeArg)| attributes[..index].iter().any(|other| other.name == attribute.name);
        if attributes.iter().enumerate().any(is_duplicate) {
            return Err("the same attribute is given twice: give each once".to_owned());
        }
        Ok(Self { attributes, settings, schema: config.template.schema.clone() })
    }

    /// The same with the template table's live schema.
    pub(crate) fn with_schema(self, schema: Schema) -> Self {
        Self { schema, ..self }
    }

    pub(crate) fn attributes(&self) -> &[AttributeArg] {
        &self.attributes
    }

    /// The value and, if the attribute is hashed, its hash. Rows from before HASH_USER_IDS was set hold the value, later
    /// rows the hash, dead letters always the value.
    pub(crate) fn stored_forms(&self, AttributeArg { name, value }: &AttributeArg) -> Vec<String> {
        let ids = self.settings.privacy.hashed_ids.as_ref().filter(|ids| ids.names().any(|hashed| hashed == name));
        [value.clone()].into_iter().chain(ids.map(|ids| ids.hash(value))).collect()
    }

    /// Whether a table with that suffix may be the user's.
    pub(crate) fn matches_suffix(&self, suffix: &str) -> Match {
        let names = self.settings.valid_attributes.names();
        self.settings.table_suffix.matches(suffix, |position| {
            let attribute = self.attributes.iter().find(|attribute| names.get(position) == Some(&attribute.name));
            attribute.map(|attribute| self.stored_forms(attribute)).unwrap_or_default()
        })
    }

    /// How many of the attributes are part of a table's name.
    pub(crate) fn attributes_in_suffix(&self) -> usize {
        let names = self.settings.valid_attributes.names();
        let is_in_suffix =
            |attribute: &&AttributeArg| self.settings.table_suffix.attributes().any(|at| names.get(at) == Some(&attribute.name));
        self.attributes.iter().filter(is_in_suffix).count()
    }

    /// Whether a row of the user may be in another user's table: a row with several values is in that of the first.
    pub(crate) fn may_be_in_any_table(&self) -> bool {
        self.attributes.iter().any(|attribute| self.is_repeated(&attribute.name))
    }

    /// Whether a URL's query names the user.
    pub(crate) fn matches_query(&self, query: &str) -> bool {
        let valid = &self.settings.valid_attributes;
        let values = valid.read(query, |position| valid.names().get(position).is_some_and(|name| self.is_repeated(name)));
        self.matches(|name| valid.position(name).into_iter().flat_map(|position| values.all(position)).map(Cow::Borrowed).collect())
    }

    /// Whether these values of attributes name the user.
    pub(crate) fn matches<'v>(&self, values: impl Fn(&str) -> Vec<Cow<'v, str>>) -> bool {
        self.attributes.iter().all(|attribute| {
            let stored_forms = self.stored_forms(attribute);
            let cell = |text: &str| self.schema.column(&attribute.name).and_then(|column| ColumnValue::new(text, column));
            let is_same =
                |value: &str| stored_forms.iter().any(|own| own == value || cell(own).is_some_and(|own| cell(value) == Some(own)));
            values(&attribute.name).iter().any(|value| is_same(value))
        })
    }

    fn is_repeated(&self, name: &str) -> bool {
        self.schema.column(name).is_some_and(|column| column.mode == Mode::Repeated)
    }
}
