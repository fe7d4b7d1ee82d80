//! Which Azure Quantum workspace a program talks to: connection strings, resource ids, settings and their precedence.
//!
//! No async, no network; the environment is read only through a lookup function that the caller gives.

mod address;
mod connection_string;
mod endpoint;
mod error;
mod location;
mod names;
mod resource_id;
mod secret;
mod serde_text;
mod strict_url;
mod text;

pub use address::{WorkspaceAddress, WorkspaceKind};
pub use connection_string::ConnectionString;
pub use endpoint::Endpoint;
pub use error::{ParseError, ParseErrorKind, Part};
pub use location::Location;
pub use names::{ResourceGroup, SubscriptionId, TenantId, WorkspaceName};
pub use resource_id::ResourceId;
pub use secret::Secret;
