//! The settings that decide what of a visitor is kept.

use clap::Args;

use super::Problems;
use super::secret::Secret;
use crate::decode::attributes::ValidAttributes;
use crate::decode::hashed_ids::HashedIds;
use crate::decode::key::Key;
use crate::decode::privacy::Privacy;
use crate::decode::remote_ip::IpAnonymization;

/// What of a visitor is kept.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Privacy")]
pub struct PrivacyArgs {
    /// What the column remote_ip holds: nothing (drop), the network (truncate: /24 of IPv4, /48 of IPv6) or the
    /// whole address (full)
    #[arg(long, env, value_name = "HOW", default_value = "drop")]
    pub ip_anonymization: String,
    /// Key of 32 characters or more, with which ids are hashed before they become a table's name or a column.
    /// Empty: they are stored as they are
    #[arg(long, env, value_name = "KEY", hide_env_values = true)]
    pub hash_user_ids: Option<Secret>,
    /// Attributes that hold ids, separated by commas: what HASH_USER_IDS hashes
    #[arg(long, env, value_name = "NAMES", default_value = "user_id")]
    pub hash_attributes: String,
    /// Store nothing of an event with a parameter dnt=1 or gpc=1, and only count it
    #[arg(long, env, value_name = "BOOL", default_value = "true")]
    pub respect_opt_out: String,
}

impl PrivacyArgs {
    pub(crate) fn read(&self, attributes: Option<&ValidAttributes>, problems: &mut Problems) -> Option<Privacy> {
        let remote_ip = problems.check("IP_ANONYMIZATION", self.ip_anonymization.parse::<IpAnonymization>());
        let respect_opt_out = problems.boolean("RESPECT_OPT_OUT", &self.respect_opt_out);
        let hashed_ids = match Secret::given(self.hash_user_ids.as_ref()) {
            None => Some(None),
            Some(text) => {
                let key = problems.check("HASH_USER_IDS", Key::parse(text));
                // Whether the names are attributes cannot be said while the list of those is wrong.
                key.zip(attributes)
                    .and_then(|(key, valid)| problems.check("HASH_ATTRIBUTES", HashedIds::parse(key, &self.hash_attributes, valid)))
                    .map(Some)
            }
        };
        Some(Privacy { remote_ip: remote_ip?, hashed_ids: hashed_ids?, respect_opt_out: respect_opt_out? })
    }
}
