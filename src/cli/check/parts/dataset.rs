//! The dataset, and the service's permission to write to it.

use serde_json::Value;

use super::Context;
use crate::cli::check::difference::{Difference, text};
use crate::cli::check::part::{Part, is};
use crate::cli::check::policy::{has_role, project_policy};
use crate::cli::check::shell::quoted;
use crate::cli::check::state::Source;
use crate::config::settings::TABLE_EXPIRATION_DAYS;
use crate::google::{Api, bigquery};

/// Roles of a dataset's access list that permit to write rows and create tables. WRITER and OWNER are its old names for
/// dataEditor and dataOwner.
const WRITERS: [&str; 5] = ["WRITER", "OWNER", "roles/bigquery.dataEditor", "roles/bigquery.dataOwner", "roles/bigquery.admin"];
const DAY_MS: u64 = 86_400_000;

pub(super) fn parts(context: &Context) -> Vec<Part> {
    vec![dataset(context), access(context)]
}

pub(super) fn source(context: &Context) -> Source {
    Source::get(Api::BigQuery, bigquery::dataset_path(&context.names.project, &context.names.dataset))
}

/// The dataset, and its location.
pub(super) fn location(context: &Context) -> Part {
    let names = context.names;
    let (name, location, resource) = (&names.dataset, names.location.clone(), format!("dataset {}", names.dataset));
    let create = names.bq(&format!(
        "--location={location} mk --dataset --label=pipeline:{} --description={} {name}",
        names.name,
        quoted(&description(context))
    ));
    let part = Part::new("dataset", resource.clone(), source(context)).found(format!("{name} in {location}"));
    part.required("every message is refused", create).rule(move |dataset, _| {
        let actual = &dataset["location"];
        if actual.as_str().is_none_or(|actual| actual.eq_ignore_ascii_case(&location)) {
            return Ok(Vec::new());
        }
        // A dataset's location cannot be changed, so the setting has to.
        let fix = format!("echo LOCATION={} >> deploy/pipeline.env", quoted(&text(actual)));
        let problem = format!("it is in {}, but LOCATION is {location}", text(actual));
        Ok(vec![Difference { resource: resource.clone(), problem, effect: "the data is in another place than configured".to_owned(), fix }])
    })
}

fn description(context: &Context) -> String {
    format!("Events of the pixel {}", context.names.name)
}

fn dataset(context: &Context) -> Part {
    let (names, name) = (context.names, &context.names.dataset);
    let days = context.deployment.service.values.optional_number::<u64>(&TABLE_EXPIRATION_DAYS);
    let expiration = names.bq(&format!("update --default_table_expiration={} {name}", days.unwrap_or(0) * 86_400));
    let label = names.bq(&format!("update --set_label=pipeline:{} {name}", names.name));
    let describe = names.bq(&format!("update --description={} {name}", quoted(&description(context))));
    let part = location(context).member_fixed_by(
        "/defaultTableExpirationMs",
        is(days.unwrap_or(0) * DAY_MS),
        "generated tables are deleted earlier or later than TABLE_EXPIRATION_DAYS",
        expiration,
    );
    if context.shares_dataset() {
        return part;
    }
    part.member_fixed_by("/labels/pipeline", is(names.name.as_str()), Context::LABEL_EFFECT, label).member_fixed_by(
        "/description",
        is(description(context)),
        "its readers do not know whose events it has",
        describe,
    )
}

fn access(context: &Context) -> Part {
    let names = context.names;
    let resource = format!("dataset {}", names.dataset);
    let (account, member) = (names.run_account.clone(), format!("serviceAccount:{}", names.run_account));
    let fix =
        names.statement(&format!("GRANT `roles/bigquery.dataEditor` ON SCHEMA `{}.{}` TO \"{member}\"", names.project, names.dataset));
    let policy = project_policy(context);
    let part = Part::new("service writes", resource.clone(), source(context)).found(format!("{account} can write to {}", names.dataset));
    part.needs(policy.clone()).rule(move |dataset: &Value, state| {
        let entries = dataset["access"].as_array().into_iter().flatten();
        let is_listed = entries.into_iter().any(|entry| {
            (entry["userByEmail"] == account.as_str() || entry["iamMember"] == member.as_str())
                && entry["condition"].is_null()
                && entry["role"].as_str().is_some_and(|role| WRITERS.contains(&role))
        });
        if is_listed || state.get(&policy)?.is_some_and(|policy| has_role(policy, &member, &WRITERS)) {
            return Ok(Vec::new());
        }
        let problem = format!("{account} cannot write to it");
        Ok(vec![Difference { resource: resource.clone(), problem, effect: "every message is refused".to_owned(), fix: fix.clone() }])
    })
}
