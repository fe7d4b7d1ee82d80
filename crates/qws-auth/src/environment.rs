use std::{fmt, sync::Arc};

use async_trait::async_trait;
use qws_config::TenantId;
use qws_http::Clock;

use crate::{
    AuthError, AuthRequest, Host,
    access_token::AccessToken,
    entra::{Application, Proof, client_credentials},
    tenants::Tenants,
    text::{guid, shown},
    tokens::{TokenSource, Tokens, token_credential},
};

/// A service principal that the environment describes: `AZURE_TENANT_ID`, `AZURE_CLIENT_ID`, `AZURE_CLIENT_SECRET`.
///
/// With feature `certificate` also a certificate in place of the secret: `AZURE_CLIENT_CERTIFICATE_PATH`, a file as
/// `ClientCertificate::read` takes it, with `AZURE_CLIENT_CERTIFICATE_PASSWORD` where it is encrypted;
/// `AZURE_CLIENT_SEND_CERTIFICATE_CHAIN` says `1` or `true` to send the certificate along. The file is read for each
/// token.
///
/// An empty variable counts as not set. A user's password (`AZURE_USERNAME`, `AZURE_PASSWORD`) is an error that says so:
/// it works around multi-factor authentication.
///
/// ```
/// let credential = qws_auth::EnvironmentCredential::new();
/// ```
#[derive(Debug, Clone)]
pub struct EnvironmentCredential {
    tokens: Tokens<Source>,
}

#[derive(Clone)]
struct Source {
    host: Host,
}

impl EnvironmentCredential {
    /// Takes what the process's environment says.
    #[must_use]
    pub fn new() -> Self {
        Self { tokens: Tokens::new(Source { host: Host::from_process() }) }
    }

    /// Uses this environment, clock and network.
    #[must_use]
    pub fn with_host(self, host: Host) -> Self {
        Self { tokens: self.tokens.reconfigured(|source| source.host = host) }
    }
}

impl Default for EnvironmentCredential {
    fn default() -> Self {
        Self::new()
    }
}

token_credential!(EnvironmentCredential);

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EnvironmentCredential")
    }
}

#[async_trait]
impl TokenSource for Source {
    fn describe(&self) -> String {
        match (self.host.variable("AZURE_CLIENT_ID"), self.host.variable("AZURE_TENANT_ID")) {
            (Some(client), Some(tenant)) => {
                format!("environment (client id {}, tenant {})", shown(&client, &[]), shown(&tenant, &[]))
            }
            _ => "environment".into(),
        }
    }

    fn clock(&self) -> Arc<dyn Clock> {
        self.host.clock().clone()
    }

    async fn token(&self, request: &AuthRequest) -> Result<AccessToken, AuthError> {
        let set = |name| self.host.variable(name);
        let (tenant, client_id) = (set("AZURE_TENANT_ID"), set("AZURE_CLIENT_ID"));
        if let (Some(tenant), Some(client_id)) = (&tenant, &client_id) {
            if let Some(secret) = set("AZURE_CLIENT_SECRET") {
                let application = self.application(tenant, client_id, request)?;
                let secret = secret.into();
                return client_credentials(&self.host, &application, request, Proof::Secret(&secret)).await;
            }
            if let Some(file) = set("AZURE_CLIENT_CERTIFICATE_PATH") {
                let application = self.application(tenant, client_id, request)?;
                return self.by_certificate(&application, request, &file).await;
            }
        }
        if client_id.is_some() && set("AZURE_USERNAME").is_some() && set("AZURE_PASSWORD").is_some() {
            let text = "AZURE_USERNAME and AZURE_PASSWORD are set, but signing in with a user's password is not supported";
            return Err(
                AuthError::unsupported(text).with_hint("use a service principal, or `az login` for a person")
            );
        }
        Err(self.incomplete())
    }
}

impl Source {
    fn application(
        &self,
        tenant: &str,
        client_id: &str,
        request: &AuthRequest,
    ) -> Result<Application, AuthError> {
        let own = self::tenant(tenant)?;
        let tenants = Tenants::of(own.clone());
        let tenant = tenants.choose(&self.host, request.tenant())?.unwrap_or(&own).clone();
        Ok(Application { tenant, client_id: guid("client id in AZURE_CLIENT_ID", client_id)? })
    }

    #[cfg(not(feature = "certificate"))]
    #[allow(clippy::unused_async, reason = "it is async where certificates are compiled in")]
    async fn by_certificate(
        &self,
        _: &Application,
        _: &AuthRequest,
        _: &str,
    ) -> Result<AccessToken, AuthError> {
        let text = "AZURE_CLIENT_CERTIFICATE_PATH is set, but this program is built without certificates";
        Err(AuthError::unsupported(text).with_hint("build it with feature `certificate` of qws-auth"))
    }

    #[cfg(feature = "certificate")]
    async fn by_certificate(
        &self,
        application: &Application,
        request: &AuthRequest,
        file: &str,
    ) -> Result<AccessToken, AuthError> {
        let password = self.host.variable("AZURE_CLIENT_CERTIFICATE_PASSWORD").map(qws_config::Secret::new);
        let mut certificate = crate::ClientCertificate::read_file(file, password.as_ref()).await?;
        let chain = self.host.variable("AZURE_CLIENT_SEND_CERTIFICATE_CHAIN").unwrap_or_default();
        if matches!(chain.to_ascii_lowercase().as_str(), "1" | "true") {
            certificate = certificate.send_chain();
        }
        crate::certificate::token(&self.host, application, request, &certificate).await
    }

    /// Says what is there and what is missing, by name only.
    fn incomplete(&self) -> AuthError {
        const NAMES: [&str; 3] = ["AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET"];
        let (mut missing, mut there) = (Vec::new(), Vec::new());
        for name in NAMES {
            match (self.host.variable(name), self.host.has_variable(name)) {
                (Some(_), _) => there.push(name),
                (None, true) => missing.push(format!("{name} is empty")),
                (None, false) => missing.push(format!("{name} is not set")),
            }
        }
        let there = if there.is_empty() { String::new() } else { format!(" ({} set)", there.join(", ")) };
        AuthError::unavailable(format!("the environment names no identity: {}{there}", missing.join(", ")))
    }
}

/// A tenant that the environment names.
pub(crate) fn tenant(text: &str) -> Result<TenantId, AuthError> {
    text.parse()
        .map_err(|error| AuthError::invalid("AZURE_TENANT_ID is not a tenant").with_source(Box::new(error)))
}
