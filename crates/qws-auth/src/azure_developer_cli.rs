use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use azure_core::time::{OffsetDateTime, parse_rfc3339};
use base64::{Engine, engine::general_purpose::STANDARD};
use qws_config::TenantId;
use qws_http::Clock;

use crate::{
    AuthError, AuthRequest, Host,
    access_token::{AccessToken, Fields},
    tenants::Tenants,
    text::{command_line_scope, shown},
    tokens::{TokenSource, Tokens, token_credential},
    tool::{self, ToolFailure},
};

/// Whoever is signed in to the Azure Developer CLI (`azd auth login`).
///
/// Runs `azd auth token`, found on `PATH` (absolute folders only), without a shell; after 10 s it is killed with all
/// its children.
///
/// ```
/// let credential = qws_auth::AzureDeveloperCli::new();
/// ```
#[derive(Debug, Clone)]
pub struct AzureDeveloperCli {
    tokens: Tokens<Source>,
}

#[derive(Clone)]
struct Source {
    host: Host,
    tenants: Tenants,
    limit: Duration,
}

impl AzureDeveloperCli {
    /// The account that is signed in, in its default tenant.
    #[must_use]
    pub fn new() -> Self {
        let source = Source {
            host: Host::from_process(),
            tenants: Tenants::default(),
            limit: Duration::from_secs(10),
        };
        Self { tokens: Tokens::new(source) }
    }

    /// Uses this environment and clock.
    #[must_use]
    pub fn with_host(self, host: Host) -> Self {
        Self { tokens: self.tokens.reconfigured(|source| source.host = host) }
    }

    /// Gives tokens of this tenant.
    #[must_use]
    pub fn with_tenant(self, tenant: TenantId) -> Self {
        Self { tokens: self.tokens.reconfigured(|source| source.tenants.set_own(tenant)) }
    }

    /// Gives tokens of this tenant too, when a request asks for one.
    #[must_use]
    pub fn allow_tenant(self, tenant: TenantId) -> Self {
        Self { tokens: self.tokens.reconfigured(|source| source.tenants.allow(tenant)) }
    }

    /// How long `azd` may take. Default 10 s.
    #[must_use]
    pub fn with_time_limit(self, limit: Duration) -> Self {
        Self { tokens: self.tokens.reconfigured(|source| source.limit = limit) }
    }
}

impl Default for AzureDeveloperCli {
    fn default() -> Self {
        Self::new()
    }
}

token_credential!(AzureDeveloperCli);

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AzureDeveloperCli").field("tenant", &self.tenants.own()).finish_non_exhaustive()
    }
}

#[async_trait]
impl TokenSource for Source {
    fn describe(&self) -> String {
        "Azure Developer CLI".into()
    }

    fn clock(&self) -> Arc<dyn Clock> {
        self.host.clock().clone()
    }

    async fn token(&self, request: &AuthRequest) -> Result<AccessToken, AuthError> {
        let tenant = self.tenants.choose(&self.host, request.tenant())?;
        let scope = command_line_scope(request.audience().scope())?;
        let claims = request.claims().map(|claims| STANDARD.encode(claims));
        let mut arguments = vec!["auth", "token", "--output", "json", "--no-prompt", "--scope", scope];
        if let Some(tenant) = tenant {
            arguments.extend(["--tenant-id", tenant.as_str()]);
        }
        if let Some(claims) = &claims {
            arguments.extend(["--claims", claims]);
        }
        let asked = self.host.clock().now();
        let output = tool::run(&self.host, "azd", &arguments, &[("NO_COLOR", "true")], self.limit).await;
        read(&output.map_err(|failure| self.failed(failure))?, asked)
    }
}

impl Source {
    fn failed(&self, failure: ToolFailure) -> AuthError {
        let said = match failure.explain("the Azure Developer CLI", "azd", self.limit) {
            Ok(stderr) => message(&stderr),
            Err(error) => return error,
        };
        if said.contains("azd auth login") && !said.contains("AADSTS") {
            return AuthError::unavailable("nobody is signed in to the Azure Developer CLI")
                .with_hint("run `azd auth login`");
        }
        if said.contains("unknown flag: --claims") {
            return AuthError::unavailable("this Azure Developer CLI cannot be asked for claims")
                .with_hint("update it");
        }
        crate::entra::passed_on("the Azure Developer CLI got no token", &shown(&said, &[]))
    }
}

/// What the tool says to people, from its lines of JSON: `{"error":..}`, before that
/// `{"type":"consoleMessage","data":{"message":..}}`; or the text itself.
fn message(stderr: &str) -> String {
    let of = |line: &str| {
        let fields = Fields::parse(line.as_bytes())?;
        let older = || fields.get("data")?.get("message")?.as_str();
        fields.text("error").or_else(older).map(str::to_owned)
    };
    let found: Vec<String> = stderr.lines().filter_map(of).collect();
    if found.is_empty() { stderr.to_owned() } else { found.join(" ") }
}

/// The tool's JSON. Nothing of it is ever shown: it holds the token.
fn read(output: &[u8], asked: OffsetDateTime) -> Result<AccessToken, AuthError> {
    let lacking = |what| {
        AuthError::refused(format!("the Azure Developer CLI's answer {what}"))
            .with_hint("update the Azure Developer CLI")
    };
    let mut fields = Fields::parse(output).ok_or_else(|| lacking("is not JSON"))?;
    let secret = fields.take_secret("token").ok_or_else(|| lacking("holds no `token`"))?;
    let end = fields.text("expiresOn").and_then(|text| parse_rfc3339(text).ok());
    let end = end.ok_or_else(|| lacking("does not say when the token ends"))?;
    Ok(AccessToken::until(secret, asked, end))
}
