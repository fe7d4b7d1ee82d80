use std::{borrow::Cow, fmt, sync::Arc};

use async_trait::async_trait;
use azure_core::time::OffsetDateTime;
use http::{HeaderMap, HeaderName, HeaderValue, header::AUTHORIZATION};
use qws_config::{Secret, TenantId};
use zeroize::Zeroizing;

use crate::{AuthError, AuthErrorKind, Challenge};

/// The header that carries an API key on every data-plane request, in place of `Authorization`.
const API_KEY_HEADER: HeaderName = HeaderName::from_static("x-ms-quantum-api-key");

/// What a request is for: the service whose door is to be opened, named by its token scope.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Audience {
    scope: Cow<'static, str>,
}

impl Audience {
    /// The data plane of Azure Quantum workspaces.
    pub const QUANTUM: Self = Self { scope: Cow::Borrowed("https://quantum.microsoft.com/.default") };

    /// Azure Resource Manager and Resource Graph in the public cloud.
    pub const RESOURCE_MANAGER: Self = Self { scope: Cow::Borrowed("https://management.azure.com/.default") };

    /// Any other service, by its token scope, for example `https://vault.azure.net/.default`.
    #[must_use]
    pub fn from_scope(scope: impl Into<String>) -> Self {
        Self { scope: Cow::Owned(scope.into()) }
    }

    /// The token scope.
    #[must_use]
    pub fn scope(&self) -> &str {
        &self.scope
    }
}

/// What a credential is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthRequest {
    audience: Audience,
    tenant: Option<TenantId>,
    claims: Option<String>,
    in_chain: bool,
}

impl AuthRequest {
    /// A request for this audience, in the credential's own tenant.
    #[must_use]
    pub fn new(audience: Audience) -> Self {
        Self { audience, tenant: None, claims: None, in_chain: false }
    }

    /// Asks for a token of this tenant.
    #[must_use]
    pub fn with_tenant(mut self, tenant: Option<TenantId>) -> Self {
        self.tenant = tenant;
        self
    }

    /// Asks for a token that satisfies these claims (the JSON text that a service's claims challenge carried).
    #[must_use]
    pub fn with_claims(mut self, claims: Option<String>) -> Self {
        self.claims = claims;
        self
    }

    /// Marks the request as a chain's, which has other credentials to try: one that is not present on this machine
    /// should say so fast.
    #[must_use]
    pub(crate) fn in_chain(mut self) -> Self {
        self.in_chain = true;
        self
    }

    pub(crate) fn is_in_chain(&self) -> bool {
        self.in_chain
    }

    /// The audience.
    #[must_use]
    pub fn audience(&self) -> &Audience {
        &self.audience
    }

    /// The tenant, where one was asked for.
    #[must_use]
    pub fn tenant(&self) -> Option<&TenantId> {
        self.tenant.as_ref()
    }

    /// The claims as JSON text, where a service asked for some.
    #[must_use]
    pub fn claims(&self) -> Option<&str> {
        self.claims.as_deref()
    }
}

/// The one header that lets a request through.
#[derive(Clone, PartialEq, Eq)]
pub struct Authorization {
    name: HeaderName,
    value: HeaderValue,
    expires_on: Option<OffsetDateTime>,
}

impl Authorization {
    /// `x-ms-quantum-api-key: KEY`.
    ///
    /// # Errors
    /// [`AuthErrorKind::InvalidInput`] if the key cannot stand in a header.
    pub fn api_key(key: &Secret) -> Result<Self, AuthError> {
        Self::new(API_KEY_HEADER, key.expose())
    }

    /// `Authorization: Bearer TOKEN`.
    ///
    /// # Errors
    /// [`AuthErrorKind::InvalidInput`] if the token cannot stand in a header.
    pub fn bearer(token: &str) -> Result<Self, AuthError> {
        Self::new(AUTHORIZATION, &Zeroizing::new(format!("Bearer {token}")))
    }

    fn new(name: HeaderName, text: &str) -> Result<Self, AuthError> {
        let mut value = HeaderValue::from_str(text).map_err(|_| {
            AuthError::new(
                AuthErrorKind::InvalidInput,
                "the secret holds a character that cannot stand in a header",
            )
            .with_hint("copy it again; a line break at its end is the usual cause")
        })?;
        value.set_sensitive(true);
        Ok(Self { name, value, expires_on: None })
    }

    /// Says when the service will stop taking it.
    #[must_use]
    pub fn with_expiry(mut self, expires_on: OffsetDateTime) -> Self {
        self.expires_on = Some(expires_on);
        self
    }

    /// When the service will stop taking it, where that is known.
    #[must_use]
    pub fn expires_on(&self) -> Option<OffsetDateTime> {
        self.expires_on
    }

    /// The token of a bearer header.
    pub(crate) fn bearer_token(&self) -> Option<&str> {
        if self.name != AUTHORIZATION {
            return None;
        }
        self.value.to_str().ok()?.strip_prefix("Bearer ")
    }

    /// Which header it is.
    #[must_use]
    pub fn header_name(&self) -> &HeaderName {
        &self.name
    }

    /// Whether it is an API key rather than a token.
    #[must_use]
    pub fn is_api_key(&self) -> bool {
        self.name == API_KEY_HEADER
    }

    /// Sets the header, replacing one of the same name.
    pub fn apply(&self, headers: &mut HeaderMap) {
        headers.insert(self.name.clone(), self.value.clone());
    }
}

impl fmt::Debug for Authorization {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Authorization({}: ***)", self.name)
    }
}

/// Something that lets requests through: an API key, or an identity that gets tokens.
///
/// Share one in an [`std::sync::Arc`]; implementations keep their tokens inside. To write one, implement
/// [`Credential::authorize`] and name yourself in [`Credential::describe`].
#[cfg_attr(any(test, feature = "mock"), mockall::automock)]
#[async_trait]
pub trait Credential: Send + Sync + fmt::Debug {
    /// What it is, for people: `API key`, `managed identity (system-assigned)`. Never a secret.
    fn describe(&self) -> String;

    /// Makes the header for one request.
    ///
    /// # Errors
    /// [`AuthError`]; [`AuthError::is_unavailable`] holds where this credential is not set up on this machine, so that
    /// a chain may try the next one.
    async fn authorize(&self, request: &AuthRequest) -> Result<Authorization, AuthError>;

    /// Told that the service answered 401 to a request with our header `refused`. The answer is what to ask for next,
    /// once; or `None` if another try is pointless, which is the default.
    ///
    /// # Errors
    /// [`AuthError`] where the challenge asks for something that this credential can never give.
    async fn refused(
        &self,
        request: &AuthRequest,
        refused: &Authorization,
        challenge: &Challenge,
    ) -> Result<Option<AuthRequest>, AuthError> {
        let _ = (request, refused, challenge);
        Ok(None)
    }
}

#[async_trait]
impl<C: Credential + ?Sized> Credential for Arc<C> {
    fn describe(&self) -> String {
        (**self).describe()
    }

    async fn authorize(&self, request: &AuthRequest) -> Result<Authorization, AuthError> {
        (**self).authorize(request).await
    }

    async fn refused(
        &self,
        request: &AuthRequest,
        refused: &Authorization,
        challenge: &Challenge,
    ) -> Result<Option<AuthRequest>, AuthError> {
        (**self).refused(request, refused, challenge).await
    }
}
