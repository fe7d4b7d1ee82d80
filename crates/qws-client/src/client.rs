use std::{fmt, sync::Arc, time::Duration};

use bytes::Bytes;
use http::HeaderValue;
use qws_auth::{Audience, AuthRequest, Authorizer, Credential};
use qws_config::WorkspaceAddress;
use qws_http::{Answer, Call, Clock, Http, ReqwestTransport, RetryPolicy, Transport};
use serde::de::DeserializeOwned;

use crate::{
    Error, ErrorKind, Items, Jobs, Operation, Providers, Quotas, Sessions, Storage, SuiteOffers, hint,
    request::Request,
};

/// The version of the data plane's REST API that is asked for unless another is set.
pub const API_VERSION: &str = "2026-01-15-preview";

/// The typed REST client of one workspace: one method an operation. Cheap to clone.
///
/// Most programs want the handles above it, from [`crate::Workspace`].
#[derive(Clone)]
pub struct Client {
    inner: Arc<Inner>,
    deadline: Option<Duration>,
}

struct Inner {
    address: WorkspaceAddress,
    credential: Arc<dyn Credential>,
    http: Http,
    api_version: String,
    user_agent: HeaderValue,
}

/// How a [`Client`] works: what it sends through, what time it goes by, when it tries again.
#[derive(Debug, Clone)]
#[must_use]
pub struct ClientOptions {
    transport: Option<Arc<dyn Transport>>,
    clock: Option<Arc<dyn Clock>>,
    retry: RetryPolicy,
    api_version: String,
    application_id: Option<String>,
    deadline: Option<Duration>,
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
        }
    }
}

impl ClientOptions {
    /// Sends through this transport in place of a new [`ReqwestTransport`].
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

    /// Asks for another version of the REST API than [`API_VERSION`].
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

    fn http(&self) -> Result<Http, Error> {
        let transport = match &self.transport {
            Some(transport) => transport.clone(),
            None => Arc::new(ReqwestTransport::new().map_err(|error| {
                Error::new(ErrorKind::Other, "cannot set up HTTP")
                    .with_operation(Operation::Connect)
                    .with_source(error)
            })?),
        };
        let http = Http::new(transport).with_retry(self.retry.clone());
        Ok(match &self.clock {
            Some(clock) => http.with_clock(clock.clone()),
            None => http,
        })
    }
}

/// `[application] azsdk-rust-qws-client/VERSION (OS; ARCH)`, in the form that Azure's services count clients by.
fn user_agent(application: Option<&str>) -> Result<HeaderValue, Error> {
    let version = env!("CARGO_PKG_VERSION");
    let (os, arch) = (std::env::consts::OS, std::env::consts::ARCH);
    let own = format!("azsdk-rust-qws-client/{version} ({os}; {arch})");
    let text = match application {
        None => own,
        Some(id) => {
            let fine = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
            if id.is_empty() || id.len() > 24 || !id.chars().all(fine) {
                let text = "an application id has 1 to 24 letters, digits, '-', '_' or '.'";
                return Err(Error::new(ErrorKind::InvalidInput, text).with_operation(Operation::Connect));
            }
            format!("{id} {own}")
        }
    };
    HeaderValue::try_from(text).map_err(|error| Error::new(ErrorKind::InvalidInput, error.to_string()))
}

impl Client {
    /// A client for this workspace with this credential. Nothing is sent.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`] for an application id that cannot stand in a user agent; [`ErrorKind::Other`] if no
    /// TLS provider is compiled in.
    pub fn new(
        address: WorkspaceAddress,
        credential: Arc<dyn Credential>,
        options: &ClientOptions,
    ) -> Result<Self, Error> {
        let inner = Inner {
            address,
            credential,
            http: options.http()?,
            user_agent: user_agent(options.application_id.as_deref())?,
            api_version: options.api_version.clone(),
        };
        Ok(Self { inner: Arc::new(inner), deadline: options.deadline })
    }

    /// The same client with another limit for its single calls, retries included; `None` for no limit.
    #[must_use]
    pub fn with_deadline(mut self, deadline: impl Into<Option<Duration>>) -> Self {
        self.deadline = deadline.into();
        self
    }

