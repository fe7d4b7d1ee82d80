use std::{fmt, sync::Arc};

use async_trait::async_trait;
use azure_core::time::{OffsetDateTime, parse_rfc3339};
use qws_http::Clock;

use crate::{
    AuthError, AuthRequest,
    access_token::{AccessToken, Fields},
    text::{command_line_scope, resource, shown},
    tokens::{TokenSource, Tokens, token_credential},
    tool::{ToolFailure, ToolSettings, tool_settings},
};

/// Whoever is signed in to the Azure CLI (`az login`).
///
/// Runs `az account get-access-token`, found on `PATH` (absolute folders only), without a shell; after 10 s it is
/// killed with all its children.
///
/// ```
/// let credential = qws_auth::AzureCli::new();
/// ```
#[derive(Debug, Clone)]
pub struct AzureCli {
    tokens: Tokens<Source>,
}

#[derive(Clone)]
struct Source {
    tool: ToolSettings,
    subscription: Option<String>,
}

impl AzureCli {
    /// The account that is signed in, in its default tenant.
    #[must_use]
    pub fn new() -> Self {
        Self { tokens: Tokens::new(Source { tool: ToolSettings::new(), subscription: None }) }
    }

    /// Uses the account of this subscription, by id or name.
    ///
    /// # Errors
    /// [`crate::AuthErrorKind::InvalidInput`] for anything but ASCII letters, digits, `_`, `-`, `.` and inner spaces,
    /// since it goes into a command line.
    pub fn with_subscription(self, subscription: &str) -> Result<Self, AuthError> {
        let text = subscription.trim();
        let fine = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | ' ');
        if text.is_empty() || text.starts_with('-') || !text.chars().all(fine) {
            return Err(AuthError::invalid(
                "the subscription must consist of ASCII letters, digits, '_', '-', '.' and spaces",
            )
            .with_hint("give its id, which `az account show --query id` prints"));
        }
        Ok(Self { tokens: self.tokens.reconfigured(|source| source.subscription = Some(text.to_owned())) })
    }
}

tool_settings!(AzureCli);
token_credential!(AzureCli);

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AzureCli")
            .field("tenant", &self.tool.tenants.own())
            .field("subscription", &self.subscription)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl TokenSource for Source {
    fn describe(&self) -> String {
        "Azure CLI".into()
    }

    fn clock(&self) -> Arc<dyn Clock> {
        self.tool.host.clock().clone()
    }

    async fn token(&self, request: &AuthRequest) -> Result<AccessToken, AuthError> {
        if request.claims().is_some() {
            return Err(AuthError::unavailable("the Azure CLI cannot be asked for a token with claims")
                .with_hint("sign in again with `az login`, which asks for what the service wants"));
        }
        let tenant = self.tool.tenant(request)?;
        let scope = command_line_scope(request.audience().scope())?;
        let mut arguments =
            vec!["account", "get-access-token", "--output", "json", "--resource", resource(scope)];
        if let Some(tenant) = tenant {
            arguments.extend(["--tenant", tenant.as_str()]);
        }
        if let Some(subscription) = &self.subscription {
            arguments.extend(["--subscription", subscription]);
        }
        // Older versions print the end of the token in local time only, so we choose what is local.
        let variables = [("AZURE_CORE_NO_COLOR", "true"), ("TZ", "UTC")];
        let asked = self.tool.host.clock().now();
        let output = self.tool.run("az", &arguments, &variables).await;
        read(&output.map_err(|failure| self.failed(failure))?, asked)
    }
}

impl Source {
    fn failed(&self, failure: ToolFailure) -> AuthError {
        let stderr = match failure.explain("the Azure CLI", "az", self.tool.limit) {
            Ok(stderr) => stderr,
            Err(error) => return error,
        };
        let signed_out = stderr.contains("az login") || stderr.contains("az account set");
        if signed_out && !stderr.contains("AADSTS") {
            return AuthError::unavailable("nobody is signed in to the Azure CLI")
                .with_hint("run `az login`");
        }
        let said = shown(stderr.trim().trim_start_matches("ERROR:"), &[]);
        crate::entra::passed_on("the Azure CLI got no token", &said)
    }
}

/// The tool's JSON. Nothing of it is ever shown: it holds the token.
fn read(output: &[u8], asked: OffsetDateTime) -> Result<AccessToken, AuthError> {
    let lacking =
        |what| AuthError::refused(format!("the Azure CLI's answer {what}")).with_hint("update the Azure CLI");
    let mut fields = Fields::parse(output).ok_or_else(|| lacking("is not JSON"))?;
    let secret = fields.take_secret("accessToken").ok_or_else(|| lacking("holds no `accessToken`"))?;
    let epoch =
        fields.seconds("expires_on").and_then(|epoch| OffsetDateTime::from_unix_timestamp(epoch).ok());
    // `2026-02-03 04:05:06.000000`, in UTC by our choice.
    let printed = || parse_rfc3339(&format!("{}Z", fields.text("expiresOn")?.replacen(' ', "T", 1))).ok();
    let end = epoch.or_else(printed).ok_or_else(|| lacking("does not say when the token ends"))?;
    Ok(AccessToken::until(secret, asked, end))
}
