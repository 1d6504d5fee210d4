//! Table resources of BigQuery: the one place that reads a live table.

use serde_json::Value;

use super::client::Client;
use super::endpoints::Api;
use super::error::{ApiError, ApiResult, Lookup};
use crate::decode::Schema;

/// The type of a table that stores rows.
const TABLE: &str = "TABLE";

/// What `tables.get` tells about a table.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// Its type: TABLE, VIEW, EXTERNAL, MATERIALIZED_VIEW or SNAPSHOT.
    pub kind: String,
    /// By time, ingestion time or range.
    pub is_partitioned: bool,
    /// `None` if the table was created without columns.
    pub schema: Option<Schema>,
    /// Whether BigQuery states that it has no rows.
    pub is_empty: bool,
}

impl Table {
    /// A table that is to be created with these columns.
    pub fn planned(schema: Schema) -> Self {
        Self { kind: TABLE.to_owned(), is_partitioned: false, schema: Some(schema), is_empty: true }
    }

    /// Whether BigQuery stores rows in tables of this type.
    pub fn accepts_rows(&self) -> bool {
        self.kind == TABLE
    }

    /// Reads a table resource. One without a type, as some emulators send it, is a table if it has columns.
    pub fn of_resource(resource: &Value) -> ApiResult<Self> {
        let unreadable = |problem: String| ApiError::unreadable(Api::BigQuery, problem);
        if !matches!(&resource["kind"], Value::Null) && resource["kind"] != "bigquery#table" {
            return Err(unreadable("it is not a table resource".to_owned()));
        }
        if !matches!(&resource["schema"], Value::Null | Value::Object(_)) {
            return Err(unreadable("the table's schema is not a JSON object".to_owned()));
        }
        // BigQuery omits `fields` or the whole schema of a table without columns.
        let schema = match &resource["schema"]["fields"] {
            Value::Null if resource["schema"].is_null() || resource["schema"].is_object() => None,
            Value::Array(fields) if fields.is_empty() => None,
            fields => Some(Schema::of_live_table(fields).map_err(|error| unreadable(format!("the table's schema: {error}")))?),
        };
        let kind = match &resource["type"] {
            Value::String(kind) => kind.clone(),
            Value::Null if schema.is_some() => TABLE.to_owned(),
            _ => return Err(unreadable("a table resource without a type".to_owned())),
        };
        let is_partitioned = ["timePartitioning", "rangePartitioning"].iter().any(|member| !resource[*member].is_null());
        let is_empty = resource["numRows"] == "0" && resource["streamingBuffer"].is_null();
        Ok(Self { kind, is_partitioned, schema, is_empty })
    }
}

/// The path of a dataset.
pub(crate) fn dataset_path(project: &str, dataset: &str) -> String {
    format!("projects/{project}/datasets/{dataset}")
}

/// The path of a table.
pub(crate) fn table_path(project: &str, dataset: &str, table: &str) -> String {
    format!("{}/tables/{table}", dataset_path(project, dataset))
}

/// A live table.
pub(crate) async fn table(client: &Client, project: &str, dataset: &str, table: &str) -> ApiResult<Lookup<Table>> {
    let Lookup::Found(resource) = client.get(Api::BigQuery, &table_path(project, dataset, table)).await? else {
        return Ok(Lookup::Absent);
    };
    check_reference(&resource["tableReference"], project, dataset, Some(table))?;
    Table::of_resource(&resource).map(Lookup::Found)
}

/// The live schema of a table.
pub(crate) async fn schema(client: &Client, project: &str, dataset: &str, name: &str) -> ApiResult<Lookup<Schema>> {
    match table(client, project, dataset, name).await? {
        Lookup::Found(table) => columns(table).map(Lookup::Found),
        Lookup::Absent => Ok(Lookup::Absent),
    }
}

/// The schema in a table resource.
pub(crate) fn schema_of(resource: &Value) -> ApiResult<Schema> {
    columns(Table::of_resource(resource)?)
}

