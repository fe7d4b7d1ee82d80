#![doc = include_str!("../README.md")]

mod access_token;
mod adapter;
mod api_key;
mod authority;
mod authorizer;
mod challenge;
mod credential;
mod error;
mod host;
mod managed_identity;
mod official;
mod report;
mod static_credential;
mod text;
mod tokens;

pub use adapter::TokenCredentialAdapter;
pub use api_key::ApiKey;
pub use authorizer::Authorizer;
pub use challenge::Challenge;
#[cfg(any(test, feature = "mock"))]
pub use credential::MockCredential;
pub use credential::{Audience, AuthRequest, Authorization, Credential};
pub use error::{AuthError, AuthErrorKind};
pub use host::Host;
pub use managed_identity::ManagedIdentity;
pub use report::{ChainReport, ChainStep, StepOutcome};
pub use static_credential::StaticCredential;
