//! The settings of `replay` and `forget`: those of the service, and the addresses of Google's APIs.

use std::path::PathBuf;

use super::settings::{CLOUDSDK_AUTH_ACCESS_TOKEN_FILE, PROJECT_ID, PUBSUB_EMULATOR_HOST, STORAGE_EMULATOR_HOST};
use super::{Config, Problems, RawSettings, endpoints};
use crate::google::Endpoints;

/// The settings, all of them valid.
#[derive(Debug, Clone)]
pub struct Operator {
    pub service: Config,
    pub endpoints: Endpoints,
    pub storage_emulator: bool,
    /// Its URL.
    pub pubsub_emulator: Option<String>,
    /// CLOUDSDK_AUTH_ACCESS_TOKEN_FILE.
    pub access_token_file: Option<PathBuf>,
}

impl RawSettings {
    /// Every setting of `replay` or `forget`, checked.
    pub async fn load_operator(&self) -> Result<Operator, Problems> {
        let mut problems = Problems::default();
        let mut settings = self.clone();
        if self.is_local() && self.project().is_none() {
            settings.set(&PROJECT_ID, "local");
        }
        let values = settings.check(&mut problems);
        let service = settings.read_service(&values, &mut problems).await;
        let storage = values.address(&STORAGE_EMULATOR_HOST);
        let address = service.as_ref().map(|service| service.location.endpoint.as_str());
        // No region: these commands use no regional API.
        let endpoints = endpoints::read(&values, address, "", &mut problems);
        let operator = (|| {
            let (service, mut endpoints) = (service?, endpoints?);
            if let Some(host) = &storage {
                endpoints.storage = format!("{host}/storage/v1");
            }
            Some(Operator {
                service,
                endpoints,
                storage_emulator: storage.is_some(),
                pubsub_emulator: values.address(&PUBSUB_EMULATOR_HOST),
                access_token_file: values.path(&CLOUDSDK_AUTH_ACCESS_TOKEN_FILE),
            })
        })();
        problems.or(operator)
    }
}