fn columns(table: Table) -> ApiResult<Schema> {
    table.schema.ok_or_else(|| ApiError::unreadable(Api::BigQuery, "a table without columns"))
}

/// Checks that a `TableReference` is in the dataset, and names the table if one is given. Some emulators leave out members.
pub(crate) fn check_reference(reference: &Value, project: &str, dataset: &str, table: Option<&str>) -> ApiResult<()> {
    // BigQuery names a project by its id, even if the request has its number.
    let project = Some(project).filter(|project| !project.bytes().all(|byte| byte.is_ascii_digit()));
    let names = [("projectId", project), ("datasetId", Some(dataset)), ("tableId", table)];
    let differs = |(member, name): &(&str, Option<&str>)| match (&reference[*member], name) {
        (Value::Null, _) | (_, None) => false,
        (found, Some(name)) => found != name,
    };
    match names.iter().find(|name| differs(name)) {
        Some((member, _)) => Err(ApiError::unreadable(Api::BigQuery, format!("it is about another table: its {member} differs"))),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn fields() -> Value {
        json!({"fields": [{"name": "a", "type": "STRING"}]})
    }

    #[test]
    fn a_resource_without_type_or_with_a_malformed_schema_is_unreadable() {
        for resource in [
            json!({}),
            json!(null),
            json!("TABLE"),
            json!({"kind": "bigquery#job"}),
            json!({"kind": "bigquery#queryResponse", "schema": fields()}),
            json!({"schema": {"fields": []}}),
            json!({"type": 1, "schema": fields()}),
            json!({"type": "TABLE", "schema": "a"}),
            json!({"type": "TABLE", "schema": [{"fields": []}]}),
            json!({"type": "TABLE", "schema": {"fields": {}}}),
            json!({"type": "TABLE", "schema": {"fields": [{"type": "STRING"}]}}),
        ] {
            assert!(Table::of_resource(&resource).is_err(), "{resource}");
            assert!(schema_of(&resource).is_err(), "{resource}");
        }
    }

    #[test]
    fn type_partitioning_and_columns_are_read() {
        let read = |members: Value| {
            let mut resource = json!({"type": "TABLE", "schema": fields()});
            resource.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
            Table::of_resource(&resource).unwrap()
        };
        assert!(!read(json!({})).is_partitioned && !read(json!({"timePartitioning": null})).is_partitioned);
        assert!(read(json!({"timePartitioning": {"type": "DAY"}})).is_partitioned);
        assert!(read(json!({"rangePartitioning": {"field": "n"}})).is_partitioned);
        assert_eq!(read(json!({"type": "SNAPSHOT"})).kind, "SNAPSHOT");
        assert_eq!(read(json!({"type": null})).kind, "TABLE", "it has columns");
        for schema in [json!(null), json!({}), json!({"fields": []})] {
            assert_eq!(read(json!({"schema": schema})).schema, None);
        }
    }

    #[test]
    fn a_reference_to_another_table_is_an_error() {
        let check = |reference: Value, project: &str| check_reference(&reference, project, "d", Some("t"));
        for reference in [json!({"projectId": "p", "datasetId": "d", "tableId": "t"}), json!({"tableId": "t"}), json!(null)] {
            assert!(check(reference.clone(), "p").is_ok(), "{reference}");
        }
        for reference in [
            json!({"projectId": "p", "datasetId": "d", "tableId": "u"}),
            json!({"projectId": "p", "datasetId": "d", "tableId": "T"}),
            json!({"projectId": "p", "datasetId": "e", "tableId": "t"}),
            json!({"projectId": "q", "datasetId": "d", "tableId": "t"}),
            json!({"tableId": 7}),
        ] {
            assert!(check(reference.clone(), "p").is_err(), "{reference}");
        }
        assert!(check(json!({"projectId": "p", "datasetId": "d", "tableId": "t"}), "123456").is_ok(), "a project's number");
    }
}
