//! Every credential against servers and programs that check what they are asked and answer as the real ones do.
#![allow(clippy::unwrap_used, reason = "all of it is tests")]

#[cfg(target_os = "linux")]
mod arc;
mod browser;
mod canary;
#[cfg(feature = "certificate")]
mod certificate;
#[cfg(unix)]
mod default_credential;
mod device_code;
mod entra;
mod hosts;
mod log;
mod managed_identity;
mod pipelines;
mod server;
mod service;
mod service_fabric;
#[cfg(unix)]
mod token_cache;
#[cfg(unix)]
mod tools;

use std::{collections::HashMap, sync::Arc};

use azure_core::time::OffsetDateTime;
use qws_auth::{Audience, AuthError, AuthRequest, Credential, Host};
use qws_http::ManualClock;

/// A clock on which waits between attempts end at once.
fn clock() -> ManualClock {
    ManualClock::skipping(OffsetDateTime::from_unix_timestamp(1_800_000_000).unwrap())
}

/// A host with these variables and no others.
fn host(variables: &[(&str, &str)]) -> Host {
    let variables: HashMap<String, String> =
        variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let host = Host::new(move |name| variables.get(name).cloned());
    host.with_clock(Arc::new(clock())).with_system_root("/nonexistent").with_terminal(false)
}

fn quantum() -> AuthRequest {
    AuthRequest::new(Audience::QUANTUM)
}

/// The value of the header that the credential makes for the data plane.
async fn header(credential: &dyn Credential) -> Result<String, AuthError> {
    let mut headers = http::HeaderMap::new();
    credential.authorize(&quantum()).await?.apply(&mut headers);
    let (_, value) = headers.iter().next().unwrap();
    Ok(value.to_str().unwrap().to_owned())
}

#[test]
fn every_credential_with_a_token_serves_official_clients_and_crosses_threads() {
    fn official<T: azure_core::credentials::TokenCredential + Credential + Clone + 'static>() {}
    official::<qws_auth::ManagedIdentity>();
    official::<qws_auth::ServicePrincipal>();
    official::<qws_auth::EnvironmentCredential>();
    official::<qws_auth::WorkloadIdentity>();
    official::<qws_auth::AzureCli>();
    official::<qws_auth::AzureDeveloperCli>();
    official::<qws_auth::AzurePowerShell>();
    official::<qws_auth::AzurePipelines>();
    official::<qws_auth::DeviceCode>();
    official::<qws_auth::InteractiveBrowser>();
    official::<qws_auth::Chain>();
    official::<qws_auth::DefaultCredential>();
    official::<qws_auth::StaticCredential>();
}
