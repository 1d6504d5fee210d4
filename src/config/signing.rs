//! The settings of signed URLs.

use std::path::Path;

use super::settings::{SIGNATURE_MODE, URL_SIGNING_KEY};
use super::{Problems, RawSettings, Values};
use crate::decode::signature::{Signatures, SigningKeys};

/// `Some(None)` without a key: URLs are not signed.
pub(crate) fn read(values: &Values, problems: &mut Problems) -> Option<Option<Signatures>> {
    let mode = problems.check(SIGNATURE_MODE.name, values.text(&SIGNATURE_MODE).parse());
    match values.optional(&URL_SIGNING_KEY) {
        None => mode.map(|_| None),
        Some(text) => {
            let keys = problems.check(URL_SIGNING_KEY.name, SigningKeys::parse(text));
            Some(Some(Signatures { keys: keys?, mode: mode? }))
        }
    }
}

impl RawSettings {
    /// The keys alone, for signing: those of the file, if there is one.
    pub fn signing_keys(&self, key_file: Option<&Path>) -> Result<SigningKeys, Problems> {
        let mut problems = Problems::default();
        let keys = match (key_file, self.optional(&URL_SIGNING_KEY)) {
            (Some(file), _) => problems
                .check("--key-file", std::fs::read_to_string(file).map_err(|error| format!("cannot read {}: {error}", file.display())))
                .and_then(|text| problems.check("--key-file", SigningKeys::parse(&text))),
            (None, Some(text)) => problems.check(URL_SIGNING_KEY.name, SigningKeys::parse(text)),
            (None, None) => {
                problems.add(URL_SIGNING_KEY.name, "there is no key: set it to the key of the service, or give --key-file");
                None
            }
        };
        problems.or(keys)
    }
}
