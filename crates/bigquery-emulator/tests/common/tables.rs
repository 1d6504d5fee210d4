//! Loads the tables of the query corpus, crates/googlesql/tests/cases/tables/DATASET.json, with tables.insert and
//! insertAll.

use std::path::Path;

use serde_json::{Map, Value, json};

/// Loads all tables. `root` is the folder of the workspace. `post` posts to a path below the project, and returns the
/// status and the response.
pub async fn load(root: &Path, project: &str, post: impl AsyncFn(&str, &Value) -> (u16, Value)) {
    let post = async |path: &str, body: Value| {
        let (status, answer) = post(path, &body).await;
        assert_eq!(status, 200, "{path}: {answer}");
        answer
    };
    for entry in std::fs::read_dir(root.join("crates/googlesql/tests/cases/tables")).unwrap() {
        let path = entry.unwrap().path();
        let dataset = path.file_stem().unwrap().to_str().unwrap();
        post("/datasets", json!({"datasetReference": {"projectId": project, "datasetId": dataset}})).await;
        let tables: Map<String, Value> = json_file(&path);
        for (table, contents) in tables {
            // The schema is either a list of fields or the path of a file.
            let fields = match &contents["schema"] {
                Value::String(file) => json_file(&root.join(file)),
                fields => fields.clone(),
            };
            let path = format!("/datasets/{dataset}/tables");
            let reference = json!({"projectId": project, "datasetId": dataset, "tableId": table});
            post(&path, json!({"tableReference": reference, "schema": {"fields": fields}})).await;
            let rows: Vec<Value> = contents["rows"].as_array().unwrap().iter().map(|row| json!({"json": row})).collect();
            if !rows.is_empty() {
                let answer = post(&format!("{path}/{table}/insertAll"), json!({"rows": rows})).await;
                assert_eq!(answer.get("insertErrors"), None, "{dataset}.{table}");
            }
        }
    }
}

fn json_file<T: serde::de::DeserializeOwned>(path: &Path) -> T {
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
