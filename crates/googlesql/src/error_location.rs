//! Error messages with their location in the query: `Unrecognized name: foo at [1:8]`.

use datafusion::sql::sqlparser::ast::Spanned;
use datafusion::sql::sqlparser::tokenizer::{Location, Span};

use crate::error::QueryError;

/// ` at [LINE:COLUMN]`, or nothing if the location is not known.
pub(crate) fn at(location: Location) -> String {
    match location {
        Location { line: 0, .. } => String::new(),
        Location { line, column } => format!(" at [{line}:{column}]"),
    }
}

/// The error, with the location of the syntax that is at fault.
pub(crate) fn error_at(message: impl std::fmt::Display, syntax: &impl Spanned) -> QueryError {
    error_at_span(message, syntax.span())
}

pub(crate) fn error_at_span(message: impl std::fmt::Display, span: Span) -> QueryError {
    QueryError::Invalid(format!("{message}{}", at(span.start)))
}

/// The error for a feature that BigQuery has and this engine lacks.
pub(crate) fn unsupported(what: &str, syntax: &impl Spanned) -> QueryError {
    error_at(format!("The local BigQuery does not support {what}"), syntax)
}

pub(crate) fn unsupported_at(what: &str, span: Span) -> QueryError {
    error_at_span(format!("The local BigQuery does not support {what}"), span)
}

/// A location in a plan's terms, as text.
pub(crate) fn location(location: datafusion::common::Location) -> String {
    at(Location { line: location.line, column: location.column })
}
