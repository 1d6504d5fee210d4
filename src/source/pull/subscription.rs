//! A pull subscription: the clients for it, and whether Pub/Sub has it.

use std::io;
use std::time::Duration;

use google_cloud_auth::credentials::anonymous::Builder as Anonymous;
use google_cloud_gax::error::rpc::Code;
use google_cloud_gax::options::RequestOptionsBuilder as _;
use google_cloud_gax::retry_policy::NeverRetry;
use google_cloud_pubsub::client::{Subscriber, SubscriptionAdmin};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::stream::{FlowControl, PullStream};
use crate::telemetry::with_causes;

/// Maximum time to ask Pub/Sub for the subscription.
const CHECK_TIMEOUT: Duration = Duration::from_secs(10);
/// The preface of a connection and an empty SETTINGS frame. <https://www.rfc-editor.org/rfc/rfc9113#section-3.4>
const HTTP2_START: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
const HTTP2_FRAME_HEADER_BYTES: usize = 9;
/// The type of the frame that a server sends first. It is the fourth byte.
const HTTP2_SETTINGS: u8 = 4;

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
            None if *is_emulator && speaks_http2(address).await => return Ok(()),
            _ => format!("cannot reach Pub/Sub at {address}: {}", causes()),
        }))
    }
}

/// Whether a server at the address answers the start of an HTTP/2 connection, as gRPC needs it. It need not know a method.
async fn speaks_http2(address: &str) -> bool {
    let Ok(url) = url::Url::parse(address) else { return false };
    let Some((host, port)) = url.host_str().zip(url.port_or_known_default()) else { return false };
    let host = host.trim_matches(['[', ']']);
    let exchange = async {
        let mut connection = TcpStream::connect((host, port)).await?;
        connection.write_all(HTTP2_START).await?;
        let mut frame = [0; HTTP2_FRAME_HEADER_BYTES];
        connection.read_exact(&mut frame).await?;
        io::Result::Ok(frame[3] == HTTP2_SETTINGS)
    };
    matches!(timeout(CHECK_TIMEOUT, exchange).await, Ok(Ok(true)))
}
