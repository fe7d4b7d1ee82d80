use std::sync::Arc;

use qws_auth::{ApiKey, Credential, DefaultCredential, Host};
use qws_config::{Cloud, Files, Resolved, Settings, WorkspaceAddress};

use crate::{
    Client, ClientOptions, Error, ErrorKind, Job, JobId, Jobs, Management, Operation, Quotas, Sessions,
    Target,
    management::Resolver,
    storage::{OwnAccount, Store},
    target,
};

/// An Azure Quantum workspace: its targets and jobs. Cheap to clone, and clones share connections.
#[derive(Debug, Clone)]
pub struct Workspace {
    client: Client,
    storage: Option<Arc<OwnAccount>>,
}

impl Workspace {
    /// Connects to the workspace that the surroundings name: environment variables, the profile file, and what
    /// `az login` and `az quantum workspace set` left behind; as whoever the program is there, if no key is named.
    ///
    /// # Errors
    /// As [`WorkspaceBuilder::connect`]; the hint tells the ways to name a workspace.
    pub async fn connect() -> Result<Self, Error> {
        Self::from_environment().connect().await
    }

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
        Self::builder().connection_string(text)?.build()
    }

    /// A builder that knows nothing but what it is given.
    pub fn builder() -> WorkspaceBuilder {
        WorkspaceBuilder {
            settings: Settings::new(),
            credential: None,
            options: ClientOptions::default(),
            storage: None,
        }
    }

    /// A builder that also looks at the process's environment variables, the profile file and the Azure CLI's files. What
    /// it is given counts more; nothing of another workspace is mixed in.
    pub fn from_environment() -> WorkspaceBuilder {
        #[allow(
            clippy::disallowed_methods,
            reason = "this is the method that says it looks at the environment"
        )]
        let lookup = |name: &str| std::env::var(name).ok();
        let settings = Settings::from_lookup(lookup).with_files(&Files::from_lookup(lookup));
        WorkspaceBuilder { settings, ..Self::builder() }
    }

    /// The workspace's ids and endpoint.
    #[must_use]
    pub fn address(&self) -> Arc<WorkspaceAddress> {
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

    /// The blobs of the workspace's jobs.
    pub(crate) fn store(&self) -> Store<'_> {
        Store::new(&self.client, self.storage.as_deref())
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

    /// The target with the shortest queue among those that take jobs now and are `wanted`. One whose queue is not told
    /// comes last.
    ///
    /// # Errors
    /// [`ErrorKind::TargetUnavailable`] if there is none.
    pub async fn least_busy(&self, wanted: impl Fn(&Target) -> bool) -> Result<Target, Error> {
        let targets = self.targets().await?.into_iter();
        let open = targets.filter(|target| target.is_available() && wanted(target));
        open.min_by_key(|target| target.status().average_queue_time.unwrap_or(u64::MAX)).ok_or_else(|| {
            Error::new(ErrorKind::TargetUnavailable, "none of the wanted targets takes jobs now")
                .with_operation(Operation::ProvidersList)
                .with_hint("look at `targets()`, or try again later")
        })
    }

    /// A job, by its id, from whatever process submitted it.
    ///
    /// # Errors
    /// [`Error::is_not_found`] if the workspace has no such job.
    pub async fn job(&self, id: &JobId) -> Result<Job, Error> {
        let details = self.client.jobs().get(id).await?;
        Ok(Job::new(self.clone(), details))
    }

    /// Jobs of the workspace.
    #[must_use]
    pub fn jobs(&self) -> Jobs<'_> {
        self.client.jobs()
    }

    /// Sessions of the workspace.
    #[must_use]
    pub fn sessions(&self) -> Sessions<'_> {
        self.client.sessions()
    }

    /// Quotas of the workspace.
    #[must_use]
    pub fn quotas(&self) -> Quotas<'_> {
        self.client.quotas()
    }
}

/// Which workspace, as whom, and how.
#[derive(Debug)]
#[must_use]
pub struct WorkspaceBuilder {
    settings: Settings,
    credential: Option<Arc<dyn Credential>>,
    options: ClientOptions,
    storage: Option<Arc<OwnAccount>>,
}

