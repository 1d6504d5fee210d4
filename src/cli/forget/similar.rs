//! The ids in a table that are other spellings of the user's id.

use serde_json::Value;

use super::condition::{Condition, quoted};
use super::counts::table_in_sql;
use super::subject::Subject;
use crate::config::Config;
use crate::decode::Schema;
use crate::google::statement::{self, Statement};
use crate::google::{Api, ApiError, ApiResult, Client, Lookup};

/// Maximum number of similar ids that are listed of a table.
const MAX_SIMILAR_IDS: usize = 20;

/// The similar ids of a table, unhashed where the spelling is known.
pub(crate) async fn ids(
    google: &Client,
    config: &Config,
    subject: &Subject,
    table: &str,
    schema: &Schema,
    condition: &Condition,
) -> ApiResult<Vec<String>> {
    let [attribute] = subject.attributes() else { return Ok(Vec::new()) };
    let Some(column) = schema.column(&attribute.name) else { return Ok(Vec::new()) };
    let sql = format!(
        "SELECT DISTINCT TO_JSON_STRING({}) FROM {} WHERE {} LIMIT {MAX_SIMILAR_IDS}",
        quoted(&column.name),
        table_in_sql(config, table),
        condition.similar
    );
    let statement = Statement { sql, parameters: condition.all_parameters.clone() };
    let Lookup::Found(mut rows) = statement::query(google, &config.location.project, &statement).await? else {
        return Ok(Vec::new());
    };
    let forms = subject.other_forms(attribute);
    let mut ids: Vec<String> = Vec::new();
    for row in rows.take() {
        let [Value::String(cell)] = &row[..] else {
            return Err(ApiError::unreadable(Api::BigQuery, "a row has not one column"));
        };
        let values = match serde_json::from_str(cell) {
            Ok(Value::Array(values)) => values,
            Ok(value) => vec![value],
            Err(error) => return Err(ApiError::unreadable(Api::BigQuery, error.to_string())),
        };
        for stored in values.iter().filter_map(Value::as_str) {
            let spelling = forms.iter().find(|form| form.stored == stored).map_or(stored, |form| &form.spelling);
            if spelling != attribute.value && !ids.iter().any(|id| id == spelling) {
                ids.push(spelling.to_owned());
            }
        }
    }
    Ok(ids)
}
