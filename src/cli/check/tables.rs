//! From the service to the analyst: dataset, template table, dead-letter table, views.

use serde_json::Value;

use super::link::{Fault, Link, LinkProblems, Verdict};
use super::names::ResourceNames;
use super::policy::inherited;
use super::resource::Resource;
use super::shell::quoted;
use super::state::TableStates;
use super::text;
use crate::config::Deployment;
use crate::decode::{Schema, SchemaProblem};
use crate::google::bigquery;
use crate::schema_sql::{VIEWS, for_columns};
use crate::sink::dead_letter;

/// Roles of a dataset's access list that permit to write rows and create tables. WRITER and OWNER are its old names for
/// dataEditor and dataOwner.
const WRITERS: [&str; 5] = ["WRITER", "OWNER", "roles/bigquery.dataEditor", "roles/bigquery.dataOwner", "roles/bigquery.admin"];

pub(crate) fn links(tables: &TableStates, project_policy: &Resource, names: &ResourceNames, deployment: &Deployment) -> Vec<Link> {
    let mut links = vec![Link::new("dataset", dataset(tables, names)), Link::new("service writes", access(tables, project_policy, names))];
    links.extend(table_links(tables, names, deployment));
    links.push(Link::new("views", views(tables, names)));
    links
}

/// The links of an emulator, which has no accounts and no views.
pub(crate) fn emulator_links(tables: &TableStates, names: &ResourceNames, deployment: &Deployment) -> Vec<Link> {
    let mut links = vec![Link::new("dataset", dataset(tables, names))];
    links.extend(table_links(tables, names, deployment));
    links
}

fn table_links(tables: &TableStates, names: &ResourceNames, deployment: &Deployment) -> [Link; 3] {
    [
        Link::new("template table", template(tables, names, &deployment.schema_file)),
        Link::new("columns", columns(tables, names, deployment)),
        Link::new("dead-letter table", dead_letters(tables, names)),
    ]
}

fn dataset(tables: &TableStates, names: &ResourceNames) -> Verdict {
    let ResourceNames { dataset: name, location, .. } = names;
    let create = || names.bq(&format!("--location={location} mk --dataset {name}"));
    let dataset = tables.dataset.found(&format!("dataset {name}"), create)?;
    match dataset["location"].as_str() {
        // A dataset's location cannot be changed, so the setting has to.
        Some(actual) if !actual.eq_ignore_ascii_case(location) => Err(Fault::broken(
            format!("it is in {actual}, but LOCATION is {location}"),
            format!("echo LOCATION={} >> deploy/pipeline.env", quoted(actual)),
        )),
        actual => Ok(format!("{name} in {}", actual.unwrap_or(location))),
    }
}

fn access(tables: &TableStates, project_policy: &Resource, names: &ResourceNames) -> Verdict {
    let ResourceNames { project, dataset: name, run_account, .. } = names;
    let dataset = tables.dataset.needed(&format!("dataset {name}"))?;
    let member = format!("serviceAccount:{run_account}");
    let entries = dataset["access"].as_array().into_iter().flatten();
    let listed = entries.into_iter().any(|entry| {
        (entry["userByEmail"] == run_account.as_str() || entry["iamMember"] == member.as_str())
            && entry["condition"].is_null()
            && entry["role"].as_str().is_some_and(|role| WRITERS.contains(&role))
    });
    if listed || inherited(project_policy, &member, &WRITERS) {
        return Ok(format!("{run_account} can write to {name}"));
    }
    Err(Fault::broken(
        format!("{run_account} cannot write to {name}, so every message is refused"),
        names.statement(&format!("GRANT `roles/bigquery.dataEditor` ON SCHEMA `{project}.{name}` TO \"{member}\"")),
    ))
}

fn template(tables: &TableStates, names: &ResourceNames, schema_file: &str) -> Verdict {
    let ResourceNames { dataset, table: name, .. } = names;
    tables.dataset.needed(&format!("dataset {dataset}"))?;
    let create = || make(names, name, schema_file);
    let table = tables.template.found(&format!("template table {dataset}.{name}"), create)?;
    if !table["expirationTime"].is_null() {
        return Err(Fault::broken(format!("{dataset}.{name} expires; after that, no row can be stored"), keep(names, name)));
    }
    Ok(format!("{dataset}.{name}"))
}

