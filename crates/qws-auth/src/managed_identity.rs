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
mod imds;

/// The identity that Azure gives to the machine or app the program runs on: there is no secret to keep.
///
/// Works on virtual machines (and what runs on them with the instance metadata service), App Service, Functions,
/// Container Apps, and AKS with workload identity. Which one it is, is found from the environment, in the order of the official clients.
///
/// ```
/// use qws_auth::ManagedIdentity;
///
/// let identity = ManagedIdentity::system();
/// # let _ = identity;
/// ```
///
/// Variables: `IDENTITY_ENDPOINT` and `IDENTITY_HEADER` (set by App Service, Functions and Container Apps),
/// `AZURE_POD_IDENTITY_AUTHORITY_HOST` (another address for the metadata service). No proxy is ever used. On a virtual
/// machine a service that is being updated (410) is waited for, up to 75 s in all, as its documentation asks.
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

/// What a cluster sets for its workloads.
const WORKLOAD: [&str; 3] = ["AZURE_AUTHORITY_HOST", "AZURE_TENANT_ID", "AZURE_FEDERATED_TOKEN_FILE"];

/// Who gives out the tokens here.
enum Hosting {
    AppService { endpoint: String, header: qws_config::Secret },
    Workload { client_id: Option<String> },
    Imds,
}

impl Source {
    /// The order is that of `azure-identity` for Python; an empty variable counts as not set.
    fn hosting(&self) -> Result<Hosting, AuthError> {
        let set = |name| self.host.variable(name);
        let lacking = |name: &str| {
            Err(AuthError::unavailable(format!("the managed identity of {name} is not supported yet")))
        };
        if let Some(endpoint) = set("IDENTITY_ENDPOINT") {
            return match set("IDENTITY_HEADER") {
                Some(_) if set("IDENTITY_SERVER_THUMBPRINT").is_some() => lacking("Service Fabric"),
                Some(header) => Ok(Hosting::AppService { endpoint, header: header.into() }),
                None if set("IMDS_ENDPOINT").is_some() => lacking("Azure Arc"),
                None => Err(AuthError::unavailable(
                    "IDENTITY_ENDPOINT is set, but IDENTITY_HEADER is not: this is no known host of managed identities",
                )),
            };
        }
        match (set("MSI_ENDPOINT"), set("MSI_SECRET")) {
            (Some(_), Some(_)) => lacking("Azure Machine Learning"),
            (Some(_), None) => lacking("Cloud Shell"),
            _ if self.workloads && WORKLOAD.iter().all(|name| set(name).is_some()) => match &self.identity {
                Identity::System => Ok(Hosting::Workload { client_id: None }),
                Identity::Client(id) => Ok(Hosting::Workload { client_id: Some(id.clone()) }),
                _ => Err(AuthError::unsupported(
                    "a workload identity is named by its client id, not by object or resource id",
                )),
            },
            _ => Ok(Hosting::Imds),
        }
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
        let hosting = self.hosting()?;
        if let Hosting::Workload { client_id } = hosting {
            return workload_identity::Source::new(self.host.clone(), client_id).token(request).await;
        }
        if request.claims().is_some() {
            let text = "a managed identity cannot be asked for a token with claims";
            return Err(AuthError::unsupported(text));
        }
        let resource = crate::text::resource(request.audience().scope());
        match hosting {
            Hosting::AppService { endpoint, header } => {
                app_service::token(&self.host, &endpoint, &header, &self.identity, resource).await
            }
            _ => imds::token(&self.host, &self.imds, &self.identity, resource, request.is_in_chain()).await,
        }
    }
}

/// `base?api-version=..&resource=..` and the parameter that names the identity.
fn token_url(
    base: &str,
    version: &str,
    resource: &str,
    identity: Option<(&str, &str)>,
) -> Result<String, AuthError> {
    let parsed = url::Url::parse(base).ok();
    // With user information in it, libraries below us would log a secret.
    let mut url =
        parsed.filter(|url| url.username().is_empty() && url.password().is_none()).ok_or_else(|| {
            AuthError::invalid("the address of the managed identity endpoint is not a plain URL").with_hint(
                "look at IDENTITY_ENDPOINT and AZURE_POD_IDENTITY_AUTHORITY_HOST in the environment",
            )
        })?;
    url.set_fragment(None);
    url.query_pairs_mut()
        .clear()
        .append_pair("api-version", version)
        .append_pair("resource", resource)
        .extend_pairs(identity);
    Ok(url.into())
}
