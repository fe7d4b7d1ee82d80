//! What the credentials of people have in common: an application that they use, and a sign-in that lasts.

use std::{fmt, sync::Arc};

use futures::lock::Mutex;
use qws_config::{Secret, TenantId};

use crate::{
    AuthError, AuthRequest, Host,
    access_token::AccessToken,
    entra::{self, Application, Endpoint, Grant},
    tenants::Tenants,
    token_cache::{Key, Stored, TokenCache, Who},
};

/// Microsoft's application for developers' tools, which every tenant knows.
const DEVELOPERS_APPLICATION: &str = "04b07795-8ddb-461a-bbee-02f9e1bf7b46";

/// What a lasting sign-in is stored as: the scope that asks for it.
const LASTING: &str = "offline_access";

/// Any work or school account.
const ANY_ORGANIZATION: &str = "organizations";

/// Somebody who signs in to an application, and may be asked to do so.
#[derive(Clone)]
pub(crate) struct Person {
    pub(crate) host: Host,
    tenants: Tenants,
    client_id: String,
    silent_only: bool,
    /// The refresh token of the last sign-in. Held locked while a person is asked: whoever else needs a token then
    /// gets one out of the same sign-in.
    session: Arc<Mutex<Option<Secret>>>,
}

impl Person {
    pub(crate) fn new() -> Self {
        let organizations = ANY_ORGANIZATION.parse();
        Self {
            host: Host::from_process(),
            tenants: organizations.map(Tenants::of).unwrap_or_default(),
            client_id: DEVELOPERS_APPLICATION.into(),
            silent_only: false,
            session: Arc::default(),
        }
    }

    pub(crate) fn set_host(&mut self, host: Host) {
        self.host = host;
        self.session = Arc::default();
    }

    pub(crate) fn set_tenant(&mut self, tenant: TenantId) {
        self.tenants.set_own(tenant);
        self.session = Arc::default();
    }

    pub(crate) fn allow_tenant(&mut self, tenant: TenantId) {
        self.tenants.allow(tenant);
    }

    pub(crate) fn set_client_id(&mut self, client_id: String) {
        self.client_id = client_id;
        self.session = Arc::default();
    }

    pub(crate) fn set_silent_only(&mut self) {
        self.silent_only = true;
    }

    /// For people: `device code (tenant organizations)`.
    pub(crate) fn describe(&self, how: &str) -> String {
        let tenant = self.tenants.own().map(TenantId::as_str).unwrap_or_default();
        format!("{how} (tenant {tenant})")
    }

    /// A token out of the last sign-in if it still lasts, else out of a new one.
    pub(crate) async fn token<F>(
        &self,
        request: &AuthRequest,
        sign_in: impl FnOnce(Application) -> F + Send,
    ) -> Result<AccessToken, AuthError>
    where
        F: Future<Output = Result<Grant, AuthError>> + Send,
    {
        let application = self.application(request)?;
        let mut session = self.session.lock().await;
        if let Some(token) = self.silently(&mut session, &application, request).await? {
            return Ok(token);
        }
        if self.silent_only {
            return Err(nobody_signed_in());
        }
        let grant = sign_in(application).await?;
        self.keep(&mut session, grant.refresh_token).await;
        Ok(grant.token)
    }

    /// Where a token is kept on disk, if it is.
    pub(crate) fn stored(&self, request: &AuthRequest) -> Option<(TokenCache, Key)> {
        let application = self.application(request).ok()?;
        self.stored_as(&application.tenant, request.audience().scope())
    }

    fn stored_as(&self, tenant: &TenantId, scope: &str) -> Option<(TokenCache, Key)> {
        let key = Key::new(&self.host, Who::Person, tenant, &self.client_id, scope).ok()?;
        Some((self.host.token_cache()?.clone(), key))
    }

    /// Remembers a sign-in, or that there is none, here and on disk.
    async fn keep(&self, session: &mut Option<Secret>, refresh_token: Option<Secret>) {
        session.clone_from(&refresh_token);
        if let Some((cache, key)) = self.tenants.own().and_then(|own| self.stored_as(own, LASTING)) {
            cache.put(&key, refresh_token.map(Stored::refresh_token), self.host.clock().now()).await;
        }
    }

    /// The last sign-in, of this program or of one before it.
    async fn last_sign_in(&self, session: Option<&Secret>) -> Option<Secret> {
        if let Some(refresh_token) = session {
            return Some(refresh_token.clone());
        }
        let (cache, key) = self.tenants.own().and_then(|own| self.stored_as(own, LASTING))?;
        Some(cache.get(&key).await?.secret)
    }

    /// A token out of the last sign-in, without asking anybody.
    pub(crate) async fn renew(&self, request: &AuthRequest) -> Result<AccessToken, AuthError> {
        let application = self.application(request)?;
        let mut session = self.session.lock().await;
        let token = self.silently(&mut session, &application, request).await?;
        token.ok_or_else(nobody_signed_in)
    }

