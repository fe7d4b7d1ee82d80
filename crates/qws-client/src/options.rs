use std::{sync::Arc, time::Duration};

use http::HeaderValue;
use qws_config::{Cloud, TenantId};
use qws_http::{BoxError, Clock, Http, HyperTransport, RetryPolicy, Transport};

use crate::{Error, ErrorKind, Operation};

/// The version of the data plane's REST API that is asked for unless another is set.
pub const API_VERSION: &str = "2026-01-15-preview";

/// How clients work: what they send through, what time they go by, when they try again, in which cloud.
#[derive(Debug, Clone)]
#[must_use]
pub struct ClientOptions {
    transport: Option<Arc<dyn Transport>>,
    clock: Option<Arc<dyn Clock>>,
    retry: RetryPolicy,
    api_version: String,
    application_id: Option<String>,
    deadline: Option<Duration>,
    cloud: Cloud,
    tenant: Option<TenantId>,
}

impl Default for ClientOptions {
    fn default() -> Self {
        Self {
            transport: None,
            clock: None,
            retry: RetryPolicy::default(),
            api_version: API_VERSION.to_owned(),
            application_id: None,
            deadline: Some(Duration::from_secs(300)),
            cloud: Cloud::public(),
            tenant: None,
        }
    }
}

impl ClientOptions {
    /// Sends through this transport in place of a new [`HyperTransport`].
    pub fn transport(mut self, transport: Arc<dyn Transport>) -> Self {
        self.transport = Some(transport);
        self
    }

    /// Goes by this clock in place of the machine's.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = Some(clock);
        self
    }

    /// When failed calls are repeated.
    pub fn retry(mut self, retry: RetryPolicy) -> Self {
        self.retry = retry;
        self
    }

    /// Asks for another version of the data plane's REST API than [`API_VERSION`].
    pub fn api_version(mut self, version: impl Into<String>) -> Self {
        self.api_version = version.into();
        self
    }

    /// Puts the name of your program in front of the user agent: 1 to 24 letters, digits, `-`, `_` or `.`.
    pub fn application_id(mut self, id: impl Into<String>) -> Self {
        self.application_id = Some(id.into());
        self
    }

    /// Ends every single call after this time, retries included. Default: 5 minutes; `None` for no limit.
    pub fn deadline(mut self, deadline: impl Into<Option<Duration>>) -> Self {
        self.deadline = deadline.into();
        self
    }

    /// Another cloud than the public one: Resource Manager, token scopes, extra root certificates. A transport of your
    /// own does not see the certificates.
    pub fn cloud(mut self, cloud: Cloud) -> Self {
        self.cloud = cloud;
        self
    }

    /// Asks the credential for tokens of this tenant, in place of its own.
    pub fn tenant(mut self, tenant: TenantId) -> Self {
        self.tenant = Some(tenant);
        self
    }

    pub(crate) fn http(&self) -> Result<Http, Error> {
        let transport = match &self.transport {
            Some(transport) => transport.clone(),
            None => self.made_transport()?,
        };
        let http = Http::new(transport).with_retry(self.retry.clone());
        Ok(match &self.clock {
            Some(clock) => http.with_clock(clock.clone()),
            None => http,
        })
    }

    /// The same options with their transport made, so that all clients made from them share it.
    pub(crate) fn with_shared_transport(mut self) -> Result<Self, Error> {
        if self.transport.is_none() {
            self.transport = Some(self.made_transport()?);
        }
        Ok(self)
    }

    pub(crate) fn shared_transport(&self) -> Option<&Arc<dyn Transport>> {
        self.transport.as_ref()
    }

    fn made_transport(&self) -> Result<Arc<dyn Transport>, Error> {
        let made = self.new_transport().map_err(|error| {
            Error::new(ErrorKind::Other, "cannot set up HTTP")
                .with_operation(Operation::Connect)
                .with_source(error)
        })?;
        Ok(Arc::new(made))
    }

    fn new_transport(&self) -> Result<HyperTransport, BoxError> {
        let builder = HyperTransport::builder();
        let Some(path) = self.cloud.ca_file() else { return builder.build() };
        let told =
            |error: BoxError| BoxError::from(format!("root certificates in {}: {error}", path.display()));
        let pem = std::fs::read(path).map_err(|error| told(error.into()))?;
        builder.add_root_pem(&pem).map_err(told)?.build()
    }

    /// `[application] azsdk-rust-qws-client/VERSION (OS; ARCH)`, in the form that Azure's services count clients by.
    pub(crate) fn user_agent(&self) -> Result<HeaderValue, Error> {
        let version = env!("CARGO_PKG_VERSION");
        let (os, arch) = (std::env::consts::OS, std::env::consts::ARCH);
        let own = format!("azsdk-rust-qws-client/{version} ({os}; {arch})");
        let invalid =
            |text: &str| Error::new(ErrorKind::InvalidInput, text).with_operation(Operation::Connect);
        let text = match &self.application_id {
            None => own,
            Some(id) => {
                let fine = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
                if id.is_empty() || id.len() > 24 || !id.chars().all(fine) {
                    return Err(invalid("an application id has 1 to 24 letters, digits, '-', '_' or '.'"));
                }
                format!("{id} {own}")
            }
        };
        HeaderValue::try_from(text).map_err(|_| invalid("the user agent cannot stand in a header"))
    }

    pub(crate) fn version(&self) -> &str {
        &self.api_version
    }

    pub(crate) fn call_deadline(&self) -> Option<Duration> {
        self.deadline
    }

    pub(crate) fn in_cloud(&self) -> &Cloud {
        &self.cloud
    }

    pub(crate) fn in_tenant(&self) -> Option<&TenantId> {
        self.tenant.as_ref()
    }
}
