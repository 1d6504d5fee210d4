//! A pull subscription of Pub/Sub: Google's clients for it, and whether Pub/Sub has it.

use std::io;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::FutureExt as _;
use futures_util::stream::{StreamExt as _, unfold};
use google_cloud_auth::credentials::anonymous::Builder as Anonymous;
use google_cloud_gax::error::rpc::Code;
use google_cloud_gax::options::RequestOptionsBuilder as _;
use google_cloud_gax::retry_policy::NeverRetry;
use google_cloud_pubsub::client::{Subscriber, SubscriptionAdmin};
use google_cloud_pubsub::subscriber::{MessageStream, ShutdownBehavior};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::client::{OpenedStream, PullClient};
use super::message::PulledMessage;
use super::stream::FlowControl;
use crate::telemetry::with_causes;

/// The lease of a message, which the client extends. After the end of a process without a shutdown, Pub/Sub delivers its
/// messages again after this time, and Google's emulator after twice this time: the default of `--idle` is longer. The minimum
/// of Pub/Sub.
const LEASE: Duration = Duration::from_secs(10);
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
    subscriber: Subscriber,
    admin: SubscriptionAdmin,
    name: String,
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
}

#[async_trait]
impl PullClient for Subscription {
    fn name(&self) -> &str {
        &self.name
    }

    fn open(&self, flow_control: FlowControl) -> OpenedStream {
        let limit = |limit: usize| i64::try_from(limit).unwrap_or(i64::MAX);
        let stream = self
            .subscriber
            .subscribe(&self.name)
            .set_max_outstanding_messages(limit(flow_control.messages))
            .set_max_outstanding_bytes(limit(flow_control.bytes))
            .set_max_lease(Duration::MAX)
            .set_max_lease_extension(LEASE)
            .set_shutdown_behavior(ShutdownBehavior::WaitForProcessing)
            .build();
        let token = stream.shutdown_token();
        let next = |mut stream: MessageStream| async move {
            let message = stream.next().await?.map(|(message, handler)| PulledMessage::new(message, handler.delivery_attempt(), handler));
            Some((message, stream))
        };
        OpenedStream { messages: unfold(stream, next).boxed(), shutdown: async move { token.shutdown().await }.boxed() }
    }

    async fn check(&self) -> Result<(), SubscriptionError> {
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
