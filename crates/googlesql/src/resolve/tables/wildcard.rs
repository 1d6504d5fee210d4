//! Resolves wildcard tables: `pixel_*` combines all tables whose names begin with a prefix.
//!
//! A wildcard table has the columns of the table that was created last. A column that another table does not have is
//! NULL in that table's rows. The pseudocolumn `_TABLE_SUFFIX` has the rest of the table's name after the prefix. A
//! view with a matching name is an error, also if WHERE excludes it.
//! Reference: <https://cloud.google.com/bigquery/docs/querying-wildcard-tables>.

use datafusion::arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::datasource::provider_as_source;

use super::super::path::TablePath;
use super::{FoundTable, dataset_not_found};
use crate::QueryError;
use crate::catalog::{Catalog, TABLE_SUFFIX, TableName, WildcardMatch};
use crate::error_location::error_at_span;
use crate::types;

pub(crate) fn find(catalog: &dyn Catalog, path: &TablePath, name: &TableName, prefix: &str) -> Result<FoundTable, QueryError> {
    match catalog.wildcard(&name.dataset, prefix)? {
        WildcardMatch::NoDataset => Err(dataset_not_found(&name.dataset)),
        WildcardMatch::NoTable => Err(QueryError::Invalid(format!("{name} does not match any table."))),
        WildcardMatch::View(view) => Err(error_at_span(format!("Views cannot be queried through prefix. First view {view}."), path.span)),
        WildcardMatch::Tables { provider, other_schemas } => {
            for other in &other_schemas {
                check_same_types(provider.schema().fields(), other, path)?;
            }
            Ok(FoundTable::Table { source: provider_as_source(provider), hidden_columns: &[TABLE_SUFFIX] })
        }
    }
}

/// A table may lack a column, but its columns must have the same types.
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

/// Whether `field` is a STRUCT, or an ARRAY of STRUCTs, with all members of `other`.
fn is_wider_struct(field: &Field, other: &Field) -> bool {
    match (field.data_type(), other.data_type()) {
        (DataType::List(field), DataType::List(other)) => is_wider_struct(field, other),
        (DataType::Struct(_), DataType::Struct(members)) => members.iter().all(|member| {
            types::member(field, member.name()).is_none_or(|found| types::same(found, member) || is_wider_struct(found, member))
        }),
        _ => false,
    }
}
