#![doc = include_str!("../README.md")]

mod adapter;
mod api_key;
mod authorizer;
mod challenge;
mod credential;
mod error;

pub use adapter::TokenCredentialAdapter;
pub use api_key::ApiKey;
pub use authorizer::Authorizer;
pub use challenge::Challenge;
#[cfg(any(test, feature = "mock"))]
pub use credential::MockCredential;
pub use credential::{Audience, AuthRequest, Authorization, Credential};
pub use error::{AuthError, AuthErrorKind};
