use std::{fmt, sync::Arc};

use async_trait::async_trait;
use qws_http::Clock;

use crate::{
    AuthError, AuthRequest, Host,
    access_token::AccessToken,
    text::guid,
    tokens::{TokenSource, Tokens, token_credential},
    workload_identity,
};

mod answer;
mod app_service;
mod arc;
mod cloud_shell;
mod endpoint;
mod hosting;
mod imds;
mod machine_learning;
mod service_fabric;

use hosting::Hosting;

/// The identity that Azure gives to the machine or app the program runs on: there is no secret to keep.
///
/// Works on virtual machines (and what runs on them with the instance metadata service), App Service, Functions,
/// Container Apps, AKS with workload identity, servers with Azure Arc, Azure Machine Learning, Cloud Shell and Service
/// Fabric. Which one it is, is found from the environment, in the order of the official clients.
///
/// ```
/// use qws_auth::ManagedIdentity;
///
/// let identity = ManagedIdentity::system();
/// # let _ = identity;
/// ```
///
/// A request for a user-assigned identity is never served by another one: Cloud Shell and Service Fabric, which cannot
/// be asked for one, refuse it, and an answer that names another identity is thrown away.
///
/// Variables, all set by the host itself: `IDENTITY_ENDPOINT` with `IDENTITY_HEADER` (App Service, Functions, Container
/// Apps), with `IDENTITY_SERVER_THUMBPRINT` too (Service Fabric), with `IMDS_ENDPOINT` (Azure Arc); `MSI_ENDPOINT` with
/// `MSI_SECRET` (Machine Learning) or alone (Cloud Shell); `AZURE_POD_IDENTITY_AUTHORITY_HOST` (another address for the
/// metadata service). No proxy is ever used. On a virtual machine a service that is being updated (410) is waited for,
/// up to 75 s in all, as its documentation asks.
#[derive(Debug, Clone)]
pub struct ManagedIdentity {
    tokens: Tokens<Source>,
}

/// Which identity is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Identity {
    System,
    Client(String),
    Object(String),
    Resource(String),
}

#[derive(Clone)]
struct Source {
    identity: Identity,
    host: Host,
    imds: Arc<imds::State>,
    workloads: bool,
}

impl ManagedIdentity {
    /// The system-assigned identity.
    #[must_use]
    pub fn system() -> Self {
        Self::new(Identity::System)
    }

    /// The user-assigned identity with this client id.
    ///
    /// # Errors
    /// [`crate::AuthErrorKind::InvalidInput`] unless it is a GUID.
    pub fn by_client_id(id: &str) -> Result<Self, AuthError> {
        Ok(Self::new(Identity::Client(guid("client id of the managed identity", id)?)))
    }

    /// The user-assigned identity with this object id (also called principal id).
    ///
    /// # Errors
    /// [`crate::AuthErrorKind::InvalidInput`] unless it is a GUID.
    pub fn by_object_id(id: &str) -> Result<Self, AuthError> {
        Ok(Self::new(Identity::Object(guid("object id of the managed identity", id)?)))
    }

    /// The user-assigned identity with this Azure resource id
    /// (`/subscriptions/.../providers/Microsoft.ManagedIdentity/userAssignedIdentities/NAME`).
    ///
    /// # Errors
    /// [`crate::AuthErrorKind::InvalidInput`] unless it looks like one.
    pub fn by_resource_id(id: &str) -> Result<Self, AuthError> {
        let id = id.trim();
        let kind = "/providers/microsoft.managedidentity/userassignedidentities/";
        let lower = id.to_ascii_lowercase();
        if !lower.starts_with("/subscriptions/") || !lower.contains(kind) || id.chars().any(char::is_control)
        {
            return Err(AuthError::invalid(
                "the resource id of the managed identity must read /subscriptions/.../resourceGroups/.../providers/Microsoft.ManagedIdentity/userAssignedIdentities/NAME",
            ));
        }
        Ok(Self::new(Identity::Resource(id.to_owned())))
    }

    fn new(identity: Identity) -> Self {
        let (host, imds) = (Host::from_process(), Arc::default());
        Self { tokens: Tokens::new(Source { identity, host, imds, workloads: true }) }
    }

    /// Uses this environment, clock and network.
    #[must_use]
    pub fn with_host(self, host: Host) -> Self {
        let tokens = self.tokens.reconfigured(|source| {
            source.host = host;
            source.imds = Arc::default();
        });
        Self { tokens }
    }

    /// Leaves the workload identity of a cluster to the credential of that name, as in the default chain.
    pub(crate) fn without_workloads(self) -> Self {
        Self { tokens: self.tokens.reconfigured(|source| source.workloads = false) }
    }
}

token_credential!(ManagedIdentity);

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::System => f.write_str("system-assigned"),
            Self::Client(id) => write!(f, "client id {id}"),
            Self::Object(id) => write!(f, "object id {id}"),
            Self::Resource(id) => write!(f, "resource id {id}"),
        }
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ManagedIdentity").field("identity", &self.identity).finish_non_exhaustive()
    }
}

#[async_trait]
impl TokenSource for Source {
    fn describe(&self) -> String {
        format!("managed identity ({})", self.identity)
    }

    fn clock(&self) -> Arc<dyn Clock> {
        self.host.clock().clone()
    }

    async fn token(&self, request: &AuthRequest) -> Result<AccessToken, AuthError> {
        let (host, identity) = (&self.host, &self.identity);
        let hosting = Hosting::detect(host, identity, self.workloads)?;
        if let Hosting::Workload { client_id } = hosting {
            return workload_identity::Source::new(host.clone(), client_id).token(request).await;
        }
        if request.claims().is_some() {
            let text = "a managed identity cannot be asked for a token with claims";
            return Err(AuthError::unsupported(text));
        }
        let resource = crate::text::resource(request.audience().scope());
        match hosting {
            Hosting::AppService { endpoint, header } => {
                app_service::token(host, &endpoint, &header, identity, resource).await
            }
            Hosting::ServiceFabric { endpoint, header, thumbprint } => {
                service_fabric::token(host, &endpoint, &header, &thumbprint, identity, resource).await
            }
            Hosting::Arc { endpoint } => arc::token(host, &endpoint, identity, resource).await,
            Hosting::MachineLearning { endpoint, secret } => {
                machine_learning::token(host, &endpoint, &secret, identity, resource).await
            }
            Hosting::CloudShell { endpoint } => cloud_shell::token(host, &endpoint, identity, resource).await,
            Hosting::Workload { .. } | Hosting::Imds => {
                imds::token(host, &self.imds, identity, resource, request.is_in_chain()).await
            }
        }
    }
}
