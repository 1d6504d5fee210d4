//! Parses the name of a table: `` `my-project.dataset.table` ``, `dataset.table`, `my-project.dataset.table`.
//!
//! Reference: <https://cloud.google.com/bigquery/docs/reference/standard-sql/lexical#table_names>.

use datafusion::sql::sqlparser::ast::{Ident, ObjectName, Spanned};
use datafusion::sql::sqlparser::tokenizer::Span;

use crate::catalog::{DatasetName, TableName};
use crate::error::QueryError;
use crate::error_location::{error_at, error_at_span, unsupported};
use crate::query::Query;

/// The parts of a table's name, without quotes.
pub(crate) struct TablePath {
    pub parts: Vec<String>,
    pub span: Span,
}

impl TablePath {
    pub(crate) fn parse(name: &ObjectName) -> Result<TablePath, QueryError> {
        let mut parts = Vec::new();
        for part in &name.0 {
            let Some(Ident { value, quote_style, .. }) = part.as_ident() else {
                return Err(unsupported("table functions", name));
            };
            if quote_style.is_none() && value.starts_with('@') {
                return Err(error_at("Query parameters cannot be used in place of table names", name));
            }
            if quote_style.is_some_and(|quote| quote != '`') {
                return Err(error_at("Syntax error: Unexpected string literal in FROM", name));
            }
            parts.extend(value.split('.').map(str::to_owned));
        }
        if parts.iter().any(String::is_empty) {
            return Err(error_at(format!("Syntax error: Invalid empty identifier in {name}"), name));
        }
        Ok(TablePath { parts, span: name.span() })
    }

    /// The table's alias if the query gives none: the last part.
    pub(crate) fn default_alias(&self) -> &str {
        self.parts.last().map_or("", String::as_str)
    }

    /// The full name. The defaults of project and dataset are the query's.
    pub(crate) fn table_name(&self, query: &Query) -> Result<TableName, QueryError> {
        let at = |project: &str, dataset: &str, table: &str| TableName {
            dataset: DatasetName { project: project.to_owned(), dataset: dataset.to_owned() },
            table: table.to_owned(),
        };
        match self.parts.as_slice() {
            [table] => match &query.default_dataset {
                Some(dataset) => Ok(at(&dataset.project, &dataset.dataset, table)),
                None => {
                    let message = format!("Table \"{table}\" must be qualified with a dataset (e.g. dataset.table).");
                    Err(error_at_span(message, self.span))
                }
            },
            [dataset, table] => Ok(at(&query.project, dataset, table)),
            // A legacy project of a domain has a colon and a dot: `example.com:project`.
            [project, dataset, table] => Ok(at(project, dataset, table)),
            parts => {
                let message = format!("Invalid table name: `{}`", parts.join("."));
                Err(error_at_span(message, self.span))
            }
        }
    }
}
