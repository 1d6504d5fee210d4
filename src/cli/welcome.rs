//! The text that `local` prints when it has started.

use std::net::IpAddr;

use url::form_urlencoded;

use super::duration_arg::DurationArg;
use crate::decode::{Decoder, Explanation};
use crate::local::bq::BqFiles;
use crate::local::demo::Rate;
use crate::local::handles::Handles;

/// URLs, and commands to paste into a shell.
pub(crate) fn welcome(handles: &Handles, bq: &BqFiles, host: IpAddr, demo: Option<Rate>, duration: Option<DurationArg>) -> String {
    let urls = &handles.urls;
    let (pixel, service, tables) = (&urls.pixel, &urls.service, &urls.tables);
    let settings = &handles.template.decode;
    let parameters = settings.valid_attributes.names().iter().map(|name| (name.as_str(), example_of(name)));
    let mut example = form_urlencoded::Serializer::for_suffix(format!("{pixel}?"), pixel.len() + 1);
    let example = example.extend_pairs(parameters).finish();
    let example = settings.signatures.as_ref().map_or(example.clone(), |signatures| signatures.keys.sign(&example));
    let decoder = Decoder::new(settings.clone(), &handles.template.schema);
    let table = Explanation::of_url(&decoder, &example, jiff::Timestamp::now(), &handles.template.table).table;
    let rows = table.map(|table| format!("  curl {tables}/{table}/data\n")).unwrap_or_default();
    let mut notes = String::new();
    if let Some(setup) = &handles.emulator {
        notes += &format!(
            "The Pub/Sub emulator pushes to {}: topic {} ({}), subscription {} ({}).\n",
            setup.push_endpoint,
            setup.topic,
            if setup.topic_existed { "existed" } else { "created" },
            setup.subscription,
            if setup.subscription_existed { "existed, push endpoint changed" } else { "created" },
        );
    }
    if let Some(rate) = demo {
        notes += &format!("The demo sends {rate} requests per second.\n");
    }
    if !host.is_loopback() {
        notes += &format!("WARNING: anyone who can reach {host} can read and write all data. There is no authentication.\n");
    }
    let stop = match duration {
        Some(DurationArg(duration)) => format!("Stops after {duration:?}, or with Ctrl-C. The tables are kept."),
        None => "Stop with Ctrl-C. The tables are kept.".to_owned(),
    };
    format!(
        "console   {service}/
pixel     {pixel}
push      {service}/
BigQuery  {}

{notes}Request the pixel:
  curl -o /dev/null \"{example}\"
List the tables, and the rows of one:
  curl {tables}
{rows}Query them with this program, or with bq after these exports:
  pixel-pipeline query --local={} 'SELECT 1'
{}
  bq query 'SELECT 1'
{stop}
",
        urls.bigquery,
        urls.bigquery.rsplit(':').next().unwrap_or_default(),
        bq.exports("  "),
    )
}

/// A value for an attribute.
fn example_of(name: &str) -> &'static str {
    match name {
        "user_id" => "507f1f77bcf86cd799439011",
        "order_id" => "42",
        "type" => "click",
        _ => "example",
    }
}