fn columns(tables: &TableStates, names: &ResourceNames, deployment: &Deployment) -> Verdict {
    let ResourceNames { project, dataset, table: name, deploy, .. } = names;
    let schema = schema(tables.template.needed(&format!("table {dataset}.{name}"))?)?;
    let settings = &deployment.service.template.decode;
    let alter = |changes: Vec<String>| names.statement(&format!("ALTER TABLE `{project}.{dataset}.{name}` {}", changes.join(", ")));
    let mut problems = LinkProblems::default();
    for problem in settings.problems_with(&schema) {
        let fix = match &problem {
            SchemaProblem::Missing(columns) => {
                alter(columns.iter().map(|column| format!("ADD COLUMN IF NOT EXISTS `{column}` STRING")).collect())
            }
            SchemaProblem::Unfilled(columns) => {
                alter(columns.iter().map(|column| format!("ALTER COLUMN `{column}` DROP NOT NULL")).collect())
            }
            SchemaProblem::Unmarked => alter(vec!["ADD COLUMN IF NOT EXISTS signed BOOL".to_owned()]),
            // BigQuery has no statement for these type changes.
            SchemaProblem::Unhashable(_) => String::new(),
            SchemaProblem::Unfillable(columns) => {
                let left: Vec<&str> =
                    settings.valid_attributes.names().iter().filter(|name| !columns.contains(name)).map(String::as_str).collect();
                format!("VALID_ATTRIBUTES={} {deploy}", quoted(&left.join(",")))
            }
        };
        problems.add(problem.to_string(), fix);
    }
    problems.or(format!("{} of {dataset}.{name}", settings.valid_attributes.names().join(", ")))
}

fn dead_letters(tables: &TableStates, names: &ResourceNames) -> Verdict {
    let ResourceNames { dataset, dead_letter_table: name, .. } = names;
    tables.dataset.needed(&format!("dataset {dataset}"))?;
    let file = "schema/dead_letters.json";
    let create = || make(names, name, file);
    let table = tables.dead_letter_table.found(&format!("dead-letter table {dataset}.{name}"), create)?;
    let (missing, mut problems) = (dead_letter::columns_missing_in(&schema(table)?), LinkProblems::default());
    if !missing.is_empty() {
        problems.add(
            format!("{dataset}.{name} lacks columns, so it cannot store dead letters: {}", missing.join(", ")),
            names.bq(&format!("update --table {dataset}.{name} {file}")),
        );
    }
    if !table["expirationTime"].is_null() {
        problems.add(format!("{dataset}.{name} expires with its dead letters"), keep(names, name));
    }
    problems.or(format!("{dataset}.{name}"))
}

/// Creates a table without expiration, independent of the dataset's default. `bq mk` has no flag for that.
fn make(names: &ResourceNames, table: &str, schema_file: &str) -> String {
    let make = names.bq(&format!("mk --table {}.{table} {}", names.dataset, quoted(schema_file)));
    format!("{make}\n{}", keep(names, table))
}

fn keep(names: &ResourceNames, table: &str) -> String {
    names.bq(&format!("update --table --expiration=0 {}.{table}", names.dataset))
}

fn views(tables: &TableStates, names: &ResourceNames) -> Verdict {
    let ResourceNames { dataset, deploy, .. } = names;
    tables.dataset.needed(&format!("dataset {dataset}"))?;
    let mut problems = LinkProblems::default();
    let mut described = Vec::new();
    // A template table that is absent or unreadable has its own line.
    let columns = tables.template.value().map(schema).transpose()?;
    for ((name, sql), view) in VIEWS.into_iter().zip([&tables.events, &tables.events_daily]) {
        if let Some(Err(missing)) = columns.as_ref().map(|columns| for_columns(sql, columns)) {
            described.push(format!("without {name}: {missing}"));
            continue;
        }
        described.push(name.to_owned());
        match view.found(&format!("view {dataset}.{name}"), || deploy.clone()) {
            Ok(view) if view["type"] != "VIEW" => problems.add(
                format!("{dataset}.{name} is a {} and not a view", text(&view["type"])),
                format!("{}\n{deploy}", names.bq(&format!("rm --table {dataset}.{name}"))),
            ),
            Ok(_) => {}
            Err(Fault::Broken { problem, fix }) => problems.add(problem, fix),
            Err(unknown) => return Err(unknown),
        }
    }
    problems.or(described.join(", "))
}

/// The columns of a table resource.
pub(crate) fn schema(table: &Value) -> Result<Schema, Fault> {
    bigquery::schema_of(table).map_err(|error| Fault::from(&error))
}
