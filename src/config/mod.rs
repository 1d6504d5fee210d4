//! Settings: flags and environment variables of the same names. Only this folder reads them.
//!
//! ```text
//! settings (the table) ── raw_settings (texts, by clap) ── values (checked one by one) ── service, operator, deployment
//!     └── generated (documentation and deployment files)                              (checked together)
//! ```
//!
//! A leaf: it imports value types of `decode` and `table_limit`, and nothing else of this crate.

mod auth;
mod decode;
mod deployment;
mod endpoints;
#[cfg(test)]
mod generated;
mod logging;
mod operator;
mod parse;
mod privacy;
mod problems;
mod raw_settings;
mod service;
pub mod setting;
pub mod settings;
mod signing;
mod table_limit;
mod values;

pub use auth::PushAuth;
pub use decode::DecodeConfig;
pub use deployment::Deployment;
pub use operator::Operator;
#[cfg(feature = "query")]
pub(crate) use parse::address as parse_address;
pub use problems::Problems;
pub use raw_settings::{RawSettings, SettingArgs};
pub use service::{Config, Location, TemplateSettings};
pub use values::Values;

use setting::Command;

/// The settings of `serve`.
pub type ServeArgs = SettingArgs<{ Command::Serve as u8 }>;
/// The settings of `local`.
pub type LocalArgs = SettingArgs<{ Command::Local as u8 }>;
/// The settings of `explain`.
pub type ExplainArgs = SettingArgs<{ Command::Explain as u8 }>;
/// The settings of `sign`.
pub type SignArgs = SettingArgs<{ Command::Sign as u8 }>;
/// The settings of `check`.
pub type CheckArgs = SettingArgs<{ Command::Check as u8 }>;
/// The settings of `replay`.
pub type ReplayArgs = SettingArgs<{ Command::Replay as u8 }>;
/// The settings of `forget`.
pub type ForgetArgs = SettingArgs<{ Command::Forget as u8 }>;
