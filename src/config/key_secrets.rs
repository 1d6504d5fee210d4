//! The keys in the settings of a deployment: `generate`, or the name of a secret in Secret Manager, which has fewer characters
//! than a key.

use super::RawSettings;
use super::setting::Setting;
use super::settings::{HASH_USER_IDS, PIPELINE, URL_SIGNING_KEY};

/// The settings of keys, and the end of the name of the secret that `generate` creates.
const KEYS: [(&Setting, &str); 2] = [(&HASH_USER_IDS, "hash-user-ids"), (&URL_SIGNING_KEY, "url-signing-key")];
/// A key has 32 characters or more.
const MAX_SECRET_NAME: usize = 31;

/// A key that the settings do not contain.
#[derive(Debug)]
pub(crate) struct MissingKey {
    pub(crate) setting: &'static Setting,
    /// The secret that the settings name.
    pub(crate) secret: Option<String>,
}

impl RawSettings {
    /// The settings without the names of secrets, and the keys of the command that they do not contain.
    pub(crate) fn without_secret_names(&self) -> (Self, Vec<MissingKey>) {
        let (mut settings, mut missing) = (self.clone(), Vec::new());
        for (setting, generated) in KEYS.into_iter().filter(|(setting, _)| self.is_taken(setting)) {
            let secret = match self.optional(setting) {
                None => None,
                Some("generate") => Some(format!("{}-{generated}", self.raw(&PIPELINE))),
                Some(text) if is_secret_name(text) => Some(text.to_owned()),
                Some(_) => continue,
            };
            settings.set(setting, "");
            missing.push(MissingKey { setting, secret });
        }
        (settings, missing)
    }
}

fn is_secret_name(text: &str) -> bool {
    text.len() <= MAX_SECRET_NAME && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::command::Command;

    #[test]
    fn a_key_is_not_the_name_of_a_secret() {
        let key = "0123456789abcdef0123456789abcdef";
        for (text, expected) in
            [("", Some(None)), ("generate", Some(Some("pixel-hash-user-ids"))), ("my-hash_key", Some(Some("my-hash_key"))), (key, None)]
        {
            let mut settings = RawSettings::defaults(Command::Forget);
            settings.set(&HASH_USER_IDS, text);
            let (settings, missing) = settings.without_secret_names();
            let secrets: Vec<Option<&str>> = missing.iter().map(|missing| missing.secret.as_deref()).collect();
            assert_eq!(secrets, Vec::from_iter(expected), "{text}");
            assert_eq!(settings.optional(&HASH_USER_IDS), (text == key).then_some(key));
        }
    }
}
