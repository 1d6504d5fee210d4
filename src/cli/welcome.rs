//! The text that `local` prints when it has started.

use std::net::IpAddr;

use super::duration_arg::DurationArg;
use crate::decode::{Decoder, Explanation};
use crate::local::bq::BqFiles;
use crate::local::demo::Rate;
use crate::local::topology::Handles;

/// Addresses, notes and example commands. The commands can be pasted unchanged.
pub(crate) fn welcome(handles: &Handles, bq: &BqFiles, host: IpAddr, demo: Option<Rate>, duration: Option<DurationArg>) -> String {
    let urls = &handles.urls;
    let (pixel, service, tables) = (&urls.pixel, &urls.service, &urls.tables);
    let settings = &handles.template.decode;
    let example = format!("{pixel}?user_id=507f1f77bcf86cd799439011&order_id=42&type=click");
    let example = settings.signatures.as_ref().map_or(example.clone(), |signatures| signatures.keys.sign(&example));
    let decoder = Decoder::new(settings.clone(), &handles.template.schema);
    let table = Explanation::of_url(&decoder, &example, jiff::Timestamp::now(), &handles.template.table).table;
    let rows = table.map(|table| format!("  curl {tables}/{table}/data\n")).unwrap_or_default();
    let mut notes = String::new();
    if let Some(setup) = &handles.emulator {
        let state = |existed| if existed { "exists" } else { "was created" };
        notes += &format!(
            "The Pub/Sub emulator pushes to {}: {} {}, {} {}.\n",
            setup.push_endpoint,
            setup.topic,
            state(setup.topic_existed),
            setup.subscription,
            if setup.subscription_existed { "exists and now pushes here" } else { state(false) },
        );
    }
    if let Some(rate) = demo {
        notes += &format!("The demo requests the pixel {rate} times a second.\n");
    }
    if !host.is_loopback() {
        notes += &format!("CAUTION: everybody who reaches {host} can read and write everything here, without credentials.\n");
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
{rows}Query them with this program, or with bq after these two exports:
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
