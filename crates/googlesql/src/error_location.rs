//! Error messages with their location in the query: `Unrecognized name: foo at [1:8]`.

use datafusion::common::DataFusionError;
use datafusion::sql::sqlparser::ast::Spanned;
use datafusion::sql::sqlparser::tokenizer::{Location, Span};

use crate::error::{QueryError, RESOURCES_EXCEEDED};

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

/// The innermost message: what a function of ours said, if one did.
pub(crate) fn message(error: &DataFusionError) -> String {
    match error {
        DataFusionError::Context(_, inner) | DataFusionError::Diagnostic(_, inner) => message(inner),
        DataFusionError::Shared(inner) => message(inner),
        DataFusionError::Collection(errors) => errors.first().map(message).unwrap_or_default(),
        DataFusionError::ArrowError(inner, _) => arrow(inner),
        DataFusionError::External(inner) => match inner.downcast_ref::<DataFusionError>() {
            Some(inner) => message(inner),
            None => inner.to_string(),
        },
        DataFusionError::ResourcesExhausted(_) => RESOURCES_EXCEEDED.to_owned(),
        DataFusionError::Plan(text) | DataFusionError::Execution(text) | DataFusionError::NotImplemented(text) => first_line(text),
        other => first_line(&other.strip_backtrace()),
    }
}

fn arrow(error: &datafusion::arrow::error::ArrowError) -> String {
    use datafusion::arrow::error::ArrowError;
    match error {
        ArrowError::ExternalError(inner) => match inner.downcast_ref::<DataFusionError>() {
            Some(inner) => message(inner),
            None => inner.to_string(),
        },
        ArrowError::DivideByZero => "division by zero".to_owned(),
        ArrowError::ArithmeticOverflow(text) | ArrowError::ComputeError(text) => first_line(text),
        other => first_line(&other.to_string()),
    }
}

fn first_line(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    match line {
        "Scalar subquery returned more than one row" => "Scalar subquery produced more than one element".to_owned(),
        line => line.strip_prefix("Error during planning: ").unwrap_or(line).to_owned(),
    }
}

/// The place in a plan's terms, as text.
pub(crate) fn location(location: datafusion::common::Location) -> String {
    at(Location { line: location.line, column: location.column })
}
