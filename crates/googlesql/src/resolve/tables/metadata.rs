//! Resolves the names of metadata tables: `dataset.INFORMATION_SCHEMA.TABLES`, `dataset.__TABLES__` and so on.
//!
//! The rows are built during resolution, from one consistent state of the catalog.
//! Reference: <https://cloud.google.com/bigquery/docs/information-schema-intro>.

use std::sync::Arc;

use datafusion::datasource::provider_as_source;

use super::super::path::TablePath;
use super::FoundTable;
use super::information_schema::{self, MetadataScope, MetadataView};
use crate::QueryError;
use crate::catalog::{Catalog, DatasetName};
use crate::error_location::error_at_span;
use crate::query::Query;

/// Finds the metadata table of a path. Returns `None` if the path names another table.
pub(crate) fn find(catalog: &dyn Catalog, path: &TablePath, query: &Query) -> Result<Option<FoundTable>, QueryError> {
    let dataset =
        |project: &str, dataset: &str| MetadataScope::Dataset(DatasetName { project: project.to_owned(), dataset: dataset.to_owned() });
    let is_region = |name: &str| name.to_ascii_lowercase().starts_with("region-");
    let parts: Vec<&str> = path.parts.iter().map(String::as_str).collect();
    let (name, before) = match parts.as_slice() {
        [before @ .., schema, name] if schema.eq_ignore_ascii_case("INFORMATION_SCHEMA") => (name.to_uppercase(), before),
        [before @ .., name] if *name == "__TABLES__" || *name == "__TABLES_SUMMARY__" => ((*name).to_owned(), before),
        _ => return Ok(None),
    };
    let scope = match (before, &query.default_dataset) {
        ([], Some(default)) if name != "SCHEMATA" => MetadataScope::Dataset(default.clone()),
        ([], _) => MetadataScope::Project(query.project.clone()),
        ([region], _) if is_region(region) => MetadataScope::Project(query.project.clone()),
        ([project, region], _) if is_region(region) => MetadataScope::Project((*project).to_owned()),
        ([one], _) if name == "SCHEMATA" => MetadataScope::Project((*one).to_owned()),
        ([one], _) => dataset(&query.project, one),
        ([project, one], _) => dataset(project, one),
        _ => return Err(error_at_span(format!("Invalid table name: `{}`", path.parts.join(".")), path.span)),
    };
    let view = MetadataView::named(&name)
        .ok_or_else(|| error_at_span(format!("The BigQuery emulator does not support INFORMATION_SCHEMA.{name}"), path.span))?;
    let metadata = information_schema::read_view(catalog, view, &scope)?;
    Ok(Some(FoundTable::Table { source: provider_as_source(Arc::new(metadata.finish()?)), hidden_columns: &[] }))
}
