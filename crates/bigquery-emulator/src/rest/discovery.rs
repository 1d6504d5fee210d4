//! The discovery document. `bq` builds its client from it.
//!
//! Google's document has 500 KB. `bq` only needs the HTTP method, path and parameters of each API method. All request and
//! response schemas are one free-form object, `Any`.
//!
//! Format: <https://developers.google.com/discovery/v1/reference/apis>.

use axum::http::HeaderMap;
use axum::http::header::HOST;
use serde_json::{Map, Value, json};

use crate::rest::wire::Json;

/// One line per method: HTTP method, id, path, and query parameters. A parameter is a string unless `:type` follows. In
/// paths, `P`, `D` and `T` are the paths of a project, a dataset and a table.
const METHODS: &str = "
    GET    projects.list           projects              maxResults:integer pageToken
    GET    datasets.list           P/datasets            all:boolean filter maxResults:integer pageToken
    POST   datasets.insert         P/datasets            accessPolicyVersion:integer
    GET    datasets.get            D                     accessPolicyVersion:integer datasetView
    PATCH  datasets.patch          D                     accessPolicyVersion:integer updateMode
    PUT    datasets.update         D                     accessPolicyVersion:integer updateMode
    DELETE datasets.delete         D                     deleteContents:boolean
    GET    models.list             D/models              maxResults:integer pageToken
    GET    routines.list           D/routines            filter maxResults:integer pageToken readMask
    GET    tables.list             D/tables              maxResults:integer pageToken
    POST   tables.insert           D/tables
    GET    tables.get              T                     selectedFields view
    PATCH  tables.patch            T                     autodetect_schema:boolean
    PUT    tables.update           T                     autodetect_schema:boolean
    DELETE tables.delete           T
    GET    rowAccessPolicies.list  T/rowAccessPolicies   pageSize:integer pageToken
    POST   tabledata.insertAll     T/insertAll
    GET    tabledata.list          T/data                maxResults:integer pageToken selectedFields startIndex formatOptions.timestampOutputFormat formatOptions.useInt64Timestamp:boolean
    GET    jobs.list               P/jobs                allUsers:boolean maxCreationTime maxResults:integer minCreationTime pageToken parentJobId projection stateFilter:repeated
    POST   jobs.insert             P/jobs
    GET    jobs.get                P/jobs/{+jobId}       location
    POST   jobs.cancel             P/jobs/{+jobId}/cancel location
    DELETE jobs.delete             P/jobs/{+jobId}/delete location
    POST   jobs.query              P/queries
    GET    jobs.getQueryResults    P/queries/{+jobId}    location maxResults:integer pageToken startIndex timeoutMs:integer formatOptions.timestampOutputFormat formatOptions.useInt64Timestamp:boolean
";

const PROJECT: &str = "projects/{+projectId}";
const DATASET: &str = "projects/{+projectId}/datasets/{+datasetId}";
const TABLE: &str = "projects/{+projectId}/datasets/{+datasetId}/tables/{+tableId}";

/// Builds the document. Its root URL has the host of the request.
pub(crate) async fn document(headers: HeaderMap) -> Json<Value> {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    let root = format!("http://{}/", host.unwrap_or("localhost"));

    let mut resources = Map::new();
    for line in METHODS.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        if let [verb, id, path, query @ ..] = words.as_slice()
            && let Some((resource, name)) = id.split_once('.')
        {
            let entry = resources.entry(resource).or_insert_with(|| json!({}));
            entry["methods"][name] = method(verb, id, path, query);
        }
    }
    Json(json!({
        "kind": "discovery#restDescription",
        "discoveryVersion": "v1",
        "id": "bigquery:v2",
        "name": "bigquery",
        "version": "v2",
        "title": "BigQuery emulator",
        "protocol": "rest",
        "rootUrl": root,
        "servicePath": "bigquery/v2/",
        "basePath": "/bigquery/v2/",
        "baseUrl": format!("{root}bigquery/v2/"),
        "batchPath": "batch/bigquery/v2",
        "auth": {},
        "parameters": parameters(
            "query",
            &["alt", "fields", "key", "oauth_token", "prettyPrint:boolean", "quotaUser", "trace"],
        ),
        "schemas": {
            "Any": {"id": "Any", "type": "object", "additionalProperties": {"type": "any"}},
        },
        "resources": resources,
    }))
}

fn method(verb: &str, id: &str, short_path: &str, query: &[&str]) -> Value {
    let (head, tail) = short_path.split_at(short_path.find('/').unwrap_or(short_path.len()));
    let path = match head {
        "P" => format!("{PROJECT}{tail}"),
        "D" => format!("{DATASET}{tail}"),
        "T" => format!("{TABLE}{tail}"),
        _ => short_path.to_owned(),
    };
    let in_path: Vec<&str> = path.split('/').filter_map(|part| part.strip_prefix("{+")?.strip_suffix('}')).collect();
    let mut all = parameters("path", &in_path);
    all.extend(parameters("query", query));
    let mut method = json!({
        "id": format!("bigquery.{id}"),
        "httpMethod": verb,
        "path": path,
        "parameters": all,
        "parameterOrder": in_path,
        "response": {"$ref": "Any"},
    });
    if matches!(verb, "POST" | "PUT" | "PATCH") {
        method["request"] = json!({"$ref": "Any"});
    }
    if id == "jobs.insert" {
        // `bq` passes media_body to this method even for a query, and crashes if it is not declared.
        let upload = format!("/upload/bigquery/v2/{path}");
        method["supportsMediaUpload"] = json!(true);
        method["mediaUpload"] = json!({
            "accept": ["*/*"],
            "protocols": {"simple": {"multipart": true, "path": upload}},
        });
    }
    method
}

/// Parses `name`, `name:type` and `name:repeated`. `location` is `path` or `query`.
fn parameters(location: &str, names: &[&str]) -> Map<String, Value> {
    names
        .iter()
        .map(|name| {
            let (name, kind) = name.split_once(':').unwrap_or((name, "string"));
            let required = location == "path";
            let mut parameter = json!({"type": kind, "location": location, "required": required});
            if kind == "repeated" {
                parameter["type"] = json!("string");
                parameter["repeated"] = json!(true);
            }
            (name.to_owned(), parameter)
        })
        .collect()
}
