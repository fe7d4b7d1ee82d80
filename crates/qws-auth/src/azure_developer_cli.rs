use std::{fmt, sync::Arc};

use async_trait::async_trait;
use azure_core::time::{OffsetDateTime, parse_rfc3339};
use base64::{Engine, engine::general_purpose::STANDARD};
use qws_http::Clock;

use crate::{
    AuthError, AuthRequest,
    access_token::{AccessToken, Fields},
    text::{command_line_scope, shown},
    tokens::{TokenSource, Tokens, token_credential},
    tool::{ToolFailure, ToolSettings, tool_settings},
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
    tool: ToolSettings,
}

impl AzureDeveloperCli {
    /// The account that is signed in, in its default tenant.
    #[must_use]
    pub fn new() -> Self {
        Self { tokens: Tokens::new(Source { tool: ToolSettings::new() }) }
    }
}

tool_settings!(AzureDeveloperCli);
token_credential!(AzureDeveloperCli);

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AzureDeveloperCli").field("tenant", &self.tool.tenants.own()).finish_non_exhaustive()
    }
}

#[async_trait]
impl TokenSource for Source {
    fn describe(&self) -> String {
        "Azure Developer CLI".into()
    }

    fn clock(&self) -> Arc<dyn Clock> {
        self.tool.host.clock().clone()
    }

    async fn token(&self, request: &AuthRequest) -> Result<AccessToken, AuthError> {
        let tenant = self.tool.tenant(request)?;
        let scope = command_line_scope(request.audience().scope())?;
        let claims = request.claims().map(|claims| STANDARD.encode(claims));
        let mut arguments = vec!["auth", "token", "--output", "json", "--no-prompt", "--scope", scope];
        if let Some(tenant) = tenant {
            arguments.extend(["--tenant-id", tenant.as_str()]);
        }
        if let Some(claims) = &claims {
            arguments.extend(["--claims", claims]);
        }
        let asked = self.tool.host.clock().now();
        let output = self.tool.run("azd", &arguments, &[("NO_COLOR", "true")]).await;
        read(&output.map_err(|failure| self.failed(failure))?, asked)
    }
}

impl Source {
    fn failed(&self, failure: ToolFailure) -> AuthError {
        let said = match failure.explain("the Azure Developer CLI", "azd", self.tool.limit) {
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
