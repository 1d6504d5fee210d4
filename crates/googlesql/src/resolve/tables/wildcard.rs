//! `pixel_*`: all tables whose names begin with a prefix, as one.
//!
//! The columns are those of the table that was created last; where another table lacks one, its rows have NULL. What
//! follows the prefix in a table's name is the hidden column `_TABLE_SUFFIX`. A view among the tables is an error,
//! whatever WHERE says.

use datafusion::arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::datasource::provider_as_source;

use super::super::path::TablePath;
use super::{FoundTable, no_dataset};
use crate::QueryError;
use crate::catalog::{Catalog, TABLE_SUFFIX, TableName, WildcardMatch};
use crate::error_location::error_at_span;
use crate::types;

pub(crate) fn find(catalog: &dyn Catalog, path: &TablePath, name: &TableName, prefix: &str) -> Result<FoundTable, QueryError> {
    match catalog.wildcard(&name.dataset, prefix)? {
        WildcardMatch::NoDataset => Err(no_dataset(&name.dataset)),
        WildcardMatch::NoTable => Err(QueryError::Invalid(format!("{name} does not match any table."))),
        WildcardMatch::View(view) => Err(error_at_span(format!("Views cannot be queried through prefix. First view {view}."), path.span)),
        WildcardMatch::Tables { provider, other_schemas } => {
            for other in &other_schemas {
                check_same_types(provider.schema().fields(), other, path)?;
            }
            Ok(FoundTable::Table { source: provider_as_source(provider), hidden: &[TABLE_SUFFIX] })
        }
    }
}

/// A column may be missing; it may not be of another type.
fn check_same_types(fields: &[FieldRef], others: &[Field], path: &TablePath) -> Result<(), QueryError> {
    for other in others {
        let Some(field) = fields.iter().find(|field| field.name().eq_ignore_ascii_case(other.name())) else { continue };
        if !types::same(field, other) && !is_wider_struct(field, other) {
            let message = format!("Cannot read field '{}' of type {} as {}", field.name(), types::of(other), types::of(field));
            return Err(error_at_span(message, path.span));
        }
    }
    Ok(())
}

/// A STRUCT, or an ARRAY of them, that has all members of the other.
fn is_wider_struct(field: &Field, other: &Field) -> bool {
    match (field.data_type(), other.data_type()) {
        (DataType::List(field), DataType::List(other)) => is_wider_struct(field, other),
        (DataType::Struct(_), DataType::Struct(members)) => members.iter().all(|member| {
            types::member(field, member.name()).is_none_or(|found| types::same(found, member) || is_wider_struct(found, member))
        }),
        _ => false,
    }
}
