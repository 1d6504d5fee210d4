//! The settings of `replay` and `forget`: those of the service, and the addresses of Google's APIs.

use std::path::PathBuf;

use super::settings::{CLOUDSDK_AUTH_ACCESS_TOKEN_FILE, HASH_ATTRIBUTES, PROJECT_ID, PUBSUB_EMULATOR_HOST, REGION, STORAGE_EMULATOR_HOST};
use super::{Config, Problems, RawSettings, endpoints, privacy};
use crate::decode::hashed_ids::HashedIds;
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
    /// FORMER_HASH_KEYS.
    pub former_hashed_ids: Vec<HashedIds>,
    /// HASH_ATTRIBUTES, with or without a key.
    pub id_attributes: Vec<String>,
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
        let endpoints = endpoints::read(&values, address, values.text(&REGION), &mut problems);
        let valid = service.as_ref().map(|service| &service.template.decode.valid_attributes);
        let former = valid.and_then(|valid| privacy::read_former_keys(&values, valid, &mut problems));
        let operator = (|| {
            let (service, mut endpoints, former_hashed_ids) = (service?, endpoints?, former?);
            if let Some(host) = &storage {
                endpoints.storage = format!("{host}/storage/v1");
            }
            Some(Operator {
                service,
                endpoints,
                storage_emulator: storage.is_some(),
                pubsub_emulator: values.address(&PUBSUB_EMULATOR_HOST),
                access_token_file: values.path(&CLOUDSDK_AUTH_ACCESS_TOKEN_FILE),
                former_hashed_ids,
                id_attributes: values.text(&HASH_ATTRIBUTES).split(',').map(|name| name.trim().to_owned()).collect(),
            })
        })();
        problems.or(operator)
    }
}
