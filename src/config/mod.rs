//! Settings: flags and environment variables of the same names. Only this folder reads them.
//!
//! ```text
//! settings (the table) ── raw_settings (texts, by clap) ── values (checked one by one) ── service, operator, deployment
//!     └── generated (documentation and deployment files)                              (checked together)
//! ```
//!
//! It imports value types of `decode`, `google`, `table_limit` and `telemetry`, and nothing else of the product.

mod auth;
pub mod command;
mod decode;
mod deployment;
mod endpoints;
#[cfg(test)]
mod generated;
mod key_secrets;
mod logging;
mod operator;
mod parse;
mod pixel;
mod privacy;
mod problems;
#[cfg(feature = "pubsub")]
mod pull;
mod raw_settings;
mod service;
pub mod setting;
pub mod settings;
mod signing;
#[cfg(feature = "pubsub")]
mod subscription;
mod table_limit;
mod values;

pub use auth::PushAuth;
pub use decode::DecodeConfig;
pub use deployment::Deployment;
pub use operator::Operator;
#[cfg(feature = "query")]
pub(crate) use parse::{address as parse_address, identifier as parse_identifier};
pub use problems::Problems;
#[cfg(feature = "pubsub")]
pub use pull::PullConfig;
pub use raw_settings::{RawSettings, SettingArgs};
#[cfg(feature = "query")]
pub(crate) use service::check_project;
pub use service::{Config, Location, TemplateSettings};
#[cfg(feature = "pubsub")]
pub use subscription::SubscriptionName;
pub use values::Values;

/// The settings of `serve`.
pub type ServeArgs = SettingArgs<{ command::Command::Serve as u8 }>;
/// The settings of `pixel`.
pub type PixelArgs = SettingArgs<{ command::Command::Pixel as u8 }>;
/// The settings of `pull`.
#[cfg(feature = "pubsub")]
pub type PullArgs = SettingArgs<{ command::Command::Pull as u8 }>;
