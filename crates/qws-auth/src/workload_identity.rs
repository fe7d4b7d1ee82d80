use std::{
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
};

use async_trait::async_trait;
use qws_config::{Secret, TenantId};
use qws_http::Clock;

use crate::{
    AuthError, AuthRequest, Host,
    access_token::AccessToken,
    entra::{Application, Proof, client_credentials},
    files::{self, FileError, Links},
    tenants::Tenants,
    text::shown,
    tokens::{TokenSource, Tokens, token_credential},
};

/// The longest file that is taken for a token.
const FILE_LIMIT_BYTES: u64 = 64 * 1024;

/// The identity of a Kubernetes service account, exchanged for one of Entra ID (AKS workload identity).
///
/// Variables, which the cluster's webhook sets: `AZURE_TENANT_ID`, `AZURE_CLIENT_ID`, `AZURE_FEDERATED_TOKEN_FILE`,
/// `AZURE_AUTHORITY_HOST`. What is given in code wins. The cluster replaces the file's content from time to time; it
/// is read anew for each token.
///
/// ```
/// let credential = qws_auth::WorkloadIdentity::new();
/// ```
#[derive(Debug, Clone)]
pub struct WorkloadIdentity {
    tokens: Tokens<Source>,
}

#[derive(Clone)]
pub(crate) struct Source {
    host: Host,
    tenants: Tenants,
    client_id: Option<String>,
    file: Option<PathBuf>,
}

impl WorkloadIdentity {
    /// Takes what the environment says.
    #[must_use]
    pub fn new() -> Self {
        Self { tokens: Tokens::new(Source::new(Host::from_process(), None)) }
    }

    /// Uses this environment, clock and network.
    #[must_use]
    pub fn with_host(self, host: Host) -> Self {
        Self { tokens: self.tokens.reconfigured(|source| source.host = host) }
    }

    /// The tenant of the application, in place of `AZURE_TENANT_ID`.
    #[must_use]
    pub fn with_tenant(self, tenant: TenantId) -> Self {
        Self { tokens: self.tokens.reconfigured(|source| source.tenants.set_own(tenant)) }
    }

    /// The application's client id, in place of `AZURE_CLIENT_ID`.
    ///
    /// # Errors
    /// [`crate::AuthErrorKind::InvalidInput`] unless it is a GUID.
    pub fn with_client_id(self, client_id: &str) -> Result<Self, AuthError> {
        let id = crate::text::guid("client id of the application", client_id)?;
        Ok(Self { tokens: self.tokens.reconfigured(|source| source.client_id = Some(id)) })
    }

    /// The file with the service account's token, in place of `AZURE_FEDERATED_TOKEN_FILE`.
    #[must_use]
    pub fn with_token_file(self, file: impl Into<PathBuf>) -> Self {
        Self { tokens: self.tokens.reconfigured(|source| source.file = Some(file.into())) }
    }

    /// Gives tokens of this tenant too, when a request asks for one; the application must be known there.
    #[must_use]
    pub fn allow_tenant(self, tenant: TenantId) -> Self {
        Self { tokens: self.tokens.reconfigured(|source| source.tenants.allow(tenant)) }
    }
}

impl Default for WorkloadIdentity {
    fn default() -> Self {
        Self::new()
    }
}

token_credential!(WorkloadIdentity);

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WorkloadIdentity")
            .field("tenant", &self.tenants.own())
            .field("client_id", &self.client_id)
            .field("file", &self.file)
            .finish_non_exhaustive()
    }
}

impl Source {
    pub(crate) fn new(host: Host, client_id: Option<String>) -> Self {
        Self { host, tenants: Tenants::default(), client_id, file: None }
    }

    fn set_up(&self) -> Result<(TenantId, String, PathBuf), AuthError> {
        let variable = |name: &'static str| {
            self.host.variable(name).ok_or_else(|| {
                AuthError::unavailable(format!("workload identity is not set up: {name} is not set"))
                    .with_hint("in AKS, label the pod `azure.workload.identity/use: \"true\"` and name its service account")
            })
        };
        let file = match &self.file {
            Some(file) => file.clone(),
            None => variable("AZURE_FEDERATED_TOKEN_FILE")?.into(),
        };
        let client_id = match &self.client_id {
            Some(id) => id.clone(),
            None => crate::text::guid("client id in AZURE_CLIENT_ID", &variable("AZURE_CLIENT_ID")?)?,
        };
        let tenant = match self.tenants.own() {
            Some(tenant) => tenant.clone(),
            None => crate::environment::tenant(&variable("AZURE_TENANT_ID")?)?,
        };
        Ok((tenant, client_id, file))
    }
}

#[async_trait]
impl TokenSource for Source {
    fn describe(&self) -> String {
        match self.client_id.clone().or_else(|| self.host.variable("AZURE_CLIENT_ID")) {
            Some(id) => format!("workload identity (client id {})", shown(&id, &[])),
            None => "workload identity".into(),
        }
    }

    fn clock(&self) -> Arc<dyn Clock> {
        self.host.clock().clone()
    }

    async fn token(&self, request: &AuthRequest) -> Result<AccessToken, AuthError> {
        let (own, client_id, file) = self.set_up()?;
        let mut tenants = self.tenants.clone();
        tenants.set_own(own.clone());
        let tenant = tenants.choose(&self.host, request.tenant())?.unwrap_or(&own).clone();
        let assertion = read_token(&file).await?;
        let application = Application { tenant, client_id };
        client_credentials(&self.host, &application, request, Proof::Assertion(&assertion)).await
    }
}

/// The file's text without the white space around it. A file that is named but cannot be used is a failure and no
/// absence: a chain must not go on to another identity.
async fn read_token(path: &Path) -> Result<Secret, AuthError> {
    let failed = |what: &str| {
        AuthError::refused(format!("the federated token file {} {what}", path.display()))
            .with_hint("look at AZURE_FEDERATED_TOKEN_FILE and at the pod's projected volume")
    };
    let bytes = files::read(path, FILE_LIMIT_BYTES, Links::Follow).await.map_err(|error| match error {
        FileError::Unreadable(cause) => failed("cannot be read").with_source(cause),
        FileError::NotAFile => failed("is not a file"),
        FileError::TooLong => failed("is longer than 64 KiB"),
    })?;
    let text = std::str::from_utf8(&bytes).map_err(|_| failed("holds no text"))?.trim();
    if text.is_empty() {
        return Err(failed("is empty"));
    }
    Ok(Secret::new(text))
}