/// A setter that reads a text and hands the value to the settings.
macro_rules! setters {
    ($($(#[$doc:meta])* $name:ident => $with:ident),+ $(,)?) => {$(
        $(#[$doc])*
        ///
        /// # Errors
        /// [`ErrorKind::InvalidInput`], naming what is wrong and where.
        pub fn $name(mut self, text: &str) -> Result<Self, Error> {
            let value = text.parse().map_err(|error| Error::from(error).with_operation(Operation::Connect))?;
            self.settings = self.settings.$with(value);
            Ok(self)
        }
    )+};
}

impl WorkspaceBuilder {
    setters! {
        /// The subscription, by its id.
        subscription_id => with_subscription_id,
        /// The resource group.
        resource_group => with_resource_group,
        /// The workspace's name.
        workspace_name => with_workspace_name,
        /// Where the workspace is: `eastus` or `East US`. It is needed only where the Resource Manager cannot be asked.
        location => with_location,
        /// The data plane's address. Without it the Resource Manager is asked.
        endpoint => with_endpoint,
        /// The tenant to get tokens in, where it is not the credential's own.
        tenant_id => with_tenant_id,
    }

    /// The workspace by its resource id: `/subscriptions/…/providers/Microsoft.Quantum/Workspaces/…`.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`], naming what is wrong and where.
    pub fn resource_id(mut self, text: &str) -> Result<Self, Error> {
        let id = text.parse().map_err(|error| Error::from(error).with_operation(Operation::Connect))?;
        self.settings = self.settings.with_resource_id(&id);
        Ok(self)
    }

    /// The workspace, endpoint and key of a connection string.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`], naming the part that is wrong and where.
    pub fn connection_string(mut self, text: &str) -> Result<Self, Error> {
        let parsed = text.parse().map_err(|error| Error::from(error).with_operation(Operation::Connect))?;
        self.settings = self.settings.with_connection_string(&parsed);
        Ok(self)
    }

    /// The workspace of a named profile, in the profile file; see [`Workspace::from_environment`].
    pub fn profile(mut self, name: &str) -> Self {
        self.settings = self.settings.with_profile(name);
        self
    }

    /// Settings put together elsewhere, in place of all that was set so far.
    pub fn settings(mut self, settings: Settings) -> Self {
        self.settings = settings;
        self
    }

    /// Who the program is; replaces the key of a connection string.
    pub fn credential(mut self, credential: Arc<dyn Credential>) -> Self {
        self.credential = Some(credential);
        self
    }

    /// A storage account of the caller's own, by its connection string with its key, in place of the one that is linked to
    /// the workspace: inputs and attachments of new jobs go there, and the service writes outputs there.
    ///
    /// `DefaultEndpointsProtocol=https;AccountName=…;AccountKey=…;EndpointSuffix=core.windows.net`, or with `BlobEndpoint=…`,
    /// or `UseDevelopmentStorage=true` for Azurite. Each job gets a container `job-{id}` and a link to that container alone,
    /// good for 14 days. The key stays here and signs. Jobs whose containers are elsewhere are read as ever.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`], naming the part of the string that is wrong and where; never the key.
    ///
    /// ```
    /// use qws_client::Workspace;
    ///
    /// let error = Workspace::builder().storage("AccountName=st;AccountKey=!2V5;").unwrap_err();
    /// assert!(error.to_string().contains("account key has a character that no key has at byte 26"));
    /// ```
    pub fn storage(mut self, connection_string: &str) -> Result<Self, Error> {
        let account = OwnAccount::parse(connection_string);
        self.storage = Some(Arc::new(account.map_err(|error| error.with_operation(Operation::Connect))?));
        Ok(self)
    }

    /// Transport, clock, retries and the like.
    pub fn options(mut self, options: ClientOptions) -> Self {
        self.options = options;
        self
    }

    /// Connects. The Resource Manager is asked for the endpoint, or Resource Graph for the ids, only if they are not
    /// known; otherwise nothing is sent yet. Without a key or credential, [`DefaultCredential`] finds out who the
    /// program is.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`] if no workspace is named, or two that differ; [`ErrorKind::NotFound`] if there is
    /// none of that name or id; [`ErrorKind::ForeignOrigin`] if the Resource Manager names an endpoint that is none.
    pub async fn connect(mut self) -> Result<Workspace, Error> {
        let resolved = self.resolve()?;
        let credential = match self.explicit_credential(&resolved)? {
            Some(credential) => credential,
            None => self.default_credential(&resolved)?,
        };
        let finder = self.resolver(&resolved, &credential)?;
        let address = finder.address().await?;
        let client = Client::with_resolver(address, credential, &self.options, Some(finder))?;
        Ok(Workspace { client, storage: self.storage })
    }

    /// The workspace, where everything is given: ids, endpoint, and a key or credential. Nothing is asked for and nothing
    /// is sent, so there is nothing to wait for.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`] or [`ErrorKind::Credential`] if something is missing, which
    /// [`WorkspaceBuilder::connect`] would find out.
    pub fn build(mut self) -> Result<Workspace, Error> {
        let resolved = self.resolve()?;
        let missing = |kind, text| {
            Error::new(kind, text)
                .with_operation(Operation::Connect)
                .with_hint("`connect().await` finds it out")
        };
        let address = resolved.address().cloned();
        let address = address
            .ok_or_else(|| missing(ErrorKind::InvalidInput, "the workspace's endpoint is not given"))?;
        let credential = self.explicit_credential(&resolved)?;
        let credential = credential
            .ok_or_else(|| missing(ErrorKind::Credential, "neither a key nor a credential is given"))?;
        let client = Client::new(address, credential, &self.options)?;
        Ok(Workspace { client, storage: self.storage })
    }

    /// The settings put together; what they say about cloud, tenant and program goes into the options.
    fn resolve(&mut self) -> Result<Resolved, Error> {
        let resolved =
            self.settings.resolve().map_err(|error| Error::from(error).with_operation(Operation::Connect))?;
        let mut options = std::mem::take(&mut self.options);
        if *resolved.cloud() != Cloud::public() {
            options = options.cloud(resolved.cloud().clone());
        }
        if let Some(tenant) = resolved.tenant_id() {
            options = options.tenant(tenant.clone());
        }
        if let Some(id) = resolved.app_id() {
            options = options.application_id(id);
        }
        // One transport for data plane, Resource Manager and sign-in.
        self.options = options.with_shared_transport()?;
        Ok(resolved)
    }

    fn explicit_credential(&self, resolved: &Resolved) -> Result<Option<Arc<dyn Credential>>, Error> {
        match (&self.credential, resolved.api_key()) {
            (Some(credential), _) => Ok(Some(credential.clone())),
            (None, Some(key)) => Ok(Some(Arc::new(ApiKey::new(key.clone())?))),
            (None, None) => Ok(None),
        }
    }

    fn default_credential(&self, resolved: &Resolved) -> Result<Arc<dyn Credential>, Error> {
        let authority = resolved.cloud().authority();
        let url =
            authority.for_secrets().map_err(|error| Error::from(error).with_operation(Operation::Connect))?;
        let mut host = Host::from_process().with_authority_host(url.as_str())?;
        if let Some(transport) = self.options.shared_transport() {
            host = host.with_transport(transport.clone());
        }
        let mut builder = DefaultCredential::builder().host(host);
        if let Some(id) = resolved.client_id() {
            builder = builder.managed_identity_client_id(id);
        }
        Ok(Arc::new(builder.build()?))
    }

    fn resolver(&self, resolved: &Resolved, credential: &Arc<dyn Credential>) -> Result<Resolver, Error> {
        let management = Management::new(credential.clone(), &self.options)?;
        let url = resolved.cloud().resource_manager().as_url();
        let local = qws_config::Endpoint::custom(url.as_str()).is_ok_and(|endpoint| endpoint.is_loopback());
        Ok(Resolver::new(management, local, resolved.workspace().clone()))
    }
}
