use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;

use crate::{
    AuthError, AuthRequest, Authorization, AzureCli, AzureDeveloperCli, AzurePowerShell, Chain, ChainReport,
    Challenge, Credential, EnvironmentCredential, Host, InteractiveBrowser, ManagedIdentity,
    WorkloadIdentity, chain::Step, official::official_credential,
};

mod names;

pub use names::CredentialName;

/// The variable that chooses among the credentials.
const CHOICE: &str = "AZURE_TOKEN_CREDENTIALS";

/// The deadline of the search where a person may have to sign in at its end.
const WITH_BROWSER: Duration = Duration::from_secs(400);

/// Whoever the program is here, found without naming it: a service in Azure by its own identity, a developer by the
/// tool they are signed in to.
///
/// Tried in the order of `DefaultAzureCredential` for Python: environment, workload identity, managed identity,
/// (shared token cache, Visual Studio Code), Azure CLI, Azure PowerShell, Azure Developer CLI, browser, (broker).
/// Those in parentheses cannot be in this crate; the report says so for each. The browser is tried only where it is
/// named, by [`DefaultCredentialBuilder::include`] or the variable, and never where the variable says `prod`.
///
/// ```
/// let credential = qws_auth::DefaultCredential::new()?;
/// # Ok::<(), qws_auth::AuthError>(())
/// ```
///
/// `AZURE_TOKEN_CREDENTIALS` chooses: `dev` (tools), `prod` (environment, workload and managed identity), or the name
/// of one credential, such as `ManagedIdentityCredential`. `AZURE_CLIENT_ID` names a user-assigned managed identity.
///
/// In production, name the credential you mean: it fails faster and cannot turn out to be another one.
#[derive(Clone)]
pub struct DefaultCredential {
    chain: Chain,
}

/// Settings of a [`DefaultCredential`].
#[derive(Debug, Clone)]
#[must_use]
pub struct DefaultCredentialBuilder {
    host: Host,
    chosen: Vec<(CredentialName, bool)>,
    identity: Identity,
    deadline: Option<Duration>,
    tool_limit: Option<Duration>,
}

/// Which managed identity is meant.
#[derive(Debug, Clone)]
enum Identity {
    /// The one that `AZURE_CLIENT_ID` names, else the system-assigned one.
    OfEnvironment,
    System,
    Client(String),
}

impl DefaultCredential {
    /// As the process's environment says.
    ///
    /// # Errors
    /// [`crate::AuthErrorKind::InvalidInput`] if `AZURE_TOKEN_CREDENTIALS` names something unknown or a client id is no GUID,
    /// [`crate::AuthErrorKind::Unsupported`] if it names a credential that is not in this crate.
    pub fn new() -> Result<Self, AuthError> {
        Self::builder().build()
    }

    /// Settings to change.
    pub fn builder() -> DefaultCredentialBuilder {
        DefaultCredentialBuilder {
            host: Host::from_process(),
            chosen: Vec::new(),
            identity: Identity::OfEnvironment,
            deadline: None,
            tool_limit: None,
        }
    }

    /// What the last search did; `None` before the first request.
    #[must_use]
    pub fn report(&self) -> Option<ChainReport> {
        self.chain.report()
    }
}

impl DefaultCredentialBuilder {
    /// Uses this environment, clock and network.
    pub fn host(mut self, host: Host) -> Self {
        self.host = host;
        self
    }

    /// Leaves a credential out, whatever the environment says.
    pub fn exclude(mut self, name: CredentialName) -> Self {
        self.chosen.push((name, false));
        self
    }

    /// Takes a credential in, whatever the environment says.
    pub fn include(mut self, name: CredentialName) -> Self {
        self.chosen.push((name, true));
        self
    }

    /// Uses the user-assigned managed identity with this client id, in place of `AZURE_CLIENT_ID`.
    pub fn managed_identity_client_id(mut self, client_id: &str) -> Self {
        self.identity = Identity::Client(client_id.to_owned());
        self
    }

    /// Uses the system-assigned managed identity even where `AZURE_CLIENT_ID` is set.
    pub fn system_assigned_identity(mut self) -> Self {
        self.identity = Identity::System;
        self
    }

