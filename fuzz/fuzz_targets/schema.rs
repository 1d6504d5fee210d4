//! A template table's schema, from a file or from BigQuery, and the rows for it.

#![no_main]

use libfuzzer_sys::fuzz_target;
use pixel_pipeline::decode::attributes::ValidAttributes;
use pixel_pipeline::decode::table_suffix::SuffixTemplate;
use pixel_pipeline::decode::{Decoded, Decoder, Privacy, PubsubMessage, RequestFilter, Schema, Settings};
use pixel_pipeline_fuzz::decoders::now;
use pixel_pipeline_fuzz::rows;

/// Values for every type.
const ENTRY: &str = r#"{"httpRequest":{"requestUrl":"https://track.example.com/pixel.png?a=1&b=true&c=2026-01-02&d=03:04:05&e=%7B%7D&f=x&a=2&b=y",
"status":200,"remoteIp":"203.0.113.9","latency":"0.5s","userAgent":"\u00e9","referer":"r"},"insertId":"1","logName":"l","timestamp":"2026-01-02T00:00:00Z"}"#;

fuzz_target!(|input: &[u8]| {
    let text = String::from_utf8_lossy(input);
    let schema = match Schema::parse(&text) {
        Ok(schema) => schema,
        Err(error) => return assert!(!error.to_string().is_empty()),
    };
    let again = Schema::parse(&schema.fields().to_string()).expect("the fields of a table");
    // The columns are equal, although a number beyond 64 bits is rounded.
    assert_eq!(again.columns(), schema.columns());
    for column in schema.columns() {
        assert_eq!(schema.column(&column.name.to_ascii_uppercase()), Some(column), "column names are unique");
    }
    let valid_attributes = ValidAttributes::parse("a,b,c,d,e,f").expect("names");
    let table_suffix = SuffixTemplate::parse("_{a}_{date}", &valid_attributes, "pixel").expect("a template");
    let settings =
        Settings { valid_attributes, table_suffix, requests: RequestFilter::default(), privacy: Privacy::default(), signatures: None };
    let problems = settings.problems_with(&schema);
    assert!(problems.iter().all(|problem| !problem.to_string().is_empty()));
    match Decoder::new(settings, &schema).decode(&PubsubMessage::raw(ENTRY.as_bytes()), now()) {
        Decoded::Row(row) => {
            let columns = rows::check(&row, &schema, ENTRY.len());
            assert!(columns.values().all(|value| !value.is_null()));
        }
        Decoded::Rejected(rejected) => {
            let name = rejected.column.expect("a rejection for a column");
            assert!(schema.column(&name).is_some_and(|column| column.must_be_filled()), "{name}");
        }
        Decoded::Filtered(reason) => panic!("{reason:?}"),
    }
});
