#![doc = include_str!("../README.md")]

mod address;
#[cfg(feature = "files")]
mod azure_cli;
mod caret;
mod cloud;
mod connection_string;
mod endpoint;
mod error;
#[cfg(feature = "files")]
mod files;
mod kind;
mod location;
mod names;
mod plain;
#[cfg(feature = "files")]
mod profile;
mod resource_id;
mod secret;
mod serde_text;
mod settings;
mod storage_account;
mod strict_url;
mod text;

pub use address::WorkspaceAddress;
#[cfg(feature = "files")]
pub use azure_cli::{AzureCli, AzureCliError};
pub use cloud::{Cloud, CloudUrl};
pub use connection_string::ConnectionString;
pub use endpoint::Endpoint;
pub use error::{ParseError, ParseErrorKind, Part};
#[cfg(feature = "files")]
pub use files::Files;
pub use kind::WorkspaceKind;
pub use location::Location;
pub use names::{ResourceGroup, SubscriptionId, TenantId, WorkspaceName};
#[cfg(feature = "files")]
pub use profile::{ProfileError, ProfileErrorKind, Profiles};
pub use resource_id::ResourceId;
pub use secret::Secret;
pub use settings::{
    Explained, Explanation, Ignored, Resolution, Resolved, Settings, SettingsError, Source, variables,
};
pub use storage_account::StorageAccount;

/// The guide for users; its examples are tests of this crate.
#[cfg(all(doctest, feature = "files"))]
#[doc = include_str!("../../../docs/connect.md")]
struct ConnectGuide;
