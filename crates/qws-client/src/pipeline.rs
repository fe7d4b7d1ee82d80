//! The way of every request, to the data plane and to the Resource Manager: origin check, credential, retries, deadline,
//! and an error for every answer that is no success.

use std::{fmt, sync::Arc, time::Duration};

use bytes::Bytes;
use futures::future::BoxFuture;
use http::HeaderValue;
use qws_auth::{Audience, AuthRequest, Authorizer, Credential};
use qws_http::{Answer, Call, Http};
use serde::de::DeserializeOwned;
use tracing::{Instrument, Span, field};
use url::Url;

use crate::{
    ClientOptions, Error, ErrorKind, Operation, hint,
    request::{Base, Request},
};

/// Where requests go; may be told anew when the service says that it is the wrong place.
pub(crate) trait Origin: Send + Sync + fmt::Debug {
    /// The place as it is known now.
    fn base(&self) -> Arc<Base>;

    /// Finds the place again; `None` if there is nothing new to find.
    fn renew(&self) -> BoxFuture<'_, Result<Option<Arc<Base>>, Error>>;
}

/// Sends requests as one identity to one origin. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Pipeline {
    inner: Arc<Inner>,
    deadline: Option<Duration>,
}

struct Inner {
    origin: Arc<dyn Origin>,
    credential: Arc<dyn Credential>,
    authorize: AuthRequest,
    http: Http,
    user_agent: HeaderValue,
}

impl Pipeline {
    pub(crate) fn new(
        origin: Arc<dyn Origin>,
        credential: Arc<dyn Credential>,
        scope: &str,
        options: &ClientOptions,
    ) -> Result<Self, Error> {
        let audience = match scope {
            scope if scope == Audience::QUANTUM.scope() => Audience::QUANTUM,
            scope if scope == Audience::RESOURCE_MANAGER.scope() => Audience::RESOURCE_MANAGER,
            other => Audience::from_scope(other),
        };
        let inner = Inner {
            origin,
            credential,
            authorize: AuthRequest::new(audience).with_tenant(options.in_tenant().cloned()),
            http: options.http()?,
            user_agent: options.user_agent()?,
        };
        Ok(Self { inner: Arc::new(inner), deadline: options.call_deadline() })
    }

    pub(crate) fn with_deadline(mut self, deadline: Option<Duration>) -> Self {
        self.deadline = deadline;
        self
    }

    pub(crate) fn deadline(&self) -> Option<Duration> {
        self.deadline
    }

    pub(crate) fn http(&self) -> &Http {
        &self.inner.http
    }

    pub(crate) fn credential(&self) -> &Arc<dyn Credential> {
        &self.inner.credential
    }

    /// The address of a link, which may be relative. Whether it may be followed is decided when it is sent.
    pub(crate) fn link(&self, link: &str) -> Result<Url, Error> {
        let joined = self.inner.origin.base().url().join(link);
        joined.map_err(|_| Error::new(ErrorKind::MalformedAnswer, "the link to the next page is no URL"))
    }

    /// Sends a request and reads its answer as `T`.
    pub(crate) async fn fetch<T: DeserializeOwned>(&self, request: &Request) -> Result<T, Error> {
        let answer = self.send(request).await?;
        decode(answer.response.body()).map_err(|problem| malformed(request.operation, &answer, &problem))
    }

    /// Sends a request; an answer that is no success is an error. If the service says that it has the wrong place, the
    /// place is looked up anew, once.
    pub(crate) async fn send(&self, request: &Request) -> Result<Answer, Error> {
        let base = self.inner.origin.base();
        let error = match self.once(request, &base).await {
            Err(error) if error.kind() == ErrorKind::WrongEndpoint => error,
            done => return done,
        };
        match self.inner.origin.renew().await {
            Ok(Some(found)) if found.url() != base.url() => self.once(request, &found).await,
            _ => Err(error),
        }
    }

    async fn once(&self, request: &Request, base: &Base) -> Result<Answer, Error> {
        let (answer, with_api_key) = self.answer(request, base).await?;
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

    /// The answer to a request, whatever its status.
    pub(crate) async fn raw(&self, request: &Request) -> Result<http::Response<Bytes>, Error> {
        Ok(self.answer(request, &self.inner.origin.base()).await?.0.response)
    }

    /// The answer, whatever its status, and whether an API key went with the request.
    async fn answer(&self, request: &Request, base: &Base) -> Result<(Answer, bool), Error> {
        let http_request = request.build(base, &self.inner.user_agent)?;
        // Names of OpenTelemetry's semantic conventions for HTTP clients. Path and query are left out: ids are the
        // caller's business, and a query may hold a link's secret.
        let span = tracing::info_span!(
            "azure_quantum",
            otel.name = request.operation.as_str(),
            http.request.method = http_request.method().as_str(),
            server.address = base.url().host_str().unwrap_or_default(),
            server.port = base.url().port_or_known_default(),
            http.response.status_code = field::Empty,
            http.request.resend_count = field::Empty,
            error.r#type = field::Empty,
        );
        self.call(request, http_request).instrument(span).await
    }

    async fn call(
        &self,
        request: &Request,
        http_request: http::Request<Bytes>,
    ) -> Result<(Answer, bool), Error> {
        let inner = &*self.inner;
        let authorizer = Authorizer::new(&*inner.credential, inner.authorize.clone());
        let call = Call::new(http_request)
            .repeatable(request.repeatable)
            .deadline(self.deadline)
            .authorize(&authorizer);
        let answer = inner.http.send(call).await;
        let with_api_key = authorizer.sent_api_key();
        let span = Span::current();
        match answer {
            Ok(answer) => {
                span.record("http.response.status_code", answer.response.status().as_u16());
                span.record("http.request.resend_count", answer.attempts.saturating_sub(1));
                Ok((answer, with_api_key))
            }
            Err(failure) => {
                let error = Error::from_failure(request.operation, failure);
                span.record("http.request.resend_count", error.attempts().saturating_sub(1));
                span.record("error.type", field::debug(error.kind()));
                Err(match hint::advice(error.kind(), with_api_key) {
                    Some(text) if error.hint().is_none() => error.with_hint(text),
                    _ => error,
                })
            }
        }
    }
}

impl fmt::Debug for Pipeline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pipeline")
            .field("origin", &self.inner.origin)
            .field("credential", &self.inner.credential.describe())
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
