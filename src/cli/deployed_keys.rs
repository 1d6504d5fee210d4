//! The keys of the deployed service, for `replay` and `forget`: other keys would store rows that do not fit the service's.

use std::process::ExitCode;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::error::CliError;
use super::{printable, usage};
use crate::config::settings::{PIPELINE, REGION};
use crate::config::{Operator, Problems, RawSettings};
use crate::google::{Api, ApiError, Client, Lookup, TokenError};

/// Why the keys of the service are not known.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KeyError {
    #[error("invalid settings:\n{0}")]
    Settings(Problems),
    #[error(transparent)]
    Token(#[from] TokenError),
    #[error("cannot create an HTTP client: {0}")]
    Http(#[from] reqwest::Error),
    #[error(
        "cannot read the service {service}, which may have the key {key}: {error}. Set {key} to the key of the service to continue without this check"
    )]
    Service { service: String, key: &'static str, error: ApiError },
    #[error("cannot read the secret {secret} with the key {key} of the service: {error}")]
    Secret { secret: String, key: &'static str, error: ApiError },
    #[error("cannot read the secret {secret} with the key {key} of the service: its value is not text")]
    NotText { secret: String, key: &'static str },
}

impl KeyError {
    pub(crate) fn report(&self) -> ExitCode {
        match self {
            Self::Settings(_) => usage(&self.to_string()),
            _ => CliError::failed(printable(&self.to_string())).report(),
        }
    }
}

/// The settings of `replay` or `forget`, with the keys of the deployed service in place of keys that are not given.
pub(crate) async fn load_operator(settings: &RawSettings) -> Result<Operator, KeyError> {
    let (mut with_keys, missing) = settings.without_secret_names();
    let operator = with_keys.load_operator().await.map_err(KeyError::Settings)?;
    if settings.is_local() || missing.is_empty() {
        return Ok(operator);
    }
    let project = &operator.service.location.project;
    let google = Client::new(operator.endpoints.clone(), operator.tokens().await?, project).await?;
    let service = format!("{}-pipeline", settings.raw(&PIPELINE));
    let deployed = find_service(&google, project, &service).await.map_err(|error| KeyError::Service {
        service: format!("{service} in {}", settings.raw(&REGION)),
        key: missing[0].setting.name,
        error,
    })?;
    let mut has_keys = false;
    for missing in missing {
        let key = missing.setting.name;
        let named = missing.secret.map(|path| KeySource::Secret { path, version: "latest".to_owned() });
        let text = match deployed.as_ref().and_then(|service| key_source(service, key)).or(named) {
            None => continue,
            Some(KeySource::Text(text)) => text,
            Some(KeySource::Secret { path, version }) => read_secret(&google, project, &path, &version, key).await?,
        };
        with_keys.set(missing.setting, text);
        has_keys = true;
    }
    if has_keys { with_keys.load_operator().await.map_err(KeyError::Settings) } else { Ok(operator) }
}

/// The Cloud Run service; `None` if there is none.
async fn find_service(google: &Client, project: &str, name: &str) -> Result<Option<Value>, ApiError> {
    match google.get(Api::Run, &format!("apis/serving.knative.dev/v1/namespaces/{project}/services/{name}")).await {
        Ok(Lookup::Found(service)) => Ok(Some(service)),
        // Without the API, the project has no service.
        Ok(Lookup::Absent) | Err(ApiError::Disabled { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Where the service has a key from.
#[derive(Debug, PartialEq, Eq)]
enum KeySource {
    Text(String),
    /// The path is the name of a secret of the project, or `projects/PROJECT/secrets/NAME`.
    Secret {
        path: String,
        version: String,
    },
}

/// The source of the environment variable; `None` if the service does not have it, or has it empty.
fn key_source(service: &Value, variable: &str) -> Option<KeySource> {
    let template = &service["spec"]["template"];
    let variables = template["spec"]["containers"][0]["env"].as_array()?;
    let variable = variables.iter().find(|known| known["name"] == variable)?;
    let reference = &variable["valueFrom"]["secretKeyRef"];
    let Some(name) = reference["name"].as_str() else {
        return variable["value"].as_str().filter(|text| !text.trim().is_empty()).map(|text| KeySource::Text(text.to_owned()));
    };
    // Secrets of other projects have an alias: alias:projects/NUMBER/secrets/NAME,…
    let aliases = template["metadata"]["annotations"]["run.googleapis.com/secrets"].as_str().unwrap_or_default();
    let path = aliases.split(',').find_map(|alias| alias.trim().strip_prefix(name)?.strip_prefix(':')).unwrap_or(name);
    let version = reference["key"].as_str().unwrap_or("latest");
    Some(KeySource::Secret { path: path.to_owned(), version: version.to_owned() })
}

async fn read_secret(google: &Client, project: &str, secret: &str, version: &str, key: &'static str) -> Result<String, KeyError> {
    let path = if secret.contains('/') { secret.to_owned() } else { format!("projects/{project}/secrets/{secret}") };
    let failed = |error| KeyError::Secret { secret: secret.to_owned(), key, error };
    let answer = google.get(Api::SecretManager, &format!("v1/{path}/versions/{version}:access")).await.map_err(failed)?;
    let answer = answer.require(format!("version {version}")).map_err(failed)?;
    let data = answer["payload"]["data"].as_str().and_then(|data| STANDARD.decode(data).ok());
    data.and_then(|data| String::from_utf8(data).ok()).ok_or_else(|| KeyError::NotText { secret: secret.to_owned(), key })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_key_comes_from_a_value_or_a_secret() {
        let service = json!({"spec": {"template": {
            "metadata": {"annotations": {"run.googleapis.com/secrets": "other:projects/1/secrets/far,near:projects/2/secrets/near"}},
            "spec": {"containers": [{"env": [
                {"name": "TEXT", "value": "k"},
                {"name": "EMPTY", "value": ""},
                {"name": "SECRET", "valueFrom": {"secretKeyRef": {"name": "hash", "key": "3"}}},
                {"name": "ALIAS", "valueFrom": {"secretKeyRef": {"name": "other", "key": "latest"}}},
            ]}]},
        }}});
        let secret = |path: &str, version: &str| Some(KeySource::Secret { path: path.to_owned(), version: version.to_owned() });
        for (variable, expected) in [
            ("TEXT", Some(KeySource::Text("k".to_owned()))),
            ("EMPTY", None),
            ("ABSENT", None),
            ("SECRET", secret("hash", "3")),
            ("ALIAS", secret("projects/1/secrets/far", "latest")),
        ] {
            assert_eq!(key_source(&service, variable), expected, "{variable}");
        }
    }
}
