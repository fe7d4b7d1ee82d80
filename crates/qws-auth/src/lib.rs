#![doc = include_str!("../README.md")]

mod access_token;
mod adapter;
mod api_key;
mod authority;
mod authorizer;
mod azure_cli;
mod azure_developer_cli;
mod azure_pipelines;
mod azure_powershell;
mod browser;
#[cfg(feature = "certificate")]
mod certificate;
mod chain;
mod challenge;
mod credential;
mod default_credential;
mod device_code;
mod entra;
mod environment;
mod error;
mod files;
mod host;
mod managed_identity;
mod official;
mod person;
mod report;
mod service_principal;
mod static_credential;
mod subscription;
mod tenants;
mod text;
mod token_cache;
mod tokens;
mod tool;
mod workload_identity;

pub use adapter::TokenCredentialAdapter;
pub use api_key::ApiKey;
pub use authorizer::Authorizer;
pub use azure_cli::AzureCli;
pub use azure_developer_cli::AzureDeveloperCli;
pub use azure_pipelines::AzurePipelines;
pub use azure_powershell::AzurePowerShell;
pub use browser::InteractiveBrowser;
#[cfg(feature = "certificate")]
pub use certificate::ClientCertificate;
pub use chain::Chain;
pub use challenge::Challenge;
#[cfg(any(test, feature = "mock"))]
pub use credential::MockCredential;
pub use credential::{Audience, AuthRequest, Authorization, Credential};
pub use default_credential::{CredentialName, DefaultCredential, DefaultCredentialBuilder};
pub use device_code::{DeviceCode, DeviceCodePrompt};
pub use environment::EnvironmentCredential;
pub use error::{AuthError, AuthErrorKind};
pub use host::Host;
pub use managed_identity::ManagedIdentity;
pub use qws_config::{Secret, SubscriptionId, TenantId};
pub use qws_http::BoxError;
pub use report::{ChainReport, ChainStep, StepOutcome};
#[cfg(any(test, feature = "mock"))]
pub use service_principal::MockClientAssertion;
pub use service_principal::{ClientAssertion, ServicePrincipal};
pub use static_credential::StaticCredential;
pub use subscription::{RESOURCE_MANAGER, tenant_of_subscription};
pub use token_cache::TokenCache;
pub use workload_identity::WorkloadIdentity;

/// The guides' code, compiled.
#[cfg(doctest)]
mod guides {
    #[doc = include_str!("../../../docs/managed-identity.md")]
    struct ManagedIdentity;

    #[doc = include_str!("../../../docs/sign-in.md")]
    struct SignIn;
}
