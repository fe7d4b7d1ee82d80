use std::{
    fmt,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use bytes::Bytes;
use futures::future::{BoxFuture, FutureExt};
use qws_auth::Credential;
use qws_config::WorkspaceAddress;

use crate::{
    ClientOptions, Error, Items, Jobs, Providers, Quotas, Sessions, Storage, SuiteOffers,
    management::Resolver,
    pipeline::{Origin, Pipeline},
    request::{Base, Request},
};

/// The typed REST client of one workspace: one method an operation. Cheap to clone.
///
/// Most programs want the handles above it, from [`crate::Workspace`].
#[derive(Clone)]
pub struct Client {
    pipeline: Pipeline,
    home: Arc<Home>,
}

/// The workspace's address, which may be looked up anew.
#[derive(Debug)]
struct Home {
    known: RwLock<(Arc<WorkspaceAddress>, Arc<Base>)>,
    resolver: Option<Resolver>,
    api_version: String,
}

impl Home {
    fn known(&self) -> (Arc<WorkspaceAddress>, Arc<Base>) {
        self.known.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Origin for Home {
    fn base(&self) -> Arc<Base> {
        self.known().1
    }

    fn renew(&self) -> BoxFuture<'_, Result<Option<Arc<Base>>, Error>> {
        async {
            let Some(resolver) = &self.resolver else { return Ok(None) };
            let address = Arc::new(resolver.address_anew().await?);
            let base = Arc::new(Base::of_workspace(&address, &self.api_version));
            *self.known.write().unwrap_or_else(PoisonError::into_inner) = (address, base.clone());
            Ok(Some(base))
        }
        .boxed()
    }
}

impl Client {
    /// A client for this workspace with this credential. Nothing is sent.
    ///
    /// # Errors
    /// [`crate::ErrorKind::InvalidInput`] for an application id that cannot stand in a user agent;
    /// [`crate::ErrorKind::Other`] if HTTP cannot be set up (no TLS provider is compiled in, or the extra root
    /// certificates cannot be read).
    pub fn new(
        address: WorkspaceAddress,
        credential: Arc<dyn Credential>,
        options: &ClientOptions,
    ) -> Result<Self, Error> {
        Self::with_resolver(address, credential, options, None)
    }

    /// A client that looks its endpoint up anew, once a call, when the service says that it is the wrong one.
    pub(crate) fn with_resolver(
        address: WorkspaceAddress,
        credential: Arc<dyn Credential>,
        options: &ClientOptions,
        resolver: Option<Resolver>,
    ) -> Result<Self, Error> {
        let api_version = options.version().to_owned();
        let base = Arc::new(Base::of_workspace(&address, &api_version));
        let home = Arc::new(Home { known: RwLock::new((Arc::new(address), base)), resolver, api_version });
        let scope = options.in_cloud().quantum_scope();
        let pipeline = Pipeline::new(home.clone(), credential, scope, options)?;
        Ok(Self { pipeline, home })
    }

    /// The same client with another limit for its single calls, retries included; `None` for no limit.
    #[must_use]
    pub fn with_deadline(mut self, deadline: impl Into<Option<Duration>>) -> Self {
        self.pipeline = self.pipeline.with_deadline(deadline.into());
        self
    }

    /// Jobs of the workspace.
    #[must_use]
    pub fn jobs(&self) -> Jobs<'_> {
        Jobs::new(&self.pipeline)
    }

    /// Sessions of the workspace.
    #[must_use]
    pub fn sessions(&self) -> Sessions<'_> {
        Sessions::new(&self.pipeline)
    }

    /// Top-level items: sessions, and jobs outside of any.
    #[must_use]
    pub fn items(&self) -> Items<'_> {
        Items::new(&self.pipeline)
    }

    /// Providers of the workspace and their targets.
    #[must_use]
    pub fn providers(&self) -> Providers<'_> {
        Providers::new(&self.pipeline)
    }

    /// Quotas of the workspace.
    #[must_use]
    pub fn quotas(&self) -> Quotas<'_> {
        Quotas::new(&self.pipeline)
    }

    /// Suite offers of the workspace's subscription.
    #[must_use]
    pub fn suite_offers(&self) -> SuiteOffers<'_> {
        SuiteOffers::new(&self.pipeline)
    }

    /// Links to the workspace's storage.
    #[must_use]
    pub fn storage(&self) -> Storage<'_> {
        Storage::new(&self.pipeline)
    }

    /// Sends a request of your own making through the same pipeline: credential, api-version, retries, deadline.
    ///
    /// `path` is under the workspace, already encoded, and may bring a query: `jobs?top=1`. The answer comes as it is,
    /// whatever its status. GET, PUT, DELETE and their like are repeated on trouble, POST and PATCH are not.
    ///
    /// # Errors
    /// Only where no answer came, or the path cannot stand in a URL.
    pub async fn raw(
        &self,
        method: http::Method,
        path: &str,
        body: Option<&serde_json::Value>,
    ) -> Result<http::Response<Bytes>, Error> {
        let request = Request::raw(method, path);
        let request = match body {
            Some(body) => request.json(body)?,
            None => request,
        };
        self.pipeline.raw(&request).await
    }

    /// The workspace, with the endpoint that is used now.
    #[must_use]
    pub fn address(&self) -> Arc<WorkspaceAddress> {
        self.home.known().0
    }

    /// The credential.
    #[must_use]
    pub fn credential(&self) -> &Arc<dyn Credential> {
        self.pipeline.credential()
    }

    pub(crate) fn pipeline(&self) -> &Pipeline {
        &self.pipeline
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("address", &self.address())
            .field("credential", &self.credential().describe())
            .finish_non_exhaustive()
    }
}
