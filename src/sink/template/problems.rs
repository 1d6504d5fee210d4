//! The reasons why rows of these settings cannot be stored in a template table, found before the first message.

use crate::config::TemplateSettings;
use crate::decode::{Schema, SchemaProblem};
use crate::google::bigquery::Table;

/// The table does not fit the settings.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
pub struct Mismatch(pub Vec<TemplateProblem>);

/// A conflict between the settings and the template table.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateProblem {
    /// `kind` is its type.
    #[error(
        "{table} is of type {kind}, and BigQuery stores rows in a TABLE only: set TABLE_NAME to a table, or to a name that does not exist yet"
    )]
    NotATable { table: String, kind: String },
    #[error(
        "{table} is partitioned, and BigQuery generates no tables from a partitioned one: set TABLE_SUFFIX to the empty text to store all \
         events in {table} itself, or set TABLE_NAME to a table without partitions"
    )]
    Partitioned { table: String },
    #[error("{table} has no columns: add them, as in `bq update DATASET.{table} schema/pixel.json`")]
    NoColumns { table: String },
    #[error(transparent)]
    Schema(SchemaProblem),
}

/// All conflicts between a table and the settings.
pub fn problems_with(table: &Table, settings: &TemplateSettings) -> Vec<TemplateProblem> {
    let name = || settings.table.to_string();
    let mut problems = Vec::new();
    if !table.accepts_rows() {
        problems.push(TemplateProblem::NotATable { table: name(), kind: table.kind.clone() });
    }
    if table.is_partitioned && !settings.decode.table_suffix.is_empty() {
        problems.push(TemplateProblem::Partitioned { table: name() });
    }
    match &table.schema {
        Some(schema) => problems.extend(settings.decode.problems_with(schema).into_iter().map(TemplateProblem::Schema)),
        None => problems.push(TemplateProblem::NoColumns { table: name() }),
    }
    problems
}

/// The schema of a table that fits the settings.
pub fn fitting_schema(table: Table, settings: &TemplateSettings) -> Result<Schema, Mismatch> {
    let problems = problems_with(&table, settings);
    match table.schema {
        Some(schema) if problems.is_empty() => Ok(schema),
        _ => Err(Mismatch(problems)),
    }
}

#[cfg(test)]
mod tests;
