//! The settings of `pull`: those of the service, and the subscription.

use super::settings::{BIGQUERY_EMULATOR_HOST, PUBSUB_EMULATOR_HOST, SUBSCRIPTION};
use super::subscription::SubscriptionName;
use super::{Config, Problems, RawSettings};

/// Variables of which one is set on Cloud Run: for a service, a job and a worker pool.
/// <https://cloud.google.com/run/docs/container-contract#env-vars>
const CLOUD_RUN: [&str; 3] = ["K_SERVICE", "CLOUD_RUN_JOB", "CLOUD_RUN_WORKER_POOL"];

/// The settings, all of them valid.
#[derive(Debug, Clone)]
pub struct PullConfig {
    pub service: Config,
    /// `projects/PROJECT/subscriptions/NAME`
    pub subscription: String,
    /// Its URL.
    pub pubsub_emulator: Option<String>,
}

impl RawSettings {
    /// Every setting of `pull`, checked.
    pub async fn load_pull(&self) -> Result<PullConfig, Problems> {
        let mut problems = Problems::default();
        let values = self.check(&mut problems);
        let service = self.read_service(&values, &mut problems).await;
        let name = values.optional(&SUBSCRIPTION).ok_or_else(|| "it is not set: set it to the pull subscription of the topic".to_owned());
        let name = problems.check(SUBSCRIPTION.name, name.and_then(str::parse::<SubscriptionName>));
        let emulator = values.address(&PUBSUB_EMULATOR_HOST);
        if CLOUD_RUN.iter().any(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty())) {
            for setting in [&BIGQUERY_EMULATOR_HOST, &PUBSUB_EMULATOR_HOST] {
                if values.address(setting).is_some() && !problems.contains(setting) {
                    problems.add(setting.name, "it is set on Cloud Run, where no emulator runs: unset it");
                }
            }
        }
        let config = service.zip(name).map(|(service, name)| {
            let subscription = name.full(&service.location.project);
            PullConfig { service, subscription, pubsub_emulator: emulator }
        });
        problems.or(config)
    }
}
