use std::{fmt, sync::Arc};

use async_trait::async_trait;
use azure_core::time::OffsetDateTime;
use base64::{Engine, engine::general_purpose::STANDARD};
use qws_config::{Secret, TenantId};
use qws_http::Clock;

use crate::{
    AuthError, AuthRequest,
    access_token::AccessToken,
    text::{command_line_scope, resource, shown},
    tokens::{TokenSource, Tokens, token_credential},
    tool::{ToolFailure, ToolSettings, tool_settings},
};

/// Printed before the token, to tell it from what else a profile or module prints.
const MARK: &str = "qws-auth%";

/// Printed where the module is missing.
const NO_MODULE: &str = "qws-auth-no-module";

/// Whoever is signed in to Azure PowerShell (`Connect-AzAccount`).
///
/// Runs `pwsh` (on Windows else `powershell`), found on `PATH` (absolute folders only), without a shell; after 10 s it
/// is killed with all its children. Needs the module `Az.Accounts`, 2.2.0 or newer.
///
/// ```
/// let credential = qws_auth::AzurePowerShell::new();
/// ```
#[derive(Debug, Clone)]
pub struct AzurePowerShell {
    tokens: Tokens<Source>,
}

#[derive(Clone)]
struct Source {
    tool: ToolSettings,
}

impl AzurePowerShell {
    /// The account that is signed in, in its default tenant.
    #[must_use]
    pub fn new() -> Self {
        Self { tokens: Tokens::new(Source { tool: ToolSettings::new() }) }
    }
}

tool_settings!(AzurePowerShell);
token_credential!(AzurePowerShell);

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AzurePowerShell").field("tenant", &self.tool.tenants.own()).finish_non_exhaustive()
    }
}

#[async_trait]
impl TokenSource for Source {
    fn describe(&self) -> String {
        "Azure PowerShell".into()
    }

    fn clock(&self) -> Arc<dyn Clock> {
        self.tool.host.clock().clone()
    }

    async fn token(&self, request: &AuthRequest) -> Result<AccessToken, AuthError> {
        if request.claims().is_some() {
            return Err(AuthError::unavailable("Azure PowerShell cannot be asked for a token with claims")
                .with_hint("sign in again with `Connect-AzAccount`"));
        }
        let tenant = self.tool.tenant(request)?;
        let scope = command_line_scope(request.audience().scope())?;
        let encoded = encode(&script(resource(scope), tenant));
        let arguments = ["-NoProfile", "-NonInteractive", "-EncodedCommand", &encoded];
        let asked = self.tool.host.clock().now();
        let mut output = self.tool.run("pwsh", &arguments, &[]).await;
        if cfg!(windows) && matches!(output, Err(ToolFailure::NotFound)) {
            output = self.tool.run("powershell", &arguments, &[]).await;
        }
        read(&output.map_err(|failure| self.failed(failure))?, asked)
    }
}

impl Source {
    fn failed(&self, failure: ToolFailure) -> AuthError {
        let stderr = match failure.explain("PowerShell", "pwsh", self.tool.limit) {
            Ok(stderr) => stderr,
            Err(error) => return error,
        };
        if stderr.contains("AADSTS") {
            return crate::entra::passed_on("Azure PowerShell got no token", &shown(&stderr, &[]));
        }
        if stderr.contains("Connect-AzAccount") {
            return AuthError::unavailable("nobody is signed in to Azure PowerShell")
                .with_hint("run `Connect-AzAccount`");
        }
        if stderr.contains("AuthorizationManager check failed") {
            return AuthError::unavailable("PowerShell's execution policy does not let scripts run")
                .with_hint("see `Get-ExecutionPolicy -List`");
        }
        AuthError::unavailable(format!("Azure PowerShell got no token: {}", shown(&stderr, &[])))
    }
}

/// Prints the token. Resource and tenant hold no character that could end their quotes: they were checked.
fn script(resource: &str, tenant: Option<&TenantId>) -> String {
    let tenant = tenant.map(|tenant| format!("$wanted.TenantId = '{tenant}'\n")).unwrap_or_default();
    format!(
        r"$ErrorActionPreference = 'Stop'
$ProgressPreference = 'SilentlyContinue'
$module = Import-Module Az.Accounts -MinimumVersion 2.2.0 -PassThru -ErrorAction SilentlyContinue
if (-not $module) {{ Write-Output '{NO_MODULE}'; exit }}
$wanted = @{{ ResourceUrl = '{resource}'; WarningAction = 'Ignore' }}
{tenant}if ($module.Version -ge [version]'2.17.0' -and $module.Version -lt [version]'5.0.0') {{ $wanted.AsSecureString = $true }}
$found = Get-AzAccessToken @wanted
$text = $found.Token
if ($text -is [System.Security.SecureString]) {{ $text = [System.Net.NetworkCredential]::new('', $text).Password }}
Write-Output ('{MARK}' + $text + '%' + $found.ExpiresOn.ToUnixTimeSeconds())
"
    )
}

/// As `-EncodedCommand` takes it: base64 of UTF-16, low byte first. No quoting can go wrong.
fn encode(script: &str) -> String {
    STANDARD.encode(script.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>())
}

/// The line with the token. Nothing of the output is ever shown: it holds the token.
fn read(output: &[u8], asked: OffsetDateTime) -> Result<AccessToken, AuthError> {
    let text = String::from_utf8_lossy(output);
    if text.contains(NO_MODULE) {
        return Err(AuthError::unavailable("PowerShell has no module Az.Accounts, 2.2.0 or newer")
            .with_hint("run `Install-Module Az.Accounts -Scope CurrentUser`"));
    }
    let lacking = || {
        AuthError::refused("Azure PowerShell's answer holds no token with its end")
            .with_hint("update the module Az.Accounts")
    };
    let line = text.lines().find_map(|line| line.trim().strip_prefix(MARK)).ok_or_else(lacking)?;
    let (token, end) = line.rsplit_once('%').filter(|(token, _)| !token.is_empty()).ok_or_else(lacking)?;
    let end = end.parse().ok().and_then(|epoch| OffsetDateTime::from_unix_timestamp(epoch).ok());
    Ok(AccessToken::until(Secret::new(token), asked, end.ok_or_else(lacking)?))
}
