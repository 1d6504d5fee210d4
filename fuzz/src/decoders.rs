//! Decoders with every combination of settings, and a schema with every column type.

use std::sync::LazyLock;

use jiff::Timestamp;
use pixel_pipeline::decode::attributes::ValidAttributes;
use pixel_pipeline::decode::entry_columns::ENTRY_COLUMNS;
use pixel_pipeline::decode::hashed_ids::HashedIds;
use pixel_pipeline::decode::key::Key;
use pixel_pipeline::decode::remote_ip::IpAnonymization;
use pixel_pipeline::decode::signature::{SignatureMode, Signatures, SigningKeys};
use pixel_pipeline::decode::table_suffix::SuffixTemplate;
use pixel_pipeline::decode::{Decoder, PixelPaths, Privacy, RequestFilter, Schema, Settings};
use serde_json::{Value, json};

/// The parameters that become columns. `user_id` is the id.
pub const ATTRIBUTES: &str = "user_id,s,s3,i,f,n,n52,b,z,y,y2,t,d,c,u,j,ss,ii,ff,nn,bb,zz,yy,tt,dd,cc,uu,jj";

/// Columns of the shipped schema that are REQUIRED.
const REQUIRED_COLUMNS: [&str; 2] = ["event_id", "event_timestamp"];

/// Names, types, modes and limits of the columns that are not filled from the log entry.
const COLUMNS: &[(&str, &str, &str, &str)] = &[
    ("signed", "BOOLEAN", "NULLABLE", ""),
    ("user_id", "STRING", "NULLABLE", ""),
    ("s", "STRING", "NULLABLE", ""),
    ("s3", "STRING", "NULLABLE", "maxLength=3"),
    ("i", "INTEGER", "NULLABLE", ""),
    ("f", "FLOAT", "NULLABLE", ""),
    ("n", "NUMERIC", "NULLABLE", ""),
    ("n52", "NUMERIC", "NULLABLE", "precision=5,scale=2"),
    ("b", "BIGNUMERIC", "NULLABLE", ""),
    ("z", "BOOLEAN", "NULLABLE", ""),
    ("y", "BYTES", "NULLABLE", ""),
    ("y2", "BYTES", "NULLABLE", "maxLength=2"),
    ("t", "TIMESTAMP", "NULLABLE", ""),
    ("d", "DATE", "NULLABLE", ""),
    ("c", "TIME", "NULLABLE", ""),
    ("u", "DATETIME", "NULLABLE", ""),
    ("j", "JSON", "NULLABLE", ""),
    ("ss", "STRING", "REPEATED", ""),
    ("ii", "INTEGER", "REPEATED", ""),
    ("ff", "FLOAT", "REPEATED", ""),
    ("nn", "NUMERIC", "REPEATED", ""),
    ("bb", "BIGNUMERIC", "REPEATED", ""),
    ("zz", "BOOLEAN", "REPEATED", ""),
    ("yy", "BYTES", "REPEATED", ""),
    ("tt", "TIMESTAMP", "REPEATED", ""),
    ("dd", "DATE", "REPEATED", ""),
    ("cc", "TIME", "REPEATED", ""),
    ("uu", "DATETIME", "REPEATED", ""),
    ("jj", "JSON", "REPEATED", ""),
    ("nothing", "RECORD", "NULLABLE", ""),
    ("invalid_attributes", "STRING", "REPEATED", ""),
];

/// A template for each rule of a suffix.
pub const TEMPLATES: [&str; 8] = [
    "_{user_id}_{date}",
    "",
    "_{date}",
    "{user_id}{s}",
    "_{s}_{ii}",
    "_{user_id}_{date:%-m_%-d_%Y}",
    "x{date:_%Y}{ss}{f}y",
    "{s}__{user_id}",
];

/// The current signing key and the previous one.
pub const SIGNING_KEYS: &str = "0123456789abcdef0123456789abcdef,fedcba9876543210fedcba9876543210";

