//! The settings of push authentication.

use url::{Host, Url};

use super::settings::{PUSH_AUDIENCE, PUSH_AUTH, PUSH_AUTH_FORCE, PUSH_JWKS_URL, PUSH_SERVICE_ACCOUNT};
use super::{Problems, Values};

/// PUSH_AUTH, with what belongs to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PushAuth {
    /// Cloud Run has checked the token. PUSH_AUDIENCE and PUSH_SERVICE_ACCOUNT narrow it down.
    Iam { audience: Option<String>, account: Option<String> },
    /// The service checks the token, with the keys at PUSH_JWKS_URL.
    Oidc { audience: String, account: String, jwks_url: String },
    /// Every caller that reaches the port is authorized.
    None,
}

/// The settings, and a warning about them.
pub(crate) fn read(
    values: &Values,
    on_cloud_run: bool,
    emulator: bool,
    problems: &mut Problems,
) -> Option<(PushAuth, Option<&'static str>)> {
    let audience = values.optional(&PUSH_AUDIENCE).map(str::to_owned);
    let account = read_account(values, problems);
    let jwks_url = problems.check(PUSH_JWKS_URL.name, parse_jwks_url(values.text(&PUSH_JWKS_URL), emulator));
    if problems.contains(&PUSH_AUTH) || problems.contains(&PUSH_AUTH_FORCE) {
        return None;
    }
    let mode = match values.choice(&PUSH_AUTH) {
        mode if mode.is_empty() && on_cloud_run => "iam".to_owned(),
        mode => mode,
    };
    match mode.as_str() {
        "iam" if !on_cloud_run && !values.boolean(&PUSH_AUTH_FORCE) => {
            let problem = "with iam, Cloud Run checks the signature of the token, and this is not Cloud Run (K_SERVICE is not set), so every \
                           caller that reaches the port could push: set it to oidc, or set PUSH_AUTH_FORCE=true if a proxy checks the token";
            problems.add(PUSH_AUTH.name, problem);
            None
        }
        "iam" => {
            let warning = "the signature of tokens is not checked, because PUSH_AUTH=iam is forced outside of Cloud Run: unless a proxy \
                           checks it, every caller that reaches the port can push";
            Some((PushAuth::Iam { audience, account: account? }, (!on_cloud_run).then_some(warning)))
        }
        "oidc" => {
            let mut needed = |name: &str, value: Option<String>, what: &str| {
                problems.check(name, value.ok_or_else(|| format!("PUSH_AUTH=oidc needs it: set it to {what}")))
            };
            let audience = needed(PUSH_AUDIENCE.name, audience, "the audience of the push subscription's token");
            // An invalid account has been reported already.
            let account = account
                .and_then(|account| needed(PUSH_SERVICE_ACCOUNT.name, account, "the service account of the push subscription's token"));
            Some((PushAuth::Oidc { audience: audience?, account: account?, jwks_url: jwks_url? }, None))
        }
        // Not set outside of Cloud Run, or `none`.
        _ if audience.is_some() || matches!(account, Some(Some(_))) => {
            let problem = "none ignores the token, but PUSH_AUDIENCE or PUSH_SERVICE_ACCOUNT is set: set PUSH_AUTH=oidc, or unset them";
            problems.add(PUSH_AUTH.name, problem);
            None
        }
        _ if on_cloud_run && !values.boolean(&PUSH_AUTH_FORCE) => {
            let problem = "with none on Cloud Run, every caller that reaches the service can push: set it to iam or oidc, or set \
                           PUSH_AUTH_FORCE=true";
            problems.add(PUSH_AUTH.name, problem);
            None
        }
        _ => {
            let warning = "every caller that reaches the port can push: set PUSH_AUTH=oidc if others reach it";
            Some((PushAuth::None, (!emulator).then_some(warning)))
        }
    }
}

/// `Some(None)` if it is not set, `None` if it is invalid.
fn read_account(values: &Values, problems: &mut Problems) -> Option<Option<String>> {
    let is_address = |text: &str| {
        let parts = text.split_once('@');
        parts.is_some_and(|(name, domain)| !name.is_empty() && !domain.is_empty()) && text.chars().all(|c| c.is_ascii_graphic())
    };
    match values.optional(&PUSH_SERVICE_ACCOUNT) {
        Some(account) if !is_address(account) => {
            let problem = format!("{account:?} is not the address of an account, such as push@project.iam.gserviceaccount.com");
            problems.add(PUSH_SERVICE_ACCOUNT.name, problem);
            None
        }
        // It is compared exactly, and Google's accounts have no capital letters: every push would be rejected.
        Some(account) if account.chars().any(|c| c.is_ascii_uppercase()) => {
            let meant = account.to_ascii_lowercase();
            let problem = format!("{account:?} has capital letters, and Google's accounts have none: set it to {meant:?}");
            problems.add(PUSH_SERVICE_ACCOUNT.name, problem);
            None
        }
        account => Some(account.map(str::to_owned)),
    }
}

/// Requires https: without TLS, an attacker on the network could replace the keys and sign tokens. Loopback addresses are
/// exempt, for tests.
fn parse_jwks_url(text: &str, emulator: bool) -> Result<String, String> {
    let url = Url::parse(text.trim()).map_err(|error| format!("{text:?} is not a URL: {error}"))?;
    let is_loopback = match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    };
    match url.scheme() {
        "https" => Ok(url.into()),
        "http" if is_loopback || emulator => Ok(url.into()),
        "http" => Err(format!("{text:?} is not https: the keys could be replaced on the way")),
        _ => Err(format!("{text:?} is not the URL of a JWK set, such as https://www.googleapis.com/oauth2/v3/certs")),
    }
}
