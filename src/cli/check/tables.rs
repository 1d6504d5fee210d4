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
use crate::google::bigquery::{self, Table};
use crate::schema_sql::{VIEWS, for_columns};
use crate::sink::dead_letter;
use crate::sink::template::{TemplateProblem, problems_with};

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
        Link::new("template table", template(tables, names, deployment)),
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

fn template(tables: &TableStates, names: &ResourceNames, deployment: &Deployment) -> Verdict {
    let ResourceNames { dataset, table: name, .. } = names;
    tables.dataset.needed(&format!("dataset {dataset}"))?;
    let create = || make(names, name, &deployment.schema_file);
    let resource = tables.template.found(&format!("template table {dataset}.{name}"), create)?;
    let mut problems = LinkProblems::default();
    for problem in problems_with(&read(resource)?, &deployment.service.template) {
        if !matches!(problem, TemplateProblem::Schema(_)) {
            problems.add(problem.to_string(), fix(&problem, names, deployment));
        }
    }
    if !resource["expirationTime"].is_null() {
        problems.add(format!("{dataset}.{name} expires; after that, no row can be stored"), keep(names, name));
    }
    problems.or(format!("{dataset}.{name}"))
}

fn columns(tables: &TableStates, names: &ResourceNames, deployment: &Deployment) -> Verdict {
    let ResourceNames { dataset, table: name, .. } = names;
    let table = read(tables.template.needed(&format!("table {dataset}.{name}"))?)?;
    if table.schema.is_none() {
        return Err(Fault::unknown(format!("table {dataset}.{name} has no columns yet")));
    }
    let template = &deployment.service.template;
    let mut problems = LinkProblems::default();
    for problem in problems_with(&table, template) {
        if matches!(problem, TemplateProblem::Schema(_)) {
            problems.add(problem.to_string(), fix(&problem, names, deployment));
        }
    }
    problems.or(format!("{} of {dataset}.{name}", template.decode.valid_attributes.names().join(", ")))
}

/// The command that fixes a problem; empty if none does.
fn fix(problem: &TemplateProblem, names: &ResourceNames, deployment: &Deployment) -> String {
    let ResourceNames { project, dataset, table, deploy, .. } = names;
    let alter = |changes: Vec<String>| names.statement(&format!("ALTER TABLE `{project}.{dataset}.{table}` {}", changes.join(", ")));
    let nullable = |columns: &[String]| alter(columns.iter().map(|column| format!("ALTER COLUMN `{column}` DROP NOT NULL")).collect());
    match problem {
        TemplateProblem::Partitioned { .. } => format!("TABLE_SUFFIX= {deploy}"),
        TemplateProblem::NoColumns { .. } => names.bq(&format!("update {dataset}.{table} {}", quoted(&deployment.schema_file))),
        TemplateProblem::Schema(SchemaProblem::Missing(columns)) => {
            alter(columns.iter().map(|column| format!("ADD COLUMN IF NOT EXISTS `{column}` STRING")).collect())
        }
        TemplateProblem::Schema(SchemaProblem::Unfilled(columns) | SchemaProblem::Unused(columns)) => nullable(columns),
        TemplateProblem::Schema(SchemaProblem::Unfit(columns)) => {
            nullable(&columns.iter().map(|column| column.name.clone()).collect::<Vec<_>>())
        }
        TemplateProblem::Schema(SchemaProblem::Unmarked) => alter(vec!["ADD COLUMN IF NOT EXISTS signed BOOL".to_owned()]),
        TemplateProblem::Schema(SchemaProblem::Unfillable(columns)) => {
            let attributes = deployment.service.template.decode.valid_attributes.names();
            let left: Vec<&str> = attributes.iter().filter(|name| !columns.contains(name)).map(String::as_str).collect();
            format!("VALID_ATTRIBUTES={} {deploy}", quoted(&left.join(",")))
        }
        // A table keeps its type, and BigQuery has no statement for a change of the column's type.
        TemplateProblem::NotATable { .. } | TemplateProblem::Schema(SchemaProblem::Unhashable(_)) => String::new(),
    }
}

fn dead_letters(tables: &TableStates, names: &ResourceNames) -> Verdict {
    let ResourceNames { dataset, dead_letter_table: name, .. } = names;
    tables.dataset.needed(&format!("dataset {dataset}"))?;
    let file = "schema/dead_letters.json";
    let create = || make(names, name, file);
    let table = tables.dead_letter_table.found(&format!("dead-letter table {dataset}.{name}"), create)?;
    let (missing, mut problems) = (dead_letter::columns_missing_in(read(table)?.schema.as_ref()), LinkProblems::default());
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

/// A table resource.
fn read(resource: &Value) -> Result<Table, Fault> {
    Table::of_resource(resource).map_err(|error| Fault::from(&error))
}

/// The columns of a table resource.
pub(crate) fn schema(resource: &Value) -> Result<Schema, Fault> {
    bigquery::schema_of(resource).map_err(|error| Fault::from(&error))
}
