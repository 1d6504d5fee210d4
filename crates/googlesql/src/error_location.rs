//! Error messages that end with the location in the query: `Unrecognized name: foo at [1:8]`.

use datafusion::sql::sqlparser::ast::Spanned;
use datafusion::sql::sqlparser::tokenizer::{Location, Span};

use crate::error::QueryError;

/// ` at [LINE:COLUMN]`, or an empty string if the location is unknown.
pub(crate) fn location_suffix(location: Location) -> String {
    match location {
        Location { line: 0, .. } => String::new(),
        Location { line, column } => format!(" at [{line}:{column}]"),
    }
}

/// An error with the location of the invalid syntax.
pub(crate) fn error_at(message: impl std::fmt::Display, syntax: &impl Spanned) -> QueryError {
    error_at_span(message, syntax.span())
}

pub(crate) fn error_at_span(message: impl std::fmt::Display, span: Span) -> QueryError {
    QueryError::Invalid(format!("{message}{}", location_suffix(span.start)))
}

/// An error for a BigQuery feature that this crate does not support.
pub(crate) fn unsupported(what: &str, syntax: &impl Spanned) -> QueryError {
    error_at(format!("The BigQuery emulator does not support {what}"), syntax)
}

pub(crate) fn unsupported_at(what: &str, span: Span) -> QueryError {
    error_at_span(format!("The BigQuery emulator does not support {what}"), span)
}

/// The same as [`location_suffix`] for the location type of logical plans.
pub(crate) fn plan_location_suffix(location: datafusion::common::Location) -> String {
    location_suffix(Location { line: location.line, column: location.column })
}
