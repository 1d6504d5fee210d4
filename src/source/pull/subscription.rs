//! A pull subscription: the clients for it, and whether Pub/Sub has it.

use std::time::Duration;

use google_cloud_auth::credentials::anonymous::Builder as Anonymous;
use google_cloud_gax::error::rpc::Code;
use google_cloud_gax::options::RequestOptionsBuilder as _;
use google_cloud_gax::retry_policy::NeverRetry;
use google_cloud_pubsub::client::{Subscriber, SubscriptionAdmin};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::stream::{FlowControl, PullStream};
use crate::telemetry::with_causes;

/// Maximum time to ask Pub/Sub for the subscription.
const CHECK_TIMEOUT: Duration = Duration::from_secs(10);

/// Why a subscription cannot be pulled.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{0}")]
pub struct SubscriptionError(pub(super) String);

/// A subscription that Pub/Sub has, as far as the caller may know.
#[derive(Debug, Clone)]
pub struct Subscription {
    pub(super) subscriber: Subscriber,
    admin: SubscriptionAdmin,
    /// `projects/PROJECT/subscriptions/NAME`
    pub(super) name: String,
    /// The URL or the host of Pub/Sub.
    address: String,
    is_emulator: bool,
}

impl Subscription {
    /// Fails unless [`Self::check`] passes. `emulator` is the URL of an emulator, which needs no credentials.
    pub async fn connect(name: String, emulator: Option<&str>) -> Result<Self, SubscriptionError> {
        let (mut builder, mut admin) = (Subscriber::builder(), SubscriptionAdmin::builder());
        if let Some(address) = emulator {
            let anonymous = || Anonymous::new().build();
            builder = builder.with_endpoint(address).with_credentials(anonymous());
            admin = admin.with_endpoint(address).with_credentials(anonymous());
        }
        let cannot_connect = |error| SubscriptionError(format!("cannot connect to Pub/Sub: {}", with_causes(&error)));
        let subscription = Self {
            subscriber: builder.build().await.map_err(cannot_connect)?,
            admin: admin.build().await.map_err(cannot_connect)?,
            name,
            address: emulator.unwrap_or("pubsub.googleapis.com").to_owned(),
            is_emulator: emulator.is_some(),
        };
        subscription.check().await?;
        Ok(subscription)
    }

    /// Starts to pull.
    pub fn pull(&self, flow_control: FlowControl) -> PullStream {
        PullStream::new(self.clone(), flow_control)
    }

    /// Fails unless Pub/Sub answers and may have the subscription. The client of the stream retries without an end, so that
    /// a server that does not answer looks like a subscription without messages.
    pub async fn check(&self) -> Result<(), SubscriptionError> {
        let Self { admin, name, address, is_emulator, .. } = self;
        let seconds = CHECK_TIMEOUT.as_secs();
        let request = admin.get_subscription().set_subscription(name).with_retry_policy(NeverRetry);
        let error = match timeout(CHECK_TIMEOUT, request.send()).await {
            Ok(Ok(found)) if found.push_config.as_ref().is_some_and(|push| !push.push_endpoint.is_empty()) => {
                return Err(SubscriptionError(format!("{name} is a push subscription: create a pull subscription of its topic")));
            }
            Ok(Ok(_)) => return Ok(()),
            Ok(Err(error)) => error,
            Err(_) => return Err(SubscriptionError(format!("Pub/Sub at {address} did not answer within {seconds} s"))),
        };
        let causes = || with_causes(&error);
        Err(SubscriptionError(match error.status().map(|status| status.code) {
            // To pull needs another permission than to look, and a server may have no other method than to pull.
            Some(Code::PermissionDenied | Code::Unimplemented) => return Ok(()),
            Some(Code::NotFound) => format!("{name} does not exist at {address}: {}", causes()),
            Some(Code::Unauthenticated) => format!("Pub/Sub at {address} rejected the credentials: {}", causes()),
            // An emulator may speak gRPC only.
            None if *is_emulator && is_listening(address).await => return Ok(()),
            _ => format!("cannot reach Pub/Sub at {address}: {}", causes()),
        }))
    }
}

/// Whether a server accepts connections at the address.
async fn is_listening(address: &str) -> bool {
    let Ok(url) = url::Url::parse(address) else { return false };
    let Some((host, port)) = url.host_str().zip(url.port_or_known_default()) else { return false };
    let host = host.trim_matches(['[', ']']);
    matches!(timeout(CHECK_TIMEOUT, TcpStream::connect((host, port))).await, Ok(Ok(_)))
}
