//! The user to forget: values of attributes, and every form in which a table may hold them.
//!
//! A column holds the id, or its hash with the present key or a former one. A hash is looked up by its id only: the hash of
//! one user, given as the id of another, must not select the rows of the first.

use std::borrow::Cow;
use std::str::FromStr;

use super::column::ColumnValue;
use super::spelling::{contains_word, encodings, spellings};
use crate::config::Operator;
use crate::decode::hashed_ids::HashedIds;
use crate::decode::schema::Mode;
use crate::decode::table_suffix::{Match, contains_value};
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
    /// With the present key and the former ones.
    hashes: Vec<HashedIds>,
    /// The attributes that hold ids of users.
    id_attributes: Vec<String>,
    /// The operator says that a value with the form of a hash is an id.
    is_unhashed: bool,
    /// The template table's.
    schema: Schema,
}

/// Whom a message names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Named {
    User,
    UserAndOthers,
    /// Or no user.
    Others,
}

/// Text that a column may hold, and the spelling of the id that it comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OtherForm {
    pub(crate) stored: String,
    pub(crate) spelling: String,
}

impl Subject {
    pub(crate) fn new(attributes: Vec<AttributeArg>, is_unhashed: bool, operator: &Operator) -> Result<Self, String> {
        let settings = operator.service.template.decode.clone();
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
        let hashes = settings.privacy.hashed_ids.iter().chain(&operator.former_hashed_ids).cloned().collect();
        let (id_attributes, schema) = (operator.id_attributes.clone(), operator.service.template.schema.clone());
        Ok(Self { attributes, settings, hashes, id_attributes, is_unhashed, schema })
    }

    /// The same with the template table's live schema.
    pub(crate) fn with_schema(self, schema: Schema) -> Self {
        Self { schema, ..self }
    }

    pub(crate) fn attributes(&self) -> &[AttributeArg] {
        &self.attributes
    }

    /// The template table's schema.
    pub(crate) fn schema(&self) -> &Schema {
        &self.schema
    }

    /// Whether another value of the attribute is another user. A row with several values of another attribute is the user's.
    pub(crate) fn is_id(&self, attribute: &AttributeArg) -> bool {
        self.id_attributes.contains(&attribute.name)
    }

    /// The texts that a table may hold for this user alone: the hashes of the value, and the value itself. Rows from before
    /// HASH_USER_IDS was set hold the value. A value that may be the hash of another user is not among them.
    pub(crate) fn stored_forms(&self, attribute: &AttributeArg) -> Vec<String> {
        let value = Some(attribute.value.clone()).filter(|_| !self.may_be_a_hash(attribute));
        value.into_iter().chain(self.hashes_of(&attribute.name).map(|ids| ids.hash(&attribute.value))).collect()
    }

    /// Texts that may be the same user's or another's.
    pub(crate) fn other_forms(&self, attribute: &AttributeArg) -> Vec<OtherForm> {
        let value = &attribute.value;
        let form = |stored: String, spelling: &str| OtherForm { stored, spelling: spelling.to_owned() };
        let mut forms: Vec<OtherForm> = self.may_be_a_hash(attribute).then(|| form(value.clone(), value)).into_iter().collect();
        for spelling in spellings(value) {
            forms.push(form(spelling.clone(), &spelling));
            forms.extend(self.hashes_of(&attribute.name).map(|ids| form(ids.hash(&spelling), &spelling)));
        }
        forms
    }

    /// The texts by which a URL names the user.
    pub(crate) fn mentioned_forms(&self, attribute: &AttributeArg) -> Vec<String> {
        let hashes = self.hashes_of(&attribute.name).map(|ids| ids.hash(&attribute.value));
        encodings(&attribute.value).into_iter().chain(hashes).collect()
    }

    fn hashes_of(&self, name: &str) -> impl Iterator<Item = &HashedIds> {
        self.hashes.iter().filter(move |ids| ids.names().any(|hashed| hashed == name))
    }

    /// Whether the value may be the hash of another user.
    pub(crate) fn may_be_a_hash(&self, AttributeArg { name, value }: &AttributeArg) -> bool {
        !self.is_unhashed && HashedIds::has_form_of_hash(value) && self.hashes_of(name).next().is_some()
    }

    /// Whether the present TABLE_SUFFIX makes that suffix of the user's values.
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

    /// How many of the attributes have their value in the name of a table that any template made.
    pub(crate) fn attributes_in_name(&self, table: &str) -> usize {
        let is_in_name = |attribute: &&AttributeArg| {
            let forms = self.stored_forms(attribute);
            forms.iter().chain([&attribute.value]).any(|form| contains_value(table, form))
        };
        self.attributes.iter().filter(is_in_name).count()
    }

    /// Whom a URL's query names.
    pub(crate) fn named_in_query(&self, query: &str) -> Named {
        let valid = &self.settings.valid_attributes;
        let values = valid.read(query, |position| valid.names().get(position).is_some_and(|name| self.is_repeated(name)));
        self.named(|name| valid.position(name).into_iter().flat_map(|position| values.all(position)).map(Cow::Borrowed).collect())
    }

    /// Whom these values of attributes name. Messages are never hashed.
    pub(crate) fn named<'v>(&self, values: impl Fn(&str) -> Vec<Cow<'v, str>>) -> Named {
        let mut named = Named::User;
        for attribute @ AttributeArg { name, value } in &self.attributes {
            let cell = |text: &str| self.schema.column(name).and_then(|column| ColumnValue::new(text, column));
            let own = cell(value);
            let is_own = |other: &Cow<'_, str>| other == value || own.is_some() && cell(other) == own;
            let (theirs, others): (Vec<_>, Vec<_>) = values(name).into_iter().filter(|value| !value.is_empty()).partition(is_own);
            if theirs.is_empty() {
                return Named::Others;
            }
            if !others.is_empty() && self.is_id(attribute) {
                named = Named::UserAndOthers;
            }
        }
        named
    }

    /// Whether text contains the values or other spellings of them.
    pub(crate) fn is_mentioned(&self, text: &str) -> bool {
        self.attributes.iter().all(|attribute| {
            let spellings = spellings(&attribute.value).into_iter().chain(encodings(&attribute.value));
            spellings.into_iter().any(|spelling| contains_word(text, &spelling))
        })
    }

    fn is_repeated(&self, name: &str) -> bool {
        self.schema.column(name).is_some_and(|column| column.mode == Mode::Repeated)
    }
}
