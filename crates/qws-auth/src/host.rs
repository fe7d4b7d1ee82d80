use std::{
    fmt,
    io::IsTerminal,
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
    time::Duration,
};

use qws_http::{BoxError, Clock, Http, HyperTransport, RetryPolicy, SystemClock, Transport};

use crate::{AuthError, TokenCache, authority::Authority};

type Lookup = dyn Fn(&str) -> Option<String> + Send + Sync;

/// What a credential sees of the machine it runs on: environment variables, clock, network, and how long to wait.
///
/// Credentials use [`Host::from_process`] unless told otherwise. Cheap to clone; clones share connections.
#[derive(Clone)]
pub struct Host {
    variables: Arc<Lookup>,
    clock: Arc<dyn Clock>,
    internet: Network,
    nearby: Network,
    authority: Option<Authority>,
    deadline: Duration,
    system_root: Option<PathBuf>,
    terminal: Option<bool>,
    cache: Option<TokenCache>,
}

/// A transport that is made when it is first used, so that making a credential cannot fail for want of TLS.
#[derive(Clone)]
struct Network {
    made: Arc<OnceLock<Made>>,
    make: fn() -> Result<HyperTransport, BoxError>,
}

type Made = Result<Arc<dyn Transport>, Arc<str>>;

impl Network {
    fn lazy(make: fn() -> Result<HyperTransport, BoxError>) -> Self {
        Self { made: Arc::default(), make }
    }

    fn ready(transport: Arc<dyn Transport>) -> Self {
        Self { made: Arc::new(OnceLock::from(Ok(transport))), make: HyperTransport::new }
    }

    fn transport(&self) -> Result<Arc<dyn Transport>, AuthError> {
        let made = self.made.get_or_init(|| match (self.make)() {
            Ok(transport) => Ok(Arc::new(transport)),
            Err(error) => Err(error.to_string().into()),
        });
        made.clone()
            .map_err(|why| AuthError::refused("cannot set up the network").with_source(why.to_string()))
    }
}

impl Host {
    /// The process's own environment variables, the machine's clock and network.
    #[must_use]
    pub fn from_process() -> Self {
        // The one place of this crate that reads the process's environment; everywhere else a `Host` is asked.
        Self::new(|name| std::env::var_os(name)?.into_string().ok())
    }

    /// The machine's clock and network, with environment variables looked up by this function.
    ///
    /// ```
    /// let host = qws_auth::Host::new(|name| (name == "AZURE_CLIENT_ID").then(|| "1111".into()));
    /// ```
    #[must_use]
    pub fn new(variables: impl Fn(&str) -> Option<String> + Send + Sync + 'static) -> Self {
        Self {
            variables: Arc::new(variables),
            clock: Arc::new(SystemClock::new()),
            internet: Network::lazy(HyperTransport::new),
            nearby: Network::lazy(|| HyperTransport::builder().for_identity_endpoints().build()),
            authority: None,
            deadline: Duration::from_secs(30),
            system_root: None,
            terminal: None,
            cache: None,
        }
    }

    /// Sends requests to Entra ID through this transport: with further root certificates, for example.
    ///
    /// Managed identity endpoints keep their own, which never uses a proxy.
    #[must_use]
    pub fn with_transport(mut self, transport: Arc<dyn Transport>) -> Self {
        self.internet = Network::ready(transport);
        self
    }

    #[doc(hidden)]
    #[must_use]
    pub fn with_identity_transport(mut self, transport: Arc<dyn Transport>) -> Self {
        self.nearby = Network::ready(transport);
        self
    }

    /// Keeps tokens on disk, for the credentials that can: see [`TokenCache`]. Default: in memory only.
    #[must_use]
    pub fn with_token_cache(mut self, cache: TokenCache) -> Self {
        self.cache = Some(cache);
        self
    }

    #[doc(hidden)]
    #[must_use]
    pub fn with_system_root(mut self, root: impl Into<PathBuf>) -> Self {
        self.system_root = Some(root.into());
        self
    }

    #[doc(hidden)]
    #[must_use]
    pub fn with_terminal(mut self, terminal: bool) -> Self {
        self.terminal = Some(terminal);
        self
    }

    /// Goes by this clock.
    #[must_use]
    pub fn with_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// How long one token request to Entra ID or App Service may take, repetitions included. Default 30 s.
    #[must_use]
    pub fn with_deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// The host that signs in, in place of `AZURE_AUTHORITY_HOST` and `login.microsoftonline.com`: a sovereign
    /// cloud's, for example `login.microsoftonline.us`.
    ///
    /// # Errors
    /// [`crate::AuthErrorKind::InvalidInput`] unless it is a host name or an https URL without user information and
    /// query; http is taken for this machine only, for tests.
    pub fn with_authority_host(mut self, host: &str) -> Result<Self, AuthError> {
        self.authority = Some(Authority::from_code(host)?);
        Ok(self)
    }

    /// A variable of the environment; empty counts as not set.
    pub(crate) fn variable(&self, name: &str) -> Option<String> {
        (self.variables)(name).filter(|value| !value.is_empty())
    }

    /// Whether a variable is there, even if it is empty.
    pub(crate) fn has_variable(&self, name: &str) -> bool {
        (self.variables)(name).is_some()
    }

    /// Where a file of the operating system or of one of its services lies, given by its absolute path.
    pub(crate) fn system_path(&self, absolute: &str) -> PathBuf {
        match &self.system_root {
            Some(root) => root.join(absolute.trim_start_matches('/')),
            None => Path::new(absolute).to_owned(),
        }
    }

    pub(crate) fn token_cache(&self) -> Option<&TokenCache> {
        self.cache.as_ref()
    }

    /// Whether a person may be sitting in front of the program.
    pub(crate) fn has_terminal(&self) -> bool {
        let found = || std::io::stdin().is_terminal() || std::io::stderr().is_terminal();
        self.terminal.unwrap_or_else(found)
    }

    pub(crate) fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    pub(crate) fn deadline(&self) -> Duration {
        self.deadline
    }

    /// For Entra ID.
    pub(crate) fn internet(&self) -> Result<Http, AuthError> {
        Ok(Http::new(self.internet.transport()?).with_clock(self.clock.clone()))
    }

    /// For the identity endpoints of this machine: no proxy, plain http to nearby literal addresses.
    pub(crate) fn nearby(&self, retry: RetryPolicy) -> Result<Http, AuthError> {
        Ok(Http::new(self.nearby.transport()?).with_clock(self.clock.clone()).with_retry(retry))
    }

    pub(crate) fn authority(&self) -> Result<Authority, AuthError> {
        match (&self.authority, self.variable("AZURE_AUTHORITY_HOST")) {
            (Some(authority), _) => Ok(authority.clone()),
            (None, Some(host)) => Authority::from_environment(&host),
            (None, None) => Ok(Authority::public()),
        }
    }
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Host")
            .field("clock", &self.clock)
            .field("authority", &self.authority)
            .field("deadline", &self.deadline)
            .finish_non_exhaustive()
    }
}
