//! The template table and the dead-letter table.

use serde_json::Value;

use super::Context;
use crate::cli::check::difference::Difference;
use crate::cli::check::link::Fault;
use crate::cli::check::names::ResourceNames;
use crate::cli::check::part::{Expected, Part, is};
use crate::cli::check::shell::quoted;
use crate::cli::check::state::Source;
use crate::config::{Deployment, TemplateSettings};
use crate::decode::schema::{Column, Mode};
use crate::decode::{Schema, SchemaProblem};
use crate::google::Api;
use crate::google::bigquery::{self, Table};
use crate::sink::dead_letter;
use crate::sink::template::{TemplateProblem, problems_with};

const DEAD_LETTERS_FILE: &str = "schema/dead_letters.json";

pub(super) fn parts(context: &Context) -> Vec<Part> {
    let labeled = |part: Part, table: &str| {
        let label = context.names.bq(&format!("update --set_label=pipeline:{} {}.{table}", context.names.name, context.names.dataset));
        part.member_fixed_by("/labels/pipeline", is(context.names.name.as_str()), Context::LABEL_EFFECT, label)
    };
    let (table, dead_letters) = (&context.names.table, &context.names.dead_letter_table);
    vec![
        labeled(template(context), table),
        fitting_columns(context),
        columns_of_file(context),
        labeled(dead_letter_table(context), dead_letters),
    ]
}

/// The tables of an emulator. Its template table may have other columns than the file.
pub(super) fn of_emulator(context: &Context) -> Vec<Part> {
    vec![template(context), fitting_columns(context), dead_letter_table(context)]
}

pub(super) fn source(context: &Context, table: &str) -> Source {
    Source::get(Api::BigQuery, bigquery::table_path(&context.names.project, &context.names.dataset, table))
}

pub(crate) fn template_source(context: &Context) -> Source {
    source(context, &context.names.table)
}

/// The columns of a table resource.
pub(crate) fn schema(resource: &Value) -> Result<Schema, Fault> {
    bigquery::schema_of(resource).map_err(|error| Fault::from(&error))
}

fn read(resource: &Value) -> Result<Table, Fault> {
    Table::of_resource(resource).map_err(|error| Fault::from(&error))
}

fn name_of(context: &Context, table: &str) -> String {
    format!("table {}.{table}", context.names.dataset)
}

fn template(context: &Context) -> Part {
    let (names, name) = (context.names, &context.names.table);
    let resource = name_of(context, name);
    let problems = problems(context, &resource, |problem| !matches!(problem, TemplateProblem::Schema(_)));
    Part::new("template table", resource, template_source(context))
        .found(format!("{}.{name}", names.dataset))
        .required("no row can be stored", make(names, name, &context.deployment.schema_file))
        .rule(move |resource, _| problems(&read(resource)?))
        .member_fixed_by("/expirationTime", Expected::Unset, "after that, no row can be stored", keep(names, name))
}

/// The columns that the settings need.
fn fitting_columns(context: &Context) -> Part {
    let (name, template) = (&context.names.table, &context.deployment.service.template);
    let resource = name_of(context, name);
    let found = format!("{} of {}.{name}", template.decode.valid_attributes.names().join(", "), context.names.dataset);
    let problems = problems(context, &resource, |problem| matches!(problem, TemplateProblem::Schema(_)));
    Part::new("columns", resource.clone(), template_source(context)).found(found).rule(move |value, _| {
        let table = read(value)?;
        if table.schema.is_none() {
            return Err(Fault::unknown(format!("{resource} has no columns yet")));
        }
        problems(&table)
    })
}

/// Those problems of a table with the settings that `is_wanted`.
fn problems(
    context: &Context,
    resource: &str,
    is_wanted: fn(&TemplateProblem) -> bool,
) -> impl Fn(&Table) -> Result<Vec<Difference>, Fault> + use<> {
    let (names, deployment, resource) = (context.names.clone(), context.deployment.clone(), resource.to_owned());
    let file = context.schema.clone().ok();
    move |table| {
        let problems = problems_with(table, &deployment.service.template).into_iter().filter(is_wanted);
        let difference = |problem: TemplateProblem| Difference {
            resource: resource.clone(),
            problem: problem.to_string(),
            effect: String::new(),
            fix: fix(&problem, &names, &deployment, file.as_ref()),
        };
        Ok(problems.map(difference).collect())
    }
}

