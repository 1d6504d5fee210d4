//! The views: each row of the generated tables once.

use super::{Context, monitoring_files, tables};
use crate::cli::check::link::Fault;
use crate::cli::check::part::{Expected, Part, is};
use crate::schema_sql::{VIEWS, for_columns};

pub(super) fn parts(context: &Context) -> Vec<Part> {
    match &context.schema {
        // deploy.sh makes a view if the file has the columns that it needs.
        Ok(file) => VIEWS.into_iter().filter_map(|(name, sql)| Some(view(context, name, &for_columns(sql, file).ok()?))).collect(),
        Err(problem) => {
            let problem = problem.clone();
            let unknown = Part::new("views", "views", super::dataset::source(context));
            vec![unknown.rule(move |_, _| Err(Fault::unknown(problem.clone())))]
        }
    }
}

fn view(context: &Context, name: &str, sql: &str) -> Part {
    let names = context.names;
    // In a shared dataset, the views have the name of the table, too. A view may read the view events.
    let own = |view: &str| if context.shares_dataset() { format!("{view}_{}", names.table) } else { view.to_owned() };
    let sql = monitoring_files::fill(sql, &monitoring_files::placeholders(context)).replace(".events`", &format!(".{}`", own("events")));
    let (sql, name) = (sql.trim().to_owned(), own(name));
    let (resource, source) = (format!("view {}.{name}", names.dataset), tables::source(context, &name));
    let again = format!("{}\n{}", names.bq(&format!("rm --force --table {}.{name}", names.dataset)), names.deploy);
    let part = Part::new("views", resource, source).found(name).required("queries of it fail", &names.deploy).update(again);
    part.member("/type", is("VIEW"), "queries of it have other rows")
        .member("/view/useLegacySql", is(false), "queries of it fail")
        .member("/labels/pipeline", is(names.name.as_str()), Context::LABEL_EFFECT)
        .member("/expirationTime", Expected::Unset, "queries of it fail after that time")
        .member("/view/query", Expected::Text(sql), "it can count events twice or leave some out")
}
