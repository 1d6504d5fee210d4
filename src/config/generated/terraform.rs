//! The Terraform module's variables, their conditions, and the settings that it passes on to the service.

use std::fmt::Write as _;

use super::{deployed, is_optional, pattern, sections, whole_number, words};
use crate::config::setting::{Deployed, Kind, Range, SERVICE_SECTION, Setting};
use crate::decode::filled_columns;

/// The settings that are variables of the module.
fn variables() -> impl Iterator<Item = (&'static Setting, &'static Deployed)> {
    deployed().filter(|(_, deployed)| !deployed.script_only)
}

/// The settings of the deployment itself.
pub(crate) fn deployment() -> String {
    let mut file = "\
# Settings of the deployment. Generated from src/config/settings.rs. The settings that are passed on to
# the service are in variables_service.tf, and the variables that only Terraform has in variables_terraform.tf.
"
    .to_owned();
    for section in sections().into_iter().filter(|section| variables().any(|(_, deployed)| deployed.section == *section)) {
        let _ = writeln!(file, "\n# --- {section}");
        for (setting, deployed) in variables().filter(|(_, deployed)| deployed.section == section) {
            file += &variable(setting, deployed);
        }
    }
    file
}

/// The conditions that compare variables. A condition of a variable that names another one is not evaluated while the
/// other is invalid, and hides all others of the variable. So these are those of a resource.
pub(crate) fn relations() -> String {
    let mut file = "\
# Conditions that compare settings. Generated from src/config/settings.rs. They are evaluated when each variable is valid by
# itself, and before anything is created.

resource \"terraform_data\" \"valid_settings\" {
  lifecycle {
"
    .to_owned();
    for (setting, _) in variables() {
        for (condition, error) in comparisons(setting) {
            let _ = write!(
                file,
                "    precondition {{\n      condition     = {condition}\n      error_message = \"{}\"\n    }}\n",
                error_message(setting, error)
            );
        }
    }
    file + "  }\n}\n"
}

/// The settings of the service.
pub(crate) fn service() -> String {
    let mut file = "\
# Settings that are passed on to the service. Generated from src/config/settings.rs. The service checks
# them again; here they are checked before anything is created.
"
    .to_owned();
    for (setting, deployed) in variables().filter(|(_, deployed)| deployed.section == SERVICE_SECTION) {
        file += &variable(setting, deployed);
    }
    file
}

/// The environment variables that the settings of the service become.
pub(crate) fn passed_on() -> String {
    let mut file = "\
# Settings of the service as environment variables. Generated from src/config/settings.rs.

locals {
  service_settings = {
"
    .to_owned();
    let settings = || variables().map(|(setting, _)| setting).filter(|setting| setting.is_passed_on());
    let width = settings().map(|setting| setting.name.len()).max().unwrap_or_default();
    for setting in settings() {
        let variable = format!("var.{}", setting.name.to_ascii_lowercase());
        let value = match kind(setting) {
            "string" => variable,
            _ if is_optional(setting) => format!("{variable} == null ? \"\" : tostring({variable})"),
            _ => format!("tostring({variable})"),
        };
        let _ = writeln!(file, "    {:width$} = {value}", setting.name);
    }
    file += "  }\n}\n";
    file
}

fn kind(setting: &Setting) -> &'static str {
    match setting.kind {
        Kind::Number { .. } => "number",
        Kind::Boolean => "bool",
        _ => "string",
    }
}

fn variable(setting: &Setting, deployed: &Deployed) -> String {
    let name = setting.name.to_ascii_lowercase();
    let kind = kind(setting);
    let default = match (kind, setting.deployed_default()) {
        ("string", default) => format!("{default:?}"),
        (_, "") => "null".to_owned(),
        (_, default) => default.to_owned(),
    };
    let mut block = format!("\nvariable \"{name}\" {{\n");
    let _ = writeln!(block, "  description = {:?}", in_lower_case(&help_of_module(setting)));
    let _ = writeln!(block, "  type        = {kind}");
    if setting.name != "PROJECT_ID" {
        let _ = writeln!(block, "  default     = {default}");
    }
    if default != "null" {
        block += "  nullable    = false\n";
    }
    let conditions = condition(setting, deployed).map(|(condition, expected)| (condition, format!("is not {expected}")));
    let more = own_conditions(setting).iter().map(|(condition, error)| ((*condition).to_owned(), (*error).to_owned()));
    let filled = (setting.name == "VALID_ATTRIBUTES").then(no_filled_column);
    for (at, (condition, error)) in conditions.into_iter().chain(more).chain(filled).enumerate() {
        let blank = if at == 0 { "\n" } else { "" };
        let _ = write!(
            block,
            "{blank}  validation {{\n    condition     = {condition}\n    error_message = \"{}\"\n  }}\n",
            error_message(setting, &error)
        );
    }
    block + "}\n"
}

/// The help without the sentences about the scripts and about settings that only they have.
fn help_of_module(setting: &Setting) -> String {
    let is_script_only = |word: &str| deployed().any(|(setting, deployed)| setting.name == word && deployed.script_only);
    let is_of_scripts = |text: &str| text.contains("deploy.sh") || text.contains("destroy.sh") || words(text).any(is_script_only);
    let sentences: Vec<&str> = setting.help.split(". ").filter(|sentence| !is_of_scripts(sentence)).collect();
    format!("{}.", sentences.join(". "))
}

/// The text in quotes: the name, the value, and what is wrong with it.
fn error_message(setting: &Setting, error: &str) -> String {
    let name = setting.name.to_ascii_lowercase();
    let value = match kind(setting) {
        // It may be a key by mistake.
        _ if matches!(setting.kind, Kind::Secret) => "it".to_owned(),
        "number" if setting.deployed_default().is_empty() => format!("${{coalesce(var.{name}, 0)}}"),
        "number" => format!("${{var.{name}}}"),
        _ => format!("\\\"${{var.{name}}}\\\""),
    };
    format!("{name}: {value} {}.", error.replace('"', "\\\""))
}

/// The condition that the table defines, and a description of the accepted values.
fn condition(setting: &Setting, deployed: &Deployed) -> Option<(String, String)> {
    let variable = format!("var.{}", setting.name.to_ascii_lowercase());
    match (deployed.range, setting.kind) {
        (Range::OfKind, Kind::Number { min, max }) => {
            let range = format!("{variable} >= {min} && {variable} <= {max} && floor({variable}) == {variable}");
            let range = if is_optional(setting) { format!("{variable} == null ? true : {range}") } else { range };
            Some((range, whole_number(min, max)))
        }
        (Range::OfKind, Kind::Boolean) => None,
        (Range::OfKind, Kind::Choice(values)) => {
            Some((format!("contains({values:?}, {variable})"), format!("one of {}", values.join(", "))))
        }
        (range, _) => pattern(setting, deployed).map(|(regex, expected)| {
            let length = match range {
                Range::Name { max_length } => format!(" && length({variable}) <= {max_length}"),
                Range::OfKind | Range::Pattern { .. } => String::new(),
            };
            (format!("can(regex(\"^({regex})$\", {variable})){length}"), expected)
        }),
    }
}

/// The condition of VALID_ATTRIBUTES that no name is a column that the service fills itself, and the error.
fn no_filled_column() -> (String, String) {
    let columns: Vec<&str> = filled_columns().collect();
    let names = "[for name in split(\",\", var.valid_attributes) : lower(trimspace(name))]";
    (
        format!("length(setintersection({names}, {columns:?})) == 0"),
        "has the name of a column that the service fills itself. Remove it".to_owned(),
    )
}

/// The conditions of one variable that only Terraform can check, and the errors.
fn own_conditions(setting: &Setting) -> &'static [(&'static str, &'static str)] {
    match setting.name {
        "PROJECT_ID" => {
            &[("!strcontains(var.project_id, \":\")", "is a project with a domain, which the module does not support. Use deploy.sh")]
        }
        "PIPELINE" => &[("!strcontains(var.pipeline, \"goog\")", "contains goog, which Google reserves. Choose another name")],
        "DOMAIN" => &[
            ("alltrue([for host in split(\",\", var.domain) : length(trimspace(host)) <= 253])", "has a host of more than 253 characters"),
            (
                "length(split(\",\", var.domain)) == length(distinct([for host in split(\",\", var.domain) : trimspace(host)]))",
                "names a host more than once",
            ),
            ("length(split(\",\", var.domain)) <= 15", "has more than 15 hosts, the maximum of a load balancer"),
        ],
        "SCHEMA_FILE" => &[(
            "try(fileexists(startswith(var.schema_file, \"/\") ? var.schema_file : \"${path.module}/../../${var.schema_file}\"), false)",
            "is not a file. Use a path relative to this repository's folder, or an absolute path such as abspath(\"my.json\")",
        )],
        "VALID_ATTRIBUTES" => &[(
            "length(split(\",\", var.valid_attributes)) == length(distinct([for name in split(\",\", var.valid_attributes) : lower(trimspace(name))]))",
            "lists a name twice. BigQuery compares names without regard to case",
        )],
        "TABLE_NAME" => &[(
            "!startswith(\"events_daily\", var.table_name)",
            "is the beginning of a view's name, so the view would count as a generated table. Choose another name",
        )],
        "DEAD_LETTER_TABLE" => {
            &[("!contains([\"events\", \"events_daily\"], var.dead_letter_table)", "is the name of a view. Choose another name")]
        }
        _ => &[],
    }
}

/// The conditions that compare a variable with another one, and the errors.
fn comparisons(setting: &Setting) -> &'static [(&'static str, &'static str)] {
    match setting.name {
        "MAX_INSTANCES" => &[("var.max_instances >= var.min_instances", "is less than min_instances, which is ${var.min_instances}")],
        "URL_MAP" => &[("var.url_map == \"\" || var.domain == \"\"", "is a load balancer with its own certificates. Leave domain empty")],
        "MEMORY" => &[
            (
                "tonumber(regex(\"^[0-9]+\", var.memory)) * (endswith(var.memory, \"Gi\") ? 1024 : 1) >= lookup({ \"4\" = 2048, \"6\" = 4096, \"8\" = 4096 }, var.cpu, 512)",
                "is less than Cloud Run needs for cpu = ${var.cpu}: 512Mi, 2Gi for 4 CPUs, 4Gi for 6 and 8",
            ),
            (
                "tonumber(regex(\"^[0-9]+\", var.memory)) * (endswith(var.memory, \"Gi\") ? 1024 : 1) <= 32768",
                "is more than 32Gi, Cloud Run's maximum",
            ),
        ],
        "TABLE_SUFFIX" => &[(
            "alltrue([for field in regexall(\"[{]([^{}:]+)[}]\", var.table_suffix) : contains(concat([\"date\"], [for name in split(\",\", var.valid_attributes) : trimspace(name)]), field[0])])",
            "has a field that is not in valid_attributes, which is ${var.valid_attributes}. Use one of these or {date}",
        )],
        "HASH_ATTRIBUTES" => &[(
            "var.hash_attributes == \"user_id\" ? true : alltrue([for hashed in split(\",\", var.hash_attributes) : contains([for name in split(\",\", var.valid_attributes) : trimspace(name)], trimspace(hashed))])",
            "has a name that is not in valid_attributes, which is ${var.valid_attributes}. Use one of these",
        )],
        "OVERFLOW_SUFFIX" => &[(
            "var.overflow_suffix != var.table_suffix",
            "is also table_suffix. Choose a suffix that no other table has, such as _overflow_{date}",
        )],
        "DEAD_LETTER_TABLE" => &[(
            "!startswith(var.dead_letter_table, var.table_name)",
            "begins with table_name, so queries over `${var.table_name}*` would read it. Choose another name",
        )],
        _ => &[],
    }
}

/// The names of variables as Terraform spells them.
fn in_lower_case(text: &str) -> String {
    let names = words(text).filter(|word| variables().any(|(setting, _)| setting.name == *word && word.contains('_')));
    names.fold(text.to_owned(), |text, name| text.replace(name, &name.to_ascii_lowercase()))
}
