use std::{fmt, sync::Arc};

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderValue, Request, StatusCode, header};
use qws_config::{Secret, TenantId};
use qws_http::{Answer, Call, Clock};
use url::Url;

use crate::{
    AuthError, AuthRequest, Host,
    access_token::{ANSWER_LIMIT_BYTES, AccessToken, Fields},
    entra::{Application, Proof, client_credentials},
    tenants::Tenants,
    text::shown,
    tokens::{TokenSource, Tokens, token_credential},
};

/// The variable with the address of the pipeline's identity provider.
const PROVIDER: &str = "SYSTEM_OIDCREQUESTURI";

/// The identity of an Azure Pipelines service connection with workload identity federation: no secret is stored.
///
/// ```
/// use qws_auth::AzurePipelines;
///
/// # fn token_of_the_job() -> &'static str { "the value of $(System.AccessToken), passed on to the task" }
/// let tenant = "contoso.onmicrosoft.com".parse()?;
/// let client_id = "11111111-2222-3333-4444-555555555555";
/// let connection = "66666666-7777-8888-9999-000000000000";
/// let credential = AzurePipelines::new(tenant, client_id, connection, token_of_the_job())?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Variables: `SYSTEM_OIDCREQUESTURI`, which every job has; `AZURE_AUTHORITY_HOST`. The pipeline must pass
/// `$(System.AccessToken)` on; it is not in the environment by itself.
/// Protocol: <https://learn.microsoft.com/rest/api/azure/devops/distributedtask/oidctoken/create>
#[derive(Debug, Clone)]
pub struct AzurePipelines {
    tokens: Tokens<Source>,
}

#[derive(Clone)]
struct Source {
    host: Host,
    tenants: Tenants,
    tenant: TenantId,
    client_id: String,
    connection: String,
    access_token: Secret,
}

impl AzurePipelines {
    /// The application with this client id, through the service connection with this id, by the job's own token.
    ///
    /// # Errors
    /// [`crate::AuthErrorKind::InvalidInput`] if one of the ids is no GUID, or the token is empty or cannot stand in a
    /// header.
    pub fn new(
        tenant: TenantId,
        client_id: &str,
        service_connection_id: &str,
        system_access_token: impl Into<Secret>,
    ) -> Result<Self, AuthError> {
        let access_token: Secret = system_access_token.into();
        bearer(&access_token)?;
        let source = Source {
            host: Host::from_process(),
            tenants: Tenants::of(tenant.clone()),
            tenant,
            client_id: crate::text::guid("client id of the application", client_id)?,
            connection: crate::text::guid("id of the service connection", service_connection_id)?,
            access_token,
        };
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
}

token_credential!(AzurePipelines);

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AzurePipelines")
            .field("tenant", &self.tenant)
            .field("client_id", &self.client_id)
            .field("connection", &self.connection)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl TokenSource for Source {
    fn describe(&self) -> String {
        format!("Azure Pipelines (client id {}, tenant {})", self.client_id, self.tenant)
    }

    fn clock(&self) -> Arc<dyn Clock> {
        self.host.clock().clone()
    }

    async fn token(&self, request: &AuthRequest) -> Result<AccessToken, AuthError> {
        let tenant = self.tenants.choose(&self.host, request.tenant())?.unwrap_or(&self.tenant).clone();
        let assertion = self.assertion().await?;
        let application = Application { tenant, client_id: self.client_id.clone() };
        client_credentials(&self.host, &application, request, Proof::Assertion(&assertion)).await
    }
}

impl Source {
    /// The pipeline's word for this job.
    async fn assertion(&self) -> Result<Secret, AuthError> {
        let provider = self.host.variable(PROVIDER).ok_or_else(|| {
            AuthError::unavailable(format!("this is no job of Azure Pipelines: {PROVIDER} is not set"))
        })?;
        let not_a_url = || AuthError::invalid(format!("{PROVIDER} is not a plain URL"));
        let plain = |url: &Url| url.username().is_empty() && url.password().is_none();
        let mut url = Url::parse(&provider).ok().filter(plain).ok_or_else(not_a_url)?;
        url.query_pairs_mut()
            .append_pair("api-version", "7.1")
            .append_pair("serviceConnectionId", &self.connection);
        let request = Request::post(url.as_str())
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::AUTHORIZATION, bearer(&self.access_token)?)
            // Asks for an error in place of a redirect to a page where people sign in.
            .header("X-TFS-FedAuthRedirect", "Suppress")
            .body(Bytes::new())
            .map_err(|_| not_a_url())?;
        let call = Call::new(request)
            .repeatable(true)
            .deadline(Some(self.host.deadline()))
            .body_limit_bytes(ANSWER_LIMIT_BYTES);
        let answer = self.host.internet()?.send(call).await.map_err(|failure| {
            let text = format!("no answer from Azure Pipelines after {} attempts", failure.attempts);
            AuthError::refused(text).with_source(failure)
        })?;
        let token = Fields::parse(answer.response.body())
            .filter(|_| answer.response.status() == StatusCode::OK)
            .and_then(|mut fields| fields.take_secret("oidcToken"));
        token.ok_or_else(|| self.refused(&answer))
    }

    fn refused(&self, answer: &Answer) -> AuthError {
        let status = answer.response.status().as_u16();
        let mut text = format!("Azure Pipelines answered {status} without an `oidcToken`");
        let fields = Fields::parse(answer.response.body());
        if let Some(said) = fields.as_ref().and_then(|fields| fields.text("message")) {
            text += ": ";
            text += &shown(said, &[&self.access_token]);
        }
        let trace = answer.response.headers().get("x-vss-e2eid").and_then(|id| id.to_str().ok());
        if let Some(trace) = trace {
            text += " (activity id ";
            text += &shown(trace, &[&self.access_token]);
            text += ")";
        }
        AuthError::refused(text).with_hint(match status {
            203 | 300..=399 | 401 | 403 => "pass the job's $(System.AccessToken) on; it ends with the job",
            _ => "compare the id of the service connection; it must use workload identity federation",
        })
    }
}

fn bearer(token: &Secret) -> Result<HeaderValue, AuthError> {
    if token.expose().is_empty() {
        return Err(AuthError::invalid("the system access token is empty"));
    }
    let text = zeroize::Zeroizing::new(format!("Bearer {}", token.expose()));
    let mut value = HeaderValue::from_str(&text).map_err(|_| {
        AuthError::invalid("the system access token holds a character that cannot stand in a header")
    })?;
    value.set_sensitive(true);
    Ok(value)
}