/// The time at which every message arrives.
pub fn now() -> Timestamp {
    "2026-01-02T03:04:05Z".parse().expect("a time")
}

/// A schema with a column of every type.
pub static SCHEMA: LazyLock<Schema> = LazyLock::new(|| schema("NULLABLE"));
/// The same schema with a required integer.
pub static STRICT_SCHEMA: LazyLock<Schema> = LazyLock::new(|| schema("REQUIRED"));

fn schema(mode_of_i: &str) -> Schema {
    let column = |(name, kind, mode, limits): &(&str, &str, &str, &str)| {
        let mode = if *name == "i" { mode_of_i } else { mode };
        let mut column = json!({"name": name, "type": kind, "mode": mode});
        for (limit, value) in limits.split(',').filter_map(|limit| limit.split_once('=')) {
            column[limit] = value.into();
        }
        column
    };
    let entry_columns = ENTRY_COLUMNS.iter().map(|entry| {
        let mode = if REQUIRED_COLUMNS.contains(&entry.name) { "REQUIRED" } else { "NULLABLE" };
        (entry.name, entry.bigquery_type, mode, "")
    });
    let columns: Value = entry_columns.chain(COLUMNS.iter().copied()).map(|row| column(&row)).collect();
    Schema::parse(&columns.to_string()).expect("a schema")
}

/// The settings that affect decoding.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    pub signatures: Option<SignatureMode>,
    pub hashes: bool,
    pub respects_opt_out: bool,
    pub remote_ip: IpAnonymization,
    pub strict: bool,
    /// One of [`TEMPLATES`].
    pub template: usize,
}

impl Options {
    /// Options chosen by two numbers.
    pub fn of(settings: usize, template: usize) -> Self {
        Self {
            signatures: [None, Some(SignatureMode::Require), Some(SignatureMode::Mark)][settings % 3],
            remote_ip: [IpAnonymization::Drop, IpAnonymization::Truncate, IpAnonymization::Full][settings / 3 % 3],
            hashes: settings / 9 % 2 == 1,
            respects_opt_out: (settings / 18).is_multiple_of(2),
            strict: settings / 36 % 2 == 1,
            template: template % TEMPLATES.len(),
        }
    }

    /// The schema of the decoder's rows.
    pub fn schema(&self) -> &'static Schema {
        if self.strict { &STRICT_SCHEMA } else { &SCHEMA }
    }

    /// A decoder with these settings.
    pub fn decoder(&self) -> Decoder {
        let valid_attributes = attributes();
        let settings = Settings {
            table_suffix: SuffixTemplate::parse(TEMPLATES[self.template], &valid_attributes, "pixel").expect("a template"),
            requests: RequestFilter { paths: PixelPaths::parse("/pixel.png").expect("a path"), ..RequestFilter::default() },
            privacy: Privacy {
                remote_ip: self.remote_ip,
                hashed_ids: self.hashes.then(hashed_ids),
                respect_opt_out: self.respects_opt_out,
            },
            signatures: self.signatures.map(|mode| Signatures { keys: signing_keys(), mode }),
            valid_attributes,
        };
        Decoder::new(settings, self.schema())
    }
}

/// All of [`ATTRIBUTES`].
pub fn attributes() -> ValidAttributes {
    ValidAttributes::parse(ATTRIBUTES).expect("names")
}

/// Hashes of `user_id`, and of a REPEATED column.
pub fn hashed_ids() -> HashedIds {
    let key = Key::parse("a-key-that-nobody-guesses-within-this-universe").expect("a key");
    HashedIds::parse(key, "user_id,ss", &attributes()).expect("attributes")
}

/// Both of [`SIGNING_KEYS`].
pub fn signing_keys() -> SigningKeys {
    SigningKeys::parse(SIGNING_KEYS).expect("keys")
}

/// A name without what a URL that was escaped for HTML has before it.
pub fn without_amp(name: &str) -> &str {
    match name.split_at_checked(4) {
        Some((amp, rest)) if amp.eq_ignore_ascii_case("amp;") => without_amp(rest),
        _ => name,
    }
}
