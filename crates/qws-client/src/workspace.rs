use std::sync::Arc;

use qws_auth::{ApiKey, Credential};
use qws_config::{ConnectionString, WorkspaceAddress};

use crate::{Client, ClientOptions, Error, ErrorKind, Job, JobId, Operation, Target, target};

/// An Azure Quantum workspace: its targets and jobs. Cheap to clone, and clones share connections.
#[derive(Debug, Clone)]
pub struct Workspace {
    client: Client,
}

impl Workspace {
    /// Connects with a connection string, as the portal and `az quantum workspace keys list` show it. Nothing is sent
    /// yet: a wrong key is told by the first call.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`], naming the part of the string that is wrong and where; [`ErrorKind::Credential`] if
    /// it holds no key.
    ///
    /// ```
    /// use qws_client::Workspace;
    ///
    /// let error = Workspace::from_connection_string("ApiKey=secret;ApiKey=secret;").unwrap_err();
    /// assert!(error.to_string().contains("at byte 14") && !error.to_string().contains("secret"));
    /// ```
    pub fn from_connection_string(text: &str) -> Result<Self, Error> {
        Self::builder().connection_string(text)?.connect()
    }

    /// Settings to choose.
    pub fn builder() -> WorkspaceBuilder {
        WorkspaceBuilder::default()
    }

    /// The workspace's ids and endpoint.
    #[must_use]
    pub fn address(&self) -> &WorkspaceAddress {
        self.client.address()
    }

    /// The credential; [`Credential::describe`] names its kind.
    #[must_use]
    pub fn credential(&self) -> &Arc<dyn Credential> {
        self.client.credential()
    }

    /// The typed REST client underneath.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// All targets, of all providers, as they are now.
    ///
    /// # Errors
    /// [`ErrorKind::Unauthenticated`] for a wrong key or token.
    pub async fn targets(&self) -> Result<Vec<Target>, Error> {
        let providers = self.client.providers().list().collect().await?;
        let of = |provider: crate::ProviderStatus| {
            let id = provider.id;
            provider.targets.into_iter().map(move |status| Target::new(self.clone(), id.clone(), status))
        };
        Ok(providers.into_iter().flat_map(of).collect())
    }

    /// One target, by its id; case does not matter.
    ///
    /// # Errors
    /// [`ErrorKind::TargetMissing`], with the nearest names as its hint.
    pub async fn target(&self, id: &str) -> Result<Target, Error> {
        let targets = self.targets().await?;
        let found = targets.iter().find(|target| target.id().eq_ignore_ascii_case(id)).cloned();
        found.ok_or_else(|| target::missing(id, &targets))
    }

    /// A job, by its id, from whatever process submitted it.
    ///
    /// # Errors
    /// [`Error::is_not_found`] if the workspace has no such job.
    pub async fn job(&self, id: &JobId) -> Result<Job, Error> {
        let details = self.client.jobs().get(id).await?;
        Ok(Job::new(self.clone(), details))
    }
}

/// Which workspace, as whom, and how.
#[derive(Debug, Default)]
#[must_use]
pub struct WorkspaceBuilder {
    connection: Option<ConnectionString>,
    address: Option<WorkspaceAddress>,
    credential: Option<Arc<dyn Credential>>,
    options: ClientOptions,
}

impl WorkspaceBuilder {
    /// The workspace, endpoint and key of a connection string.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`], naming the part that is wrong and where.
    pub fn connection_string(mut self, text: &str) -> Result<Self, Error> {
        let parsed = text.parse().map_err(|error| Error::from(error).with_operation(Operation::Connect))?;
        self.connection = Some(parsed);
        Ok(self)
    }

    /// The workspace's ids and endpoint.
    pub fn address(mut self, address: WorkspaceAddress) -> Self {
        self.address = Some(address);
        self
    }

    /// Who the program is; replaces the key of a connection string.
    pub fn credential(mut self, credential: Arc<dyn Credential>) -> Self {
        self.credential = Some(credential);
        self
    }

    /// Transport, clock, retries and the like.
    pub fn options(mut self, options: ClientOptions) -> Self {
        self.options = options;
        self
    }

    /// Connects. Nothing is sent yet.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`] if no workspace is named, or two that differ; [`ErrorKind::Credential`] if there is
    /// no credential.
    pub fn connect(self) -> Result<Workspace, Error> {
        let (address, credential) =
            self.resolve().map_err(|error| error.with_operation(Operation::Connect))?;
        Ok(Workspace { client: Client::new(address, credential, &self.options)? })
    }

    fn resolve(&self) -> Result<(WorkspaceAddress, Arc<dyn Credential>), Error> {
        let named = self.connection.as_ref().map(WorkspaceAddress::from);
        let address = match (named, &self.address) {
            (Some(named), Some(given)) if named != *given => {
                let (one, other) = (named.resource_id(), given.resource_id());
                let text = format!("the connection string names {one}, and the address {other}");
                return Err(Error::new(ErrorKind::InvalidInput, text));
            }
            (_, Some(given)) => given.clone(),
            (Some(named), None) => named,
            (None, None) => {
                return Err(Error::new(ErrorKind::InvalidInput, "no workspace is named")
                    .with_hint("give a connection string, or an address and a credential"));
            }
        };
        let key = self.connection.as_ref().and_then(ConnectionString::api_key);
        let credential: Arc<dyn Credential> = match (&self.credential, key) {
            (Some(credential), _) => credential.clone(),
            (None, Some(key)) => Arc::new(ApiKey::new(key.clone())?),
            (None, None) => {
                return Err(Error::new(ErrorKind::Credential, "no credential is given")
                    .with_hint("give one with `credential`, or use a connection string with an `ApiKey`"));
            }
        };
        Ok((address, credential))
    }
}
