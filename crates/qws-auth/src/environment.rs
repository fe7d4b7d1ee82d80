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
/// An empty variable counts as not set. A certificate (`AZURE_CLIENT_CERTIFICATE_PATH`) is not supported yet, and a
/// user's password (`AZURE_USERNAME`, `AZURE_PASSWORD`) never will be, since it works around multi-factor
/// authentication; both are errors that say so.
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
        if let (Some(tenant), Some(client_id), Some(secret)) =
            (&tenant, &client_id, set("AZURE_CLIENT_SECRET"))
        {
            let own = self::tenant(tenant)?;
            let tenants = Tenants::of(own.clone());
            let tenant = tenants.choose(&self.host, request.tenant())?.unwrap_or(&own).clone();
            let client_id = guid("client id in AZURE_CLIENT_ID", client_id)?;
            let application = Application { tenant, client_id };
            return client_credentials(&self.host, &application, request, Proof::Secret(&secret.into()))
                .await;
        }
        if tenant.is_some() && client_id.is_some() && set("AZURE_CLIENT_CERTIFICATE_PATH").is_some() {
            let text = "AZURE_CLIENT_CERTIFICATE_PATH is set, but service principals with certificates are not supported yet";
            return Err(AuthError::unsupported(text)
                .with_hint("use AZURE_CLIENT_SECRET or a federated credential for now"));
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