    fn application(&self, request: &AuthRequest) -> Result<Application, AuthError> {
        let tenant = self.tenants.choose(&self.host, request.tenant())?;
        let tenant = tenant.ok_or_else(|| AuthError::invalid("no tenant to sign in to is named"))?;
        Ok(Application { tenant: tenant.clone(), client_id: self.client_id.clone() })
    }

    async fn silently(
        &self,
        session: &mut Option<Secret>,
        application: &Application,
        request: &AuthRequest,
    ) -> Result<Option<AccessToken>, AuthError> {
        let Some(refresh_token) = self.last_sign_in(session.as_ref()).await else { return Ok(None) };
        let scope = scope(request);
        let mut fields = vec![
            ("client_id", application.client_id.as_str()),
            ("grant_type", "refresh_token"),
            ("refresh_token", refresh_token.expose()),
            ("scope", scope.as_str()),
        ];
        fields.extend(request.claims().map(|claims| ("claims", claims)));
        match entra::post(&self.host, application, Endpoint::Token, &fields, &[&refresh_token]).await {
            Ok(said) => {
                let grant = said.grant()?;
                self.keep(session, Some(grant.refresh_token.unwrap_or(refresh_token))).await;
                Ok(Some(grant.token))
            }
            // The sign-in has ended, or does not do for this: somebody must be asked again.
            Err(refusal)
                if matches!(
                    refusal.word.as_deref(),
                    Some("invalid_grant" | "interaction_required" | "login_required" | "consent_required")
                ) =>
            {
                tracing::debug!(error = %refusal.error, "a new sign-in is needed");
                self.keep(session, None).await;
                Ok(None)
            }
            Err(refusal) => Err(refusal.error),
        }
    }
}

/// What to ask for when a person signs in: the token, and a sign-in that lasts.
pub(crate) fn scope(request: &AuthRequest) -> String {
    format!("{} offline_access openid profile", request.audience().scope())
}

fn nobody_signed_in() -> AuthError {
    AuthError::unavailable("nobody has signed in yet, or the sign-in has ended")
        .with_hint("sign in again with a credential that may ask")
}

impl fmt::Debug for Person {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Person")
            .field("tenant", &self.tenants.own())
            .field("client_id", &self.client_id)
            .field("silent_only", &self.silent_only)
            .finish_non_exhaustive()
    }
}

/// The settings that all credentials of people have, for a type whose `tokens` have a source with a field `person`.
macro_rules! person_settings {
    ($name:ty) => {
        impl $name {
            /// Uses this environment, clock and network.
            #[must_use]
            pub fn with_host(self, host: $crate::Host) -> Self {
                Self { tokens: self.tokens.reconfigured(|source| source.person.set_host(host)) }
            }

            /// The tenant to sign in to. Default `organizations`: any work or school account, in its own tenant.
            #[must_use]
            pub fn with_tenant(self, tenant: $crate::TenantId) -> Self {
                Self { tokens: self.tokens.reconfigured(|source| source.person.set_tenant(tenant)) }
            }

            /// Gives tokens of this tenant too, when a request asks for one.
            #[must_use]
            pub fn allow_tenant(self, tenant: $crate::TenantId) -> Self {
                Self { tokens: self.tokens.reconfigured(|source| source.person.allow_tenant(tenant)) }
            }

            /// The application that people sign in to, by its client id; it must be registered as a public client.
            /// Default: Microsoft's application for developers' tools.
            ///
            /// # Errors
            /// [`crate::AuthErrorKind::InvalidInput`] unless it is a GUID.
            pub fn with_client_id(self, client_id: &str) -> Result<Self, $crate::AuthError> {
                let id = $crate::text::guid("client id of the application", client_id)?;
                Ok(Self { tokens: self.tokens.reconfigured(|source| source.person.set_client_id(id)) })
            }

            /// Never asks: gives tokens only while an earlier sign-in of this credential lasts, and is otherwise not
            /// available. Shares that sign-in with the credential it is made from.
            #[must_use]
            pub fn silent_only(self) -> Self {
                Self { tokens: self.tokens.reconfigured(|source| source.person.set_silent_only()) }
            }
        }
    };
}
pub(crate) use person_settings;

/// The source of tokens of such a credential, for a type `Source` with a field `person` and a method `sign_in`.
macro_rules! person_source {
    ($means:literal) => {
        #[::async_trait::async_trait]
        impl $crate::tokens::TokenSource for Source {
            fn describe(&self) -> String {
                self.person.describe($means)
            }

            fn clock(&self) -> ::std::sync::Arc<dyn ::qws_http::Clock> {
                self.person.host.clock().clone()
            }

            async fn token(
                &self,
                request: &$crate::AuthRequest,
            ) -> Result<$crate::access_token::AccessToken, $crate::AuthError> {
                self.person.token(request, |application| self.sign_in(application, request)).await
            }

            async fn renew(
                &self,
                request: &$crate::AuthRequest,
            ) -> Result<$crate::access_token::AccessToken, $crate::AuthError> {
                self.person.renew(request).await
            }

            fn stored(
                &self,
                request: &$crate::AuthRequest,
            ) -> Option<($crate::TokenCache, $crate::token_cache::Key)> {
                self.person.stored(request)
            }
        }
    };
}
pub(crate) use person_source;