/// The columns of SCHEMA_FILE. A column that VALID_ATTRIBUTES names is reported by the part before if it is missing.
fn columns_of_file(context: &Context) -> Part {
    let (names, deployment) = (context.names, context.deployment);
    let resource = name_of(context, &names.table);
    let file = context.schema.clone();
    let update = names.bq(&format!("update --table {}.{} {}", names.dataset, names.table, quoted(&deployment.schema_file)));
    let attributes = deployment.service.template.clone();
    Part::new("columns", resource.clone(), template_source(context)).found("").rule(move |value, _| {
        let Some(table) = read(value)?.schema else { return Ok(Vec::new()) };
        let file = file.as_ref().map_err(|problem| Fault::unknown(problem.clone()))?;
        let differs = |column: &Column| different(&resource, column, table.column(&column.name), &update);
        let is_reported = |column: &&Column| table.column(&column.name).is_none() && is_attribute(&attributes, &column.name);
        Ok(file.columns().iter().filter(|column| !is_reported(column)).filter_map(differs).collect())
    })
}

fn is_attribute(template: &TemplateSettings, column: &str) -> bool {
    template.decode.valid_attributes.names().iter().any(|name| name.eq_ignore_ascii_case(column))
}

/// The difference of a live column from that of a schema file. A column may become NULLABLE later.
fn different(resource: &str, expected: &Column, found: Option<&Column>, update: &str) -> Option<Difference> {
    let name = &expected.name;
    let (problem, fix) = match found {
        None => (format!("it has no column {name}"), update.to_owned()),
        // A column keeps its type and mode, except that it may become NULLABLE.
        Some(found) if found.kind != expected.kind => (format!("column {name} is of another type than in SCHEMA_FILE"), String::new()),
        Some(found) if found.mode != expected.mode && !(expected.mode == Mode::Required && found.mode == Mode::Nullable) => {
            (format!("column {name} has another mode than in SCHEMA_FILE"), String::new())
        }
        Some(found) if found.max_length != expected.max_length => {
            (format!("column {name} has another maximum length than in SCHEMA_FILE"), update.to_owned())
        }
        Some(_) => return None,
    };
    let effect = "values of the column are not stored, or rows are refused".to_owned();
    Some(Difference { resource: resource.to_owned(), problem, effect, fix })
}

/// The command that fixes a problem; empty if none does.
fn fix(problem: &TemplateProblem, names: &ResourceNames, deployment: &Deployment, file: Option<&Schema>) -> String {
    let ResourceNames { project, dataset, table, deploy, .. } = names;
    let alter = |changes: Vec<String>| names.statement(&format!("ALTER TABLE `{project}.{dataset}.{table}` {}", changes.join(", ")));
    let nullable = |columns: &[String]| alter(columns.iter().map(|column| format!("ALTER COLUMN `{column}` DROP NOT NULL")).collect());
    match problem {
        TemplateProblem::Partitioned { .. } => format!("TABLE_SUFFIX= {deploy}"),
        TemplateProblem::NoColumns { .. } => names.bq(&format!("update {dataset}.{table} {}", quoted(&deployment.schema_file))),
        TemplateProblem::Schema(SchemaProblem::Missing(columns)) => {
            // The type of the file's column, if it has one.
            if file.is_some_and(|file| columns.iter().all(|column| file.column(column).is_some())) {
                return names.bq(&format!("update --table {dataset}.{table} {}", quoted(&deployment.schema_file)));
            }
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

fn dead_letter_table(context: &Context) -> Part {
    let (names, name) = (context.names, &context.names.dead_letter_table);
    let resource = name_of(context, name);
    let update = names.bq(&format!("update --table {}.{name} {DEAD_LETTERS_FILE}", names.dataset));
    let part = Part::new("dead-letter table", resource.clone(), source(context, name)).found(format!("{}.{name}", names.dataset));
    part.required("messages that can never become a row are delivered again for ever", make(names, name, DEAD_LETTERS_FILE))
        .rule(move |value, _| {
            let (table, expected) = (read(value)?, dead_letter::schema());
            if !table.accepts_rows() {
                let problem = format!("it is of type {} and not TABLE", table.kind);
                let effect = "dead letters cannot be stored".to_owned();
                return Ok(vec![Difference { resource: resource.clone(), problem, effect, fix: String::new() }]);
            }
            let column = |name: &str| table.schema.as_ref().and_then(|schema| schema.column(name));
            let differs = |expected: &Column| different(&resource, expected, column(&expected.name), &update);
            Ok(expected.columns().iter().filter_map(differs).collect())
        })
        .member_fixed_by("/expirationTime", Expected::Unset, "dead letters are deleted with it", keep(names, name))
}

/// Creates a table without expiration, independent of the dataset's default. `bq mk` has no flag for that.
fn make(names: &ResourceNames, table: &str, schema_file: &str) -> String {
    let make = names.bq(&format!("mk --table --label=pipeline:{} {}.{table} {}", names.name, names.dataset, quoted(schema_file)));
    format!("{make}\n{}", keep(names, table))
}

pub(super) fn keep(names: &ResourceNames, table: &str) -> String {
    names.bq(&format!("update --table --expiration=0 {}.{table}", names.dataset))
}
