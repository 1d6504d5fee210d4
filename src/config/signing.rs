//! The settings of signed URLs.

use std::path::PathBuf;

use clap::Args;

use super::Problems;
use super::secret::Secret;
use crate::decode::signature::{SignatureMode, Signatures, SigningKeys};

const KEY: &str = "URL_SIGNING_KEY";

/// Whether URLs have to be signed.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Signed URLs")]
pub struct SigningArgs {
    /// Key of 32 characters or more, with which the pixel's URLs are signed; two, separated by a comma, while the first
    /// replaces the second. Empty: URLs are not signed
    #[arg(long, env, value_name = "KEY", hide_env_values = true)]
    pub url_signing_key: Option<Secret>,
    /// With a key: store only what is signed (require), or store everything and fill the column signed (mark)
    #[arg(long, env, value_name = "MODE", default_value = "require")]
    pub signature_mode: String,
}

/// The key alone, for whoever signs.
#[derive(Debug, Clone, Args)]
pub struct SigningKeyArgs {
    /// Key with which the service checks signatures. Of two, separated by a comma, the first signs
    #[arg(long, env, value_name = "KEY", hide_env_values = true)]
    pub url_signing_key: Option<Secret>,
    /// File that holds the key, in place of URL_SIGNING_KEY
    #[arg(long, value_name = "FILE")]
    pub key_file: Option<PathBuf>,
}

impl SigningArgs {
    pub(crate) fn read(&self, problems: &mut Problems) -> Option<Option<Signatures>> {
        let mode = problems.check("SIGNATURE_MODE", self.signature_mode.parse::<SignatureMode>());
        match Secret::given(self.url_signing_key.as_ref()) {
            None => mode.map(|_| None),
            Some(text) => {
                let keys = problems.check(KEY, SigningKeys::parse(text));
                Some(Some(Signatures { keys: keys?, mode: mode? }))
            }
        }
    }
}

impl SigningKeyArgs {
    /// The keys, of the file if there is one.
    pub fn load(&self) -> Result<SigningKeys, Problems> {
        let mut problems = Problems::default();
        let keys = match (&self.key_file, Secret::given(self.url_signing_key.as_ref())) {
            (Some(file), _) => problems
                .check("--key-file", std::fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display())))
                .and_then(|text| problems.check("--key-file", SigningKeys::parse(&text))),
            (None, Some(text)) => problems.check(KEY, SigningKeys::parse(text)),
            (None, None) => {
                problems.add(KEY, "there is no key: set it to the one that the service has, or give --key-file");
                None
            }
        };
        problems.or(keys)
    }
}
