//! `pixel_*`: all tables whose names begin with a prefix, as one.
//!
//! The columns are those of the table that was created last; where another table lacks one, its
//! rows have NULL. What follows the prefix in a table's name is the hidden column
//! `_TABLE_SUFFIX`; what WHERE says of it is asked of the names first, and only the tables that are
//! left are read (`scan`). A view among the tables is an error, whatever WHERE says.

use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field};
use datafusion::datasource::provider_as_source;

use super::{Catalog, Found, TABLE_SUFFIX, columns};
use crate::catalog;
use crate::errors::ApiError;
use crate::googlesql::resolve::Path;
use crate::googlesql::scan::{Part, RowsTable};
use crate::googlesql::{QueryError, place, types};
use crate::names::TableRef;
use crate::schema::Schema;

impl Catalog<'_> {
    pub(crate) fn wildcard(&self, path: &Path, name: &TableRef, prefix: &str) -> Result<Found, QueryError> {
        let no_match = || QueryError::Invalid(format!("{name} does not match any table."));
        let Some(dataset) = catalog::find_dataset(self.db, &name.dataset)? else {
            return Err(QueryError::Api(ApiError::NotFound(format!("Dataset {} was not found in location US", name.dataset))));
        };
        let shards = catalog::shards(self.db, &dataset, prefix)?;
        if let Some(view) = shards.iter().find(|shard| shard.is_view) {
            let view = TableRef { dataset: name.dataset.clone(), table: view.name.clone() };
            return Err(place::refuse_at(format!("Views cannot be queried through prefix. First view {view}."), path.span));
        }
        let newest = shards.iter().max_by_key(|shard| (shard.created, shard.id)).ok_or_else(no_match)?;
        let schemas = catalog::shard_schemas(self.db, &dataset, prefix)?;
        let newest_schema = catalog::schema_text(self.db, newest.id)?;
        let schema = parse(newest_schema.as_deref())?;
        let mut fields = columns::fields(&schema, path.span)?;
        for other in schemas.iter().filter(|other| other.as_deref() != newest_schema.as_deref()) {
            check_same_types(&fields, &columns::fields(&parse(other.as_deref())?, path.span)?, path)?;
        }
        fields.push(Field::new(TABLE_SUFFIX, DataType::Utf8, true));
        let parts = shards
            .into_iter()
            .map(|shard| Part { id: shard.id, rows: shard.rows, bytes: shard.bytes, suffix: Some(shard.name[prefix.len()..].into()) })
            .collect();
        let rows = RowsTable::new(fields, parts, self.reader.clone(), Arc::clone(&self.bytes));
        Ok(Found::Table { source: provider_as_source(Arc::new(rows)), hidden: &[TABLE_SUFFIX] })
    }
}

fn parse(schema: Option<&str>) -> Result<Schema, QueryError> {
    let schema = schema.map(serde_json::from_str).transpose().map_err(ApiError::from)?;
    Ok(Schema::parse(&schema.unwrap_or_default())?)
}

/// A column may be missing; it may not be of another type.
fn check_same_types(fields: &[Field], others: &[Field], path: &Path) -> Result<(), QueryError> {
    for other in others {
        let Some(field) = fields.iter().find(|field| field.name().eq_ignore_ascii_case(other.name())) else { continue };
        if !types::same(field, other) && !is_wider_struct(field, other) {
            let message = format!("Cannot read field '{}' of type {} as {}", field.name(), types::of(other), types::of(field));
            return Err(place::refuse_at(message, path.span));
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
