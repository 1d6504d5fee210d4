//! What a checkpoint belongs to: the dataset, the tables, and the settings that decide which row an entry becomes.
//!
//! An entry that was replayed to one dataset is not yet in another one.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::config::Config;
use crate::config::command::Command;
use crate::config::settings::{BIGQUERY_ENDPOINT, DATASET, DEAD_LETTER_TABLE, OVERFLOW_SUFFIX, PROJECT_ID, SETTINGS};

/// Settings by name. Keys are not stored, only a part of their hash.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Target(BTreeMap<String, String>);

impl Target {
    pub(crate) fn new(config: &Config) -> Self {
        // The settings of the decoder are those that `explain` has.
        let decides = |commands: &[Command]| commands.contains(&Command::Explain) && commands.contains(&Command::Replay);
        let decoding = SETTINGS.iter().copied().filter(|setting| decides(setting.commands));
        let settings = decoding.chain([&OVERFLOW_SUFFIX, &DEAD_LETTER_TABLE]).map(|setting| {
            let text = config.values.text(setting).trim();
            let is_hidden = setting.is_secret() && !text.is_empty();
            (setting.name.to_owned(), if is_hidden { fingerprint(text) } else { text.to_owned() })
        });
        let location = [
            (&PROJECT_ID, &config.location.project),
            (&DATASET, &config.location.dataset),
            (&BIGQUERY_ENDPOINT, &config.location.endpoint),
        ];
        let location = location.into_iter().map(|(setting, text)| (setting.name.to_owned(), text.clone()));
        Self(settings.chain(location).collect())
    }

    /// How a run with `now` differs, as `NAME=before, now NAME=after`. A setting that only one of them knows does not count:
    /// it belongs to another release.
    pub(crate) fn difference(&self, now: &Self) -> Option<String> {
        let changed = self.0.iter().filter_map(|(name, before)| {
            let after = now.0.get(name).filter(|after| *after != before)?;
            Some(format!("{name} was {before:?} and is {after:?}"))
        });
        let changed: Vec<String> = changed.collect();
        (!changed.is_empty()).then(|| changed.join(", "))
    }
}

/// Enough to see that two keys differ, and too little to find the key.
fn fingerprint(key: &str) -> String {
    format!("key {}", hex::encode(&Sha256::digest(key)[..4]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(settings: &[(&str, &str)]) -> Target {
        Target(settings.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect())
    }

    #[test]
    fn every_changed_setting_is_named() {
        let before = target(&[("DATASET", "a"), ("TABLE_NAME", "pixel"), ("TABLE_SUFFIX", "_{date}"), ("GONE", "1")]);
        let after = target(&[("DATASET", "b"), ("TABLE_NAME", "pixel"), ("TABLE_SUFFIX", ""), ("ADDED", "1")]);
        assert_eq!(before.difference(&after).unwrap(), r#"DATASET was "a" and is "b", TABLE_SUFFIX was "_{date}" and is """#);
        assert_eq!(before.difference(&before), None);
    }

    #[test]
    fn keys_are_recorded_as_short_fingerprints() {
        let key = "0123456789abcdef0123456789abcdef";
        assert_ne!(fingerprint(key), fingerprint("fedcba9876543210fedcba9876543210"));
        assert_eq!(fingerprint(key).len(), "key ".len() + 8);
    }
}
