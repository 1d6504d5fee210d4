//! The settings that decide who may push.

use clap::Args;
use url::{Host, Url};

use super::Problems;
use crate::source::auth::PushAuth;

const PUSH_AUTH: &str = "PUSH_AUTH";

/// Who may push.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Who may push")]
pub struct AuthArgs {
    /// Who checks Pub/Sub's token: iam (Cloud Run, before a request comes here), oidc (this service) or none [default:
    /// iam on Cloud Run, else none]
    #[arg(long, env, value_name = "MODE")]
    pub push_auth: Option<String>,
    /// Audience that the token must be for, exactly: what the subscription has, which is its endpoint's URL unless given.
    /// Needed for oidc
    #[arg(long, env, value_name = "AUDIENCE")]
    pub push_audience: Option<String>,
    /// Service account that the token must be of. Needed for oidc
    #[arg(long, env, value_name = "EMAIL")]
    pub push_service_account: Option<String>,
    /// Google's public keys, as a JWK set, for oidc
    #[arg(long, env, value_name = "URL", default_value = "https://www.googleapis.com/oauth2/v3/certs")]
    pub push_jwks_url: String,
    /// Allow none on Cloud Run
    #[arg(long, env, value_name = "BOOL", default_value = "false")]
    pub push_auth_force: String,
}

impl AuthArgs {
    /// The same, valid, and what is doubtful about it.
    pub(crate) fn read(&self, on_cloud_run: bool, emulator: bool, problems: &mut Problems) -> Option<(PushAuth, Option<&'static str>)> {
        let audience = given(&self.push_audience);
        let account = self.read_account(problems);
        let jwks_url = problems.check("PUSH_JWKS_URL", parse_jwks_url(&self.push_jwks_url, emulator));
        let forced = problems.boolean("PUSH_AUTH_FORCE", &self.push_auth_force);
        let mode = given(&self.push_auth).map(|mode| mode.to_ascii_lowercase());
        match mode.as_deref().unwrap_or(if on_cloud_run { "iam" } else { "none" }) {
            "iam" => {
                let doubt = "PUSH_AUTH=iam leaves it to Cloud Run to check who pushes, and this is not Cloud Run: \
                             unless something else does, anyone who reaches the port can push";
                Some((PushAuth::Iam { audience, account: account? }, (!on_cloud_run && !emulator).then_some(doubt)))
            }
            "oidc" => {
                let mut needed = |name: &str, value: Option<String>, what: &str| {
                    problems.check(name, value.ok_or_else(|| format!("PUSH_AUTH=oidc needs it: set it to {what}")))
                };
                let audience = needed("PUSH_AUDIENCE", audience, "the audience of the push subscription's token");
                // If there is one that is none, that has been said.
                let account = account.and_then(|account| {
                    needed("PUSH_SERVICE_ACCOUNT", account, "the service account that the push subscription's token is of")
                });
                Some((PushAuth::Oidc { audience: audience?, account: account?, jwks_url: jwks_url? }, None))
            }
            "none" if audience.is_some() || matches!(account, Some(Some(_))) => {
                let problem = "none looks at no token, but PUSH_AUDIENCE or PUSH_SERVICE_ACCOUNT is set: set PUSH_AUTH=oidc, or unset them";
                problems.add(PUSH_AUTH, problem);
                None
            }
            "none" if on_cloud_run && !forced? => {
                let problem =
                    "none on Cloud Run lets anyone push who reaches the service: set it to iam or oidc, or set PUSH_AUTH_FORCE=true";
                problems.add(PUSH_AUTH, problem);
                None
            }
            "none" => {
                let doubt = "anyone who reaches the port can push: set PUSH_AUTH=oidc if others do";
                Some((PushAuth::None, (!emulator).then_some(doubt)))
            }
            other => {
                problems.add(PUSH_AUTH, format!("{other:?} is none of iam, oidc, none"));
                None
            }
        }
    }

    /// `Some(None)` if there is none, `None` if it is wrong.
    fn read_account(&self, problems: &mut Problems) -> Option<Option<String>> {
        let account = given(&self.push_service_account);
        let is_address = |text: &str| {
            let parts = text.split_once('@');
            parts.is_some_and(|(name, domain)| !name.is_empty() && !domain.is_empty()) && text.chars().all(|c| c.is_ascii_graphic())
        };
        match account {
            Some(account) if !is_address(&account) => {
                problems.add(
                    "PUSH_SERVICE_ACCOUNT",
                    format!("{account:?} is not the address of an account, as push@project.iam.gserviceaccount.com is"),
                );
                None
            }
            // It is compared exactly, and Google's have none: nobody would ever be let in.
            Some(account) if account.chars().any(|c| c.is_ascii_uppercase()) => {
                let meant = account.to_ascii_lowercase();
                problems.add(
                    "PUSH_SERVICE_ACCOUNT",
                    format!("{account:?} has capital letters, and no account of Google's has: set it to {meant:?}"),
                );
                None
            }
            account => Some(account),
        }
    }
}

/// Empty counts as not given.
fn given(text: &Option<String>) -> Option<String> {
    text.as_deref().map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned)
}

/// Who can change the keys on their way can sign tokens. In tests that is nobody.
fn parse_jwks_url(text: &str, emulator: bool) -> Result<String, String> {
    let url = Url::parse(text.trim()).map_err(|error| format!("{text:?} is not a URL: {error}"))?;
    let here = match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    };
    match url.scheme() {
        "https" => Ok(url.into()),
        "http" if here || emulator => Ok(url.into()),
        "http" => Err(format!("{text:?} is not https: whoever is on the way could put in keys of their own")),
        _ => Err(format!("{text:?} is not the URL of a JWK set, as https://www.googleapis.com/oauth2/v3/certs is")),
    }
}
