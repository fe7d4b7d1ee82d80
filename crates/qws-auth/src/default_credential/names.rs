use std::fmt;

use crate::AuthError;

/// A credential of the documented default chain, by the name that the official clients give it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum CredentialName {
    /// `EnvironmentCredential`.
    Environment,
    /// `WorkloadIdentityCredential`.
    WorkloadIdentity,
    /// `ManagedIdentityCredential`.
    ManagedIdentity,
    /// `SharedTokenCacheCredential`; not in this crate.
    SharedTokenCache,
    /// `VisualStudioCodeCredential`; not in this crate.
    VisualStudioCode,
    /// `AzureCliCredential`.
    AzureCli,
    /// `AzurePowerShellCredential`.
    AzurePowerShell,
    /// `AzureDeveloperCliCredential`.
    AzureDeveloperCli,
    /// `InteractiveBrowserCredential`; tried only where it is named.
    InteractiveBrowser,
    /// `BrokerCredential`; not in this crate.
    Broker,
}

use CredentialName::{
    AzureCli, AzureDeveloperCli, AzurePowerShell, Broker, Environment, InteractiveBrowser, ManagedIdentity,
    SharedTokenCache, VisualStudioCode, WorkloadIdentity,
};

impl CredentialName {
    /// All of them, in the order of `DefaultAzureCredential` for Python 1.27.
    pub const ORDER: &'static [Self] = &[
        Environment,
        WorkloadIdentity,
        ManagedIdentity,
        SharedTokenCache,
        VisualStudioCode,
        AzureCli,
        AzurePowerShell,
        AzureDeveloperCli,
        InteractiveBrowser,
        Broker,
    ];

    /// The documented name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Environment => "EnvironmentCredential",
            WorkloadIdentity => "WorkloadIdentityCredential",
            ManagedIdentity => "ManagedIdentityCredential",
            SharedTokenCache => "SharedTokenCacheCredential",
            VisualStudioCode => "VisualStudioCodeCredential",
            AzureCli => "AzureCliCredential",
            AzurePowerShell => "AzurePowerShellCredential",
            AzureDeveloperCli => "AzureDeveloperCliCredential",
            InteractiveBrowser => "InteractiveBrowserCredential",
            Broker => "BrokerCredential",
        }
    }

    /// Why it cannot be tried; empty for those that can.
    pub(super) fn why_missing(self) -> &'static str {
        match self {
            VisualStudioCode | Broker => "not in this crate: it needs Microsoft's sign-in broker",
            SharedTokenCache => "not in this crate: it reads what Microsoft's desktop tools have stored",
            _ => "",
        }
    }

    /// The names that may stand alone in `AZURE_TOKEN_CREDENTIALS`.
    fn may_be_chosen(self) -> bool {
        !matches!(self, SharedTokenCache | Broker)
    }

    fn is_for_production(self) -> bool {
        matches!(self, Environment | WorkloadIdentity | ManagedIdentity)
    }
}

impl fmt::Display for CredentialName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What `AZURE_TOKEN_CREDENTIALS` says.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Choice {
    All,
    Development,
    Production,
    Only(CredentialName),
}

impl Choice {
    pub(super) fn read(value: Option<&str>) -> Result<Self, AuthError> {
        let value = value.unwrap_or_default().trim().to_ascii_lowercase();
        let mut choosable = CredentialName::ORDER.iter().copied().filter(|name| name.may_be_chosen());
        match value.as_str() {
            "" => return Ok(Self::All),
            "dev" => return Ok(Self::Development),
            "prod" => return Ok(Self::Production),
            _ => {}
        }
        match choosable.clone().find(|name| name.as_str().eq_ignore_ascii_case(&value)) {
            Some(name) if name.why_missing().is_empty() => Ok(Self::Only(name)),
            Some(name) => {
                let why = name.why_missing();
                Err(AuthError::unsupported(format!("AZURE_TOKEN_CREDENTIALS names {name}, which is {why}")))
            }
            None => {
                let names: Vec<&str> = choosable.by_ref().map(CredentialName::as_str).collect();
                let text = "AZURE_TOKEN_CREDENTIALS names no credential of the default chain";
                Err(AuthError::invalid(text).with_hint(format!("set it to dev, prod, {}", names.join(", "))))
            }
        }
    }

    /// Why a credential is not to be tried, if it is not.
    pub(super) fn reason_against(self, name: CredentialName) -> Option<String> {
        let wanted = match self {
            Self::All => true,
            Self::Development => !name.is_for_production(),
            Self::Production => name.is_for_production(),
            Self::Only(only) => name == only,
        };
        match self {
            Self::Development if !wanted => Some("AZURE_TOKEN_CREDENTIALS is dev".into()),
            Self::Production if !wanted => Some("AZURE_TOKEN_CREDENTIALS is prod".into()),
            Self::Only(only) if !wanted => Some(format!("AZURE_TOKEN_CREDENTIALS is {only}")),
            Self::Only(_) => None,
            _ if name == InteractiveBrowser => Some("it is used only where it is named".into()),
            _ => None,
        }
    }
}