    /// Jobs of the workspace.
    #[must_use]
    pub fn jobs(&self) -> Jobs<'_> {
        Jobs::new(self)
    }

    /// Sessions of the workspace.
    #[must_use]
    pub fn sessions(&self) -> Sessions<'_> {
        Sessions::new(self)
    }

    /// Top-level items: sessions, and jobs outside of any.
    #[must_use]
    pub fn items(&self) -> Items<'_> {
        Items::new(self)
    }

    /// Providers of the workspace and their targets.
    #[must_use]
    pub fn providers(&self) -> Providers<'_> {
        Providers::new(self)
    }

    /// Quotas of the workspace.
    #[must_use]
    pub fn quotas(&self) -> Quotas<'_> {
        Quotas::new(self)
    }

    /// Suite offers of the workspace's subscription.
    #[must_use]
    pub fn suite_offers(&self) -> SuiteOffers<'_> {
        SuiteOffers::new(self)
    }

    /// Links to the workspace's storage.
    #[must_use]
    pub fn storage(&self) -> Storage<'_> {
        Storage::new(self)
    }

    /// The workspace.
    #[must_use]
    pub fn address(&self) -> &WorkspaceAddress {
        &self.inner.address
    }

    /// The credential.
    #[must_use]
    pub fn credential(&self) -> &Arc<dyn Credential> {
        &self.inner.credential
    }

    pub(crate) fn http(&self) -> &Http {
        &self.inner.http
    }

    pub(crate) fn deadline(&self) -> Option<Duration> {
        self.deadline
    }

    /// Sends a request and reads its answer as `T`.
    pub(crate) async fn fetch<T: DeserializeOwned>(&self, request: &Request) -> Result<T, Error> {
        let answer = self.send(request).await?;
        decode(answer.response.body()).map_err(|problem| malformed(request.operation, &answer, &problem))
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
        Ok(self.answer(&request).await?.0.response)
    }

    /// Sends a request; an answer that is no success is an error.
    pub(crate) async fn send(&self, request: &Request) -> Result<Answer, Error> {
        let (answer, with_api_key) = self.answer(request).await?;
        let status = answer.response.status();
        if request.ok.contains(&status.as_u16()) {
            return Ok(answer);
        }
        let (headers, body) = (answer.response.headers(), answer.response.body());
        let error = hint::for_answer(request.operation, status, headers, body, with_api_key);
        Err(error
            .with_attempts(answer.attempts, answer.elapsed)
            .with_maybe_done_before(answer.maybe_done_before))
    }

    /// The answer to a request, whatever its status, and whether an API key went with it: origin check, credential,
    /// retries, deadline.
    async fn answer(&self, request: &Request) -> Result<(Answer, bool), Error> {
        let inner = &*self.inner;
        let address = &inner.address;
        let http_request = request.build(
            address.endpoint(),
            address.resource_id(),
            &inner.api_version,
            &inner.user_agent,
        )?;
        let authorizer = Authorizer::new(&*inner.credential, AuthRequest::new(Audience::QUANTUM));
        let call = Call::new(http_request)
            .repeatable(request.repeatable)
            .deadline(self.deadline)
            .authorize(&authorizer);
        let answer = inner.http.send(call).await;
        let with_api_key = authorizer.sent_api_key();
        let answer = answer.map_err(|failure| {
            let error = Error::from_failure(request.operation, failure);
            match hint::advice(error.kind(), with_api_key) {
                Some(text) if error.hint().is_none() => error.with_hint(text),
                _ => error,
            }
        })?;
        Ok((answer, with_api_key))
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("address", &self.inner.address)
            .field("credential", &self.inner.credential.describe())
            .field("api_version", &self.inner.api_version)
            .finish_non_exhaustive()
    }
}

/// Where and how an answer is not what it should be. Values are left out: they may hold signatures.
struct Problem {
    path: String,
    line: usize,
    column: usize,
    cut_off: bool,
}

/// Reads JSON. Only when that fails is it read once more, slowly, to find out where.
fn decode<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    serde_json::from_slice(body).or_else(|_| {
        let mut deserializer = serde_json::Deserializer::from_slice(body);
        serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
            let inner = error.inner();
            let (line, column, cut_off) = (inner.line(), inner.column(), inner.is_eof());
            Problem { path: error.path().to_string(), line, column, cut_off }
        })
    })
}

fn malformed(operation: Operation, answer: &Answer, problem: &Problem) -> Error {
    let response = &answer.response;
    let content_type =
        response.headers().get(http::header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let length = response.body().len();
    let text = match content_type {
        _ if length == 0 => "the answer is empty".to_owned(),
        Some(other) if !other.contains("json") => format!("the answer is {other} and not JSON"),
        _ => {
            let Problem { path, line, column, cut_off } = problem;
            let what =
                if *cut_off { "the answer ends in the middle" } else { "the answer is not as promised" };
            format!("{what}, at `{path}` (line {line}, column {column}, {length} bytes)")
        }
    };
    Error::new(ErrorKind::MalformedAnswer, text)
        .with_operation(operation)
        .with_status(response.status())
        .with_attempts(answer.attempts, answer.elapsed)
        .with_hint("check that the endpoint is that of a workspace and that no proxy answers in its place")
}
