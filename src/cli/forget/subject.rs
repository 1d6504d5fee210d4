//! Whom to forget: values of attributes, and how each may be spelt.

use std::borrow::Cow;
use std::str::FromStr;

use super::column::Cell;
use crate::config::Config;
use crate::decode::schema::Mode;
use crate::decode::table_suffix::Match;
use crate::decode::{Schema, Settings};

/// A name and a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Attribute {
    pub(crate) name: String,
    pub(crate) value: String,
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
pub(crate) struct Subject {
    attributes: Vec<Attribute>,
    settings: Settings,
    /// The template table's.
    schema: Schema,
}

impl Subject {
    pub(crate) fn new(attributes: Vec<Attribute>, config: &Config) -> Result<Self, String> {
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
        Ok(Self { attributes, settings, schema: config.template.schema.clone() })
    }

    /// With the schema that the template table has.
    pub(crate) fn in_tables_of(self, schema: Schema) -> Self {
        Self { schema, ..self }
    }

    pub(crate) fn attributes(&self) -> &[Attribute] {
        &self.attributes
    }

    /// The value as it is and, where such values are hashed, its hash: what was stored before that was switched on
    /// holds the one, what was stored since holds the other, and dead letters always hold the value.
    pub(crate) fn spellings(&self, Attribute { name, value }: &Attribute) -> Vec<String> {
        let ids = self.settings.privacy.hashed_ids.as_ref().filter(|ids| ids.names().any(|hashed| hashed == name));
        [value.clone()].into_iter().chain(ids.map(|ids| ids.hash(value))).collect()
    }

    /// Whether a table with that suffix may be the user's.
    pub(crate) fn matches(&self, suffix: &str) -> Match {
        let names = self.settings.valid_attributes.names();
        self.settings.table_suffix.matches(suffix, |position| {
            let attribute = self.attributes.iter().find(|attribute| names.get(position) == Some(&attribute.name));
            attribute.map(|attribute| self.spellings(attribute)).unwrap_or_default()
        })
    }

    /// How many of the attributes a table's name is made of.
    pub(crate) fn named_in_suffix(&self) -> usize {
        let names = self.settings.valid_attributes.names();
        let is_named = |attribute: &&Attribute| self.settings.table_suffix.attributes().any(|at| names.get(at) == Some(&attribute.name));
        self.attributes.iter().filter(is_named).count()
    }

    /// Whether a row may be in the table of somebody else: it is in that of a column's first value.
    pub(crate) fn may_be_anywhere(&self) -> bool {
        self.attributes.iter().any(|attribute| self.is_repeated(&attribute.name))
    }

    /// Whether the query of a URL is the user's.
    pub(crate) fn is_of_query(&self, query: &str) -> bool {
        let valid = &self.settings.valid_attributes;
        let values = valid.read(query, |position| valid.names().get(position).is_some_and(|name| self.is_repeated(name)));
        self.is_of(|name| valid.position(name).into_iter().flat_map(|position| values.all(position)).map(Cow::Borrowed).collect())
    }

    /// Whether someone of whom these are the values of attributes is the user.
    pub(crate) fn is_of<'v>(&self, values: impl Fn(&str) -> Vec<Cow<'v, str>>) -> bool {
        self.attributes.iter().all(|attribute| {
            let spellings = self.spellings(attribute);
            let cell = |text: &str| self.schema.column(&attribute.name).and_then(|column| Cell::of(text, column));
            let is_same = |value: &str| spellings.iter().any(|own| own == value || cell(own).is_some_and(|own| cell(value) == Some(own)));
            values(&attribute.name).iter().any(|value| is_same(value))
        })
    }

    fn is_repeated(&self, name: &str) -> bool {
        self.schema.column(name).is_some_and(|column| column.mode == Mode::Repeated)
    }
}
