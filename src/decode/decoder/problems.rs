//! The conflicts between settings and a schema, found before the first message.

use std::fmt;

use super::{Decoder, INVALID_ATTRIBUTES, SIGNED, Settings, Source};
use crate::decode::entry_columns::EntryColumn;
use crate::decode::hashed_ids::HashedIds;
use crate::decode::schema::{Column, ColumnType, Schema};
use crate::decode::signature::SignatureMode;

impl Settings {
    /// All conflicts between these settings and that schema.
    pub fn problems_with(&self, schema: &Schema) -> Vec<SchemaProblem> {
        let mut problems = Vec::new();
        let names_where = |predicate: &dyn Fn(Option<&Column>) -> bool| -> Vec<String> {
            self.valid_attributes.names().iter().filter(|name| predicate(schema.column(name))).cloned().collect()
        };
        let missing = names_where(&|column| column.is_none());
        if !missing.is_empty() {
            problems.push(SchemaProblem::Missing(missing));
        }
        let unfillable = names_where(&|column| column.is_some_and(|column| !column.is_fillable()));
        if !unfillable.is_empty() {
            problems.push(SchemaProblem::Unfillable(unfillable));
        }
        let cannot_hold_hash = |name: &str| {
            let fits = |column: &Column| column.max_length.is_none_or(|length| length >= HashedIds::DIGITS);
            schema.column(name).is_some_and(|column| column.kind != ColumnType::String || !fits(column))
        };
        let hashed = self.privacy.hashed_ids.iter().flat_map(HashedIds::names);
        let unhashable: Vec<String> = hashed.filter(|name| cannot_hold_hash(name)).map(str::to_owned).collect();
        if !unhashable.is_empty() {
            problems.push(SchemaProblem::Unhashable(unhashable));
        }
        let decoder = Decoder::new(self.clone(), schema);
        let is_mark_mode = self.signatures.as_ref().is_some_and(|signatures| signatures.mode == SignatureMode::Mark);
        let can_hold_mark = |(column, source): &(Column, Source)| {
            matches!(source, Source::Signed) && matches!(column.kind, ColumnType::Boolean | ColumnType::String)
        };
        if is_mark_mode && !decoder.columns.iter().any(can_hold_mark) {
            problems.push(SchemaProblem::Unmarked);
        }
        let (mut unfilled, mut unfit, mut unused) = (Vec::new(), Vec::new(), Vec::new());
        for (column, source) in decoder.columns.iter().filter(|(column, _)| column.must_be_filled()) {
            let name = column.name.clone();
            match (source, EntryColumn::of(column)) {
                (Source::Attribute(_), _) => {}
                (Source::Entry(entry), _) if entry.fits(column) => {}
                (Source::Entry(entry), _) => unfit.push(OwnColumn { name, kind: entry.bigquery_type }),
                (Source::Signed, _) if matches!(column.kind, ColumnType::Boolean | ColumnType::String) => {}
                (Source::Signed, _) => unfit.push(OwnColumn { name, kind: "BOOLEAN" }),
                (Source::Nothing, Some(entry)) if !column.is_fillable() => unfit.push(OwnColumn { name, kind: entry.bigquery_type }),
                (Source::Nothing, Some(_)) => unused.push(name),
                (Source::Nothing, None) if [SIGNED, INVALID_ATTRIBUTES].iter().any(|own| column.is_called(own)) => unused.push(name),
                (Source::Nothing, None) => unfilled.push(name),
            }
        }
        if !unfilled.is_empty() {
            problems.push(SchemaProblem::Unfilled(unfilled));
        }
        if !unfit.is_empty() {
            problems.push(SchemaProblem::Unfit(unfit));
        }
        if !unused.is_empty() {
            problems.push(SchemaProblem::Unused(unused));
        }
        problems
    }
}

/// A conflict between settings and a schema.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SchemaProblem {
    /// Attributes without a column.
    #[error("VALID_ATTRIBUTES names {}, for which the schema has no column: add the column, or remove the name from the list", .0.join(", "))]
    Missing(Vec<String>),
    /// Attributes whose column has a type such as RECORD, or an unknown mode.
    #[error("VALID_ATTRIBUTES names {}, whose column has a type or mode that a URL parameter cannot fill: change the column, or remove the name from the list", .0.join(", "))]
    Unfillable(Vec<String>),
    /// Attributes whose column cannot contain a hash.
    #[error(
        "HASH_ATTRIBUTES names {}, whose column cannot hold a hash: make it a STRING of {digits} characters or more, or remove the name from the list",
        .0.join(", "), digits = HashedIds::DIGITS
    )]
    Unhashable(Vec<String>),
    /// There is no column that distinguishes forged events from signed ones.
    #[error(
        "SIGNATURE_MODE=mark needs a BOOLEAN column {SIGNED} that is not in VALID_ATTRIBUTES: add the column to the template table, or set SIGNATURE_MODE=require"
    )]
    Unmarked,
    /// Columns that are not in VALID_ATTRIBUTES.
    #[error(
        "the schema has REQUIRED columns without a source: {}: add them to VALID_ATTRIBUTES, or make them NULLABLE",
        .0.join(", ")
    )]
    Unfilled(Vec<String>),
    /// Columns that the service fills itself, with a type or length that cannot hold the values.
    #[error(
        "the service fills {} itself, and the REQUIRED column cannot hold the values: give it the type in parentheses without a \
         maximum length, or make it NULLABLE",
        .0.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
    )]
    Unfit(Vec<OwnColumn>),
    /// Columns that the service fills itself, and not with these settings or not in every row.
    #[error(
        "the schema has REQUIRED columns that the service leaves empty with these settings: {}: make them NULLABLE \
         (remote_ip depends on IP_ANONYMIZATION, signed on URL_SIGNING_KEY; invalid_attributes is a REPEATED STRING)",
        .0.join(", ")
    )]
    Unused(Vec<String>),
}

/// A column that the service fills itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnColumn {
    pub name: String,
    /// A type that holds its values.
    pub kind: &'static str,
}

impl fmt::Display for OwnColumn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.name, self.kind)
    }
}