    /// How long the whole search may take. Default 100 s; 400 s where the browser is included.
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = Some(deadline);
        self
    }

    /// How long each developer's tool may take. Default 10 s.
    pub fn tool_time_limit(mut self, limit: Duration) -> Self {
        self.tool_limit = Some(limit);
        self
    }

    /// The credential. Nothing is asked or run before the first request.
    ///
    /// # Errors
    /// As [`DefaultCredential::new`].
    pub fn build(self) -> Result<DefaultCredential, AuthError> {
        let choice = names::Choice::read(self.host.variable(CHOICE).as_deref())?;
        let mut chain = Chain::new().with_clock(self.host.clock().clone());
        let mut deadline = self.deadline;
        for name in CredentialName::ORDER {
            let named =
                self.chosen.iter().rev().find(|(chosen, _)| chosen == name).map(|(_, wanted)| *wanted);
            let step = match (named, choice.reason_against(*name)) {
                (Some(false), _) => Step::Skip(name.as_str(), "excluded by the program".into()),
                (None, Some(reason)) => Step::Skip(name.as_str(), reason),
                _ => self.step(*name)?,
            };
            if matches!((name, &step), (CredentialName::InteractiveBrowser, Step::Try(_))) {
                deadline.get_or_insert(WITH_BROWSER);
            }
            chain = chain.step(step);
        }
        if let Some(deadline) = deadline {
            chain = chain.with_deadline(deadline);
        }
        Ok(DefaultCredential { chain })
    }

    fn step(&self, name: CredentialName) -> Result<Step, AuthError> {
        let host = self.host.clone();
        Ok(match name {
            CredentialName::Environment => Step::Try(Arc::new(EnvironmentCredential::new().with_host(host))),
            CredentialName::WorkloadIdentity => Step::Try(Arc::new(WorkloadIdentity::new().with_host(host))),
            CredentialName::ManagedIdentity => {
                let id = match &self.identity {
                    Identity::OfEnvironment => host.variable("AZURE_CLIENT_ID"),
                    Identity::System => None,
                    Identity::Client(id) => Some(id.clone()),
                };
                let identity = match id {
                    Some(id) => ManagedIdentity::by_client_id(&id)?,
                    None => ManagedIdentity::system(),
                };
                Step::Try(Arc::new(identity.with_host(host).without_workloads()))
            }
            CredentialName::AzureCli => {
                let tool = AzureCli::new().with_host(host);
                Step::TryTool(Arc::new(self.limited(tool, AzureCli::with_time_limit)))
            }
            CredentialName::AzurePowerShell => {
                let tool = AzurePowerShell::new().with_host(host);
                Step::TryTool(Arc::new(self.limited(tool, AzurePowerShell::with_time_limit)))
            }
            CredentialName::AzureDeveloperCli => {
                let tool = AzureDeveloperCli::new().with_host(host);
                Step::TryTool(Arc::new(self.limited(tool, AzureDeveloperCli::with_time_limit)))
            }
            CredentialName::InteractiveBrowser => {
                Step::Try(Arc::new(InteractiveBrowser::new().with_host(host)))
            }
            other => Step::Skip(other.as_str(), other.why_missing().to_owned()),
        })
    }

    fn limited<T>(&self, tool: T, limit: impl Fn(T, Duration) -> T) -> T {
        match self.tool_limit {
            Some(duration) => limit(tool, duration),
            None => tool,
        }
    }
}

#[async_trait]
impl Credential for DefaultCredential {
    fn describe(&self) -> String {
        self.chain.describe()
    }

    async fn authorize(&self, request: &AuthRequest) -> Result<Authorization, AuthError> {
        self.chain.authorize(request).await
    }

    async fn refused(
        &self,
        request: &AuthRequest,
        refused: &Authorization,
        challenge: &Challenge,
    ) -> Result<Option<AuthRequest>, AuthError> {
        self.chain.refused(request, refused, challenge).await
    }
}

official_credential!(DefaultCredential);

impl fmt::Debug for DefaultCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("DefaultCredential").field(&self.chain).finish()
    }
}
