use std::{fmt, sync::Arc};

use async_trait::async_trait;
use qws_config::{Secret, TenantId};
use qws_http::{BoxError, Clock};

use crate::{
    AuthError, AuthRequest, Host, TokenCache,
    access_token::AccessToken,
    entra::{Application, Proof, client_credentials},
    tenants::Tenants,
    token_cache::{Key, Who},
    tokens::{TokenSource, Tokens, token_credential},
};

/// Gives the signed statement with which an application proves who it is, without a secret of its own: a token of
/// GitHub Actions, of a Kubernetes cluster, of another identity provider that the application trusts.
#[cfg_attr(any(test, feature = "mock"), mockall::automock)]
#[async_trait]
pub trait ClientAssertion: fmt::Debug + Send + Sync {
    /// A fresh assertion. Asked for each new token, so it should not keep an old one.
    ///
    /// # Errors
    /// Any, whose texts must hold no secret; it becomes the cause of the [`AuthError`] and stops a chain.
    async fn assertion(&self) -> Result<Secret, BoxError>;
}

/// An application registered in Entra ID, with a secret, with a certificate (feature `certificate`), or with the word
/// of an identity provider that it trusts.
///
/// ```
/// use qws_auth::ServicePrincipal;
///
/// let tenant = "contoso.onmicrosoft.com".parse()?;
/// let client_id = "11111111-2222-3333-4444-555555555555";
/// let credential = ServicePrincipal::with_secret(tenant, client_id, "the secret's value")?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Variables: `AZURE_AUTHORITY_HOST` (another cloud), `AZURE_IDENTITY_DISABLE_MULTITENANTAUTH`.
#[derive(Debug, Clone)]
pub struct ServicePrincipal {
    tokens: Tokens<Source>,
}

#[derive(Clone)]
enum Means {
    Secret(Secret),
    Assertion(Arc<dyn ClientAssertion>),
    #[cfg(feature = "certificate")]
    Certificate(crate::ClientCertificate),
}

#[derive(Clone)]
struct Source {
    host: Host,
    tenants: Tenants,
    tenant: TenantId,
    client_id: String,
    means: Means,
}

impl ServicePrincipal {
    /// Signs in with a client secret.
    ///
    /// # Errors
    /// [`crate::AuthErrorKind::InvalidInput`] if the client id is no GUID or the secret is empty.
    pub fn with_secret(
        tenant: TenantId,
        client_id: &str,
        secret: impl Into<Secret>,
    ) -> Result<Self, AuthError> {
        let secret: Secret = secret.into();
        if secret.expose().is_empty() {
            return Err(AuthError::invalid("the client secret is empty"));
        }
        Self::new(tenant, client_id, Means::Secret(secret))
    }

    /// Signs in with federated assertions.
    ///
    /// # Errors
    /// [`crate::AuthErrorKind::InvalidInput`] if the client id is no GUID.
    pub fn with_assertion(
        tenant: TenantId,
        client_id: &str,
        assertion: impl ClientAssertion + 'static,
    ) -> Result<Self, AuthError> {
        Self::new(tenant, client_id, Means::Assertion(Arc::new(assertion)))
    }

    /// Signs in with a certificate. Only feature `certificate` has it.
    ///
    /// # Errors
    /// [`crate::AuthErrorKind::InvalidInput`] if the client id is no GUID.
    #[cfg(feature = "certificate")]
    pub fn with_certificate(
        tenant: TenantId,
        client_id: &str,
        certificate: crate::ClientCertificate,
    ) -> Result<Self, AuthError> {
        Self::new(tenant, client_id, Means::Certificate(certificate))
    }

    fn new(tenant: TenantId, client_id: &str, means: Means) -> Result<Self, AuthError> {
        let client_id = crate::text::guid("client id of the application", client_id)?;
        let tenants = Tenants::of(tenant.clone());
        let source = Source { host: Host::from_process(), tenants, tenant, client_id, means };
        Ok(Self { tokens: Tokens::new(source) })
    }

    /// Uses this environment, clock and network.
    #[must_use]
    pub fn with_host(self, host: Host) -> Self {
        Self { tokens: self.tokens.reconfigured(|source| source.host = host) }
    }

    /// Gives tokens of this tenant too, when a request asks for one; the application must be known there.
    #[must_use]
    pub fn allow_tenant(self, tenant: TenantId) -> Self {
        Self { tokens: self.tokens.reconfigured(|source| source.tenants.allow(tenant)) }
    }

    /// Gives tokens of any tenant that a request asks for.
    #[must_use]
    pub fn allow_any_tenant(self) -> Self {
        Self { tokens: self.tokens.reconfigured(|source| source.tenants.allow_any()) }
    }
}

token_credential!(ServicePrincipal);

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServicePrincipal")
            .field("tenant", &self.tenant)
            .field("client_id", &self.client_id)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl TokenSource for Source {
    fn describe(&self) -> String {
        let means = match self.means {
            Means::Secret(_) => "secret",
            Means::Assertion(_) => "assertion",
            #[cfg(feature = "certificate")]
            Means::Certificate(_) => "certificate",
        };
        format!("service principal by {means} (client id {}, tenant {})", self.client_id, self.tenant)
    }

    fn clock(&self) -> Arc<dyn Clock> {
        self.host.clock().clone()
    }

    fn stored(&self, request: &AuthRequest) -> Option<(TokenCache, Key)> {
        let cache = self.host.token_cache()?.clone();
        let tenant = self.tenants.choose(&self.host, request.tenant()).ok()?.unwrap_or(&self.tenant);
        let scope = request.audience().scope();
        let key = Key::new(&self.host, Who::Application, tenant, &self.client_id, scope).ok()?;
        Some((cache, key))
    }

    async fn token(&self, request: &AuthRequest) -> Result<AccessToken, AuthError> {
        let tenant = self.tenants.choose(&self.host, request.tenant())?.unwrap_or(&self.tenant).clone();
        let application = Application { tenant, client_id: self.client_id.clone() };
        match &self.means {
            Means::Secret(secret) => {
                client_credentials(&self.host, &application, request, Proof::Secret(secret)).await
            }
            Means::Assertion(source) => {
                let assertion = source.assertion().await.map_err(|error| {
                    AuthError::refused("the source of the client assertion failed").with_source(error)
                })?;
                client_credentials(&self.host, &application, request, Proof::Assertion(&assertion)).await
            }
            #[cfg(feature = "certificate")]
            Means::Certificate(certificate) => {
                crate::certificate::token(&self.host, &application, request, certificate).await
            }
        }
    }
}
