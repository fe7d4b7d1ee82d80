use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use azure_core::Uuid;
use bytes::Bytes;
use futures::future::{Either, select};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use tracing::{Instrument, Span, field};

use crate::{Clock, ResponseBody, RetryPolicy, SystemClock, Transport, TransportError, retry_after};

/// Any error, boxed.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// One id per call, the same on all its attempts, for finding the call in the service's logs.
const CLIENT_REQUEST_ID: HeaderName = HeaderName::from_static("x-ms-client-request-id");

/// Of an error answer no more than this is read: it is cut there, so that a long page never hides the status.
pub(crate) const ERROR_BODY_LIMIT_BYTES: usize = 64 * 1024;

/// Adds what lets a request through, before each of its attempts.
#[async_trait]
pub trait Authorize: Send + Sync {
    /// Adds headers to one attempt.
    ///
    /// # Errors
    /// Whatever kept the headers from being made; the call ends with it as [`FailureKind::Authorize`].
    async fn authorize(&self, headers: &mut HeaderMap) -> Result<(), BoxError>;

    /// Told of a 401; `true` asks for one more attempt with new headers. It is asked once a call.
    ///
    /// # Errors
    /// As [`Authorize::authorize`].
    async fn refused(&self, _answer: &HeaderMap) -> Result<bool, BoxError> {
        Ok(false)
    }
}

/// One call: a request and the rules for sending it.
#[must_use]
pub struct Call<'a> {
    request: http::Request<Bytes>,
    repeatable: bool,
    deadline: Option<Duration>,
    body_limit_bytes: usize,
    authorize: Option<&'a dyn Authorize>,
}

impl<'a> Call<'a> {
    /// A call that is sent once, without deadline, whose answer may have 64 MiB.
    pub fn new(request: http::Request<Bytes>) -> Self {
        Self { request, repeatable: false, deadline: None, body_limit_bytes: 64 << 20, authorize: None }
    }

    /// Says that sending the request twice does what sending it once does.
    pub fn repeatable(mut self, repeatable: bool) -> Self {
        self.repeatable = repeatable;
        self
    }

    /// Ends the call after this time, waits and attempts together.
    pub fn deadline(mut self, deadline: Option<Duration>) -> Self {
        self.deadline = deadline;
        self
    }

    /// The longest body of a successful answer, in bytes.
    pub fn body_limit_bytes(mut self, limit: usize) -> Self {
        self.body_limit_bytes = limit;
        self
    }

    /// Lets `authorize` add headers to each attempt.
    pub fn authorize(mut self, authorize: &'a dyn Authorize) -> Self {
        self.authorize = Some(authorize);
        self
    }
}

impl fmt::Debug for Call<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call")
            .field("method", self.request.method())
            .field("origin", &crate::redact::origin(self.request.uri()))
            .field("repeatable", &self.repeatable)
            .field("deadline", &self.deadline)
            .finish_non_exhaustive()
    }
}

/// An answer with its whole body, whatever its status.
#[derive(Debug)]
#[non_exhaustive]
pub struct Answer {
    /// Status, headers and body. Of an answer from status 400 up the body is cut at 64 KiB.
    pub response: http::Response<Bytes>,
    /// How many attempts were made, this one included.
    pub attempts: u32,
    /// Time from the start of the call to its end.
    pub elapsed: Duration,
    /// An earlier attempt of this call may have been carried out although its answer was lost or was an error:
    /// "exists already" or "is gone" may be our own doing.
    pub maybe_done_before: bool,
}

/// A call that ended without an answer.
#[derive(Debug)]
#[non_exhaustive]
pub struct Failure {
    /// Why.
    pub kind: FailureKind,
    /// How many attempts were made.
    pub attempts: u32,
    /// Time from the start of the call to its end.
    pub elapsed: Duration,
}

/// Why a call ended without an answer.
#[derive(Debug)]
#[non_exhaustive]
pub enum FailureKind {
    /// The last attempt got no whole answer.
    Transport(TransportError),
    /// The headers that let the request through could not be made; nothing was sent with this attempt.
    Authorize(BoxError),
    /// The call's deadline passed.
    Deadline(Duration),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            FailureKind::Transport(error) => error.fmt(f),
            FailureKind::Authorize(_) => f.write_str("cannot authorize the request"),
            FailureKind::Deadline(limit) => write!(f, "the deadline of {} s passed", limit.as_secs_f64()),
        }
    }
}

impl std::error::Error for Failure {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.kind {
            FailureKind::Transport(error) => error.source(),
            FailureKind::Authorize(error) => Some(error.as_ref()),
            FailureKind::Deadline(_) => None,
        }
    }
}

type Random = dyn Fn() -> f64 + Send + Sync;

/// Sends calls: attempts, waits between them, deadline, limits. Cheap to clone.
#[derive(Clone)]
pub struct Http {
    transport: Arc<dyn Transport>,
    clock: Arc<dyn Clock>,
    random: Arc<Random>,
    retry: RetryPolicy,
    ids: Arc<Ids>,
}

/// Ids of calls: one random UUID, and from it as many as are needed. Asking the system for randomness a call would
/// cost a system call each time.
struct Ids {
    first: Uuid,
    made: AtomicU64,
}

impl Ids {
    fn new() -> Self {
        Self { first: Uuid::new_v4(), made: AtomicU64::new(0) }
    }

    fn next(&self) -> HeaderValue {
        let (high, low) = self.first.as_u64_pair();
        // Of the lower half only the first two bits have a meaning, and no count of calls gets that far.
        let id = Uuid::from_u64_pair(high, low ^ self.made.fetch_add(1, Ordering::Relaxed));
        let mut text = Uuid::encode_buffer();
        HeaderValue::from_str(id.hyphenated().encode_lower(&mut text))
            .unwrap_or(HeaderValue::from_static("-"))
    }
}

impl Http {
    /// An engine on this transport, with the machine's clock and the default [`RetryPolicy`].
    #[must_use]
    pub fn new(transport: Arc<dyn Transport>) -> Self {
        Self {
            transport,
            clock: Arc::new(SystemClock::new()),
            random: Arc::new(fastrand::f64),
            retry: RetryPolicy::default(),
            ids: Arc::new(Ids::new()),
        }
    }

    /// Replaces the retry policy.
    #[must_use]
    pub fn with_retry(mut self, retry: RetryPolicy) -> Self {
        self.retry = retry;
        self
    }

    /// Replaces the clock.
    #[must_use]
    pub fn with_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Replaces the source of randomness for waits; it must give numbers in `0.0..1.0`.
    #[must_use]
    pub fn with_random(mut self, random: impl Fn() -> f64 + Send + Sync + 'static) -> Self {
        self.random = Arc::new(random);
        self
    }

    /// The clock that all waits go by.
    #[must_use]
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    /// Makes one call. Dropping the future ends it and leaves nothing behind.
    ///
    /// # Errors
    /// [`Failure`] when no answer was received; an answer with an error status is an [`Answer`].
    pub async fn send(&self, mut call: Call<'_>) -> Result<Answer, Failure> {
        let id = call.request.headers_mut().entry(CLIENT_REQUEST_ID);
        id.or_insert_with(|| self.ids.next());
        let attempts = Attempts::new(self, call.repeatable, call.deadline);

        let work = self.attempt_until_done(&call, &attempts);
        let ended = match call.deadline {
            None => work.await,
            Some(limit) => match select(std::pin::pin!(work), self.clock.expire(limit)).await {
                Either::Left((ended, _)) => ended,
                Either::Right(((), _)) => Err(FailureKind::Deadline(limit)),
            },
        };
        let (made, elapsed) = (attempts.made(), attempts.elapsed());
        match ended {
            Ok(response) => Ok(Answer {
                response,
                attempts: made,
                elapsed,
                maybe_done_before: attempts.maybe_done_before(),
            }),
            Err(kind) => Err(Failure { kind, attempts: made, elapsed }),
        }
    }

    async fn attempt_until_done(
        &self,
        call: &Call<'_>,
        attempts: &Attempts<'_>,
    ) -> Result<http::Response<Bytes>, FailureKind> {
        let mut may_ask_for_new_headers = true;
        loop {
            attempts.begin();
            let mut request = call.request.clone();
            if let Some(authorize) = call.authorize {
                authorize.authorize(request.headers_mut()).await.map_err(FailureKind::Authorize)?;
            }
            let span = attempt_span(&request, attempts.made());
            let outcome = self.attempt(request, call.body_limit_bytes).instrument(span.clone()).await;
            match &outcome {
                Ok(response) => span.record("http.response.status_code", response.status().as_u16()),
                Err(error) => span.record("error.type", field::debug(error.kind())),
            };

            if let (Ok(response), Some(authorize), true) = (&outcome, call.authorize, may_ask_for_new_headers)
                && response.status() == StatusCode::UNAUTHORIZED
            {
                may_ask_for_new_headers = false;
                if authorize.refused(response.headers()).await.map_err(FailureKind::Authorize)? {
                    continue;
                }
            }
            match attempts.next_wait(&outcome) {
                Some(wait) => self.clock.sleep(wait).await,
                None => return outcome.map_err(FailureKind::Transport),
            }
        }
    }

    async fn attempt(
        &self,
        request: http::Request<Bytes>,
        body_limit_bytes: usize,
    ) -> Result<http::Response<Bytes>, TransportError> {
        let uri = request.uri().clone();
        let (head, body) = self.transport.send(request).await?.into_parts();
        let bytes = if head.status.as_u16() >= 400 {
            prefix(body, ERROR_BODY_LIMIT_BYTES).await
        } else {
            body.collect(body_limit_bytes, &uri).await?
        };
        Ok(http::Response::from_parts(head, bytes))
    }

    /// How long a transfer that takes up its own broken streams waits before the next attempt, or `None` when it is time to
    /// give up; `attempts` were made, and the first of them began `elapsed` ago.
    #[must_use]
    pub fn next_wait(&self, attempts: u32, elapsed: Duration) -> Option<Duration> {
        self.retry.next_wait(attempts, elapsed, None, (self.random)())
    }

    /// Sends one attempt and hands back the open stream: no retry, no limit. For transfers that do their own.
    pub(crate) async fn send_once(
        &self,
        request: http::Request<Bytes>,
    ) -> Result<http::Response<ResponseBody>, TransportError> {
        self.transport.send(request).await
    }
}

/// The attempts of one call: how many, since when, and whether there is another.
pub(crate) struct Attempts<'a> {
    http: &'a Http,
    repeatable: bool,
    deadline: Option<Duration>,
    started: Duration,
    made: AtomicU32,
    maybe_done_before: AtomicBool,
}

impl<'a> Attempts<'a> {
    pub(crate) fn new(http: &'a Http, repeatable: bool, deadline: Option<Duration>) -> Self {
        let started = http.clock.monotonic();
        Self {
            http,
            repeatable,
            deadline,
            started,
            made: AtomicU32::new(0),
            maybe_done_before: AtomicBool::new(false),
        }
    }

    pub(crate) fn begin(&self) {
        self.made.fetch_add(1, Ordering::Relaxed);
    }

    fn made(&self) -> u32 {
        self.made.load(Ordering::Relaxed)
    }

    fn elapsed(&self) -> Duration {
        self.http.clock.monotonic().saturating_sub(self.started)
    }

    pub(crate) fn maybe_done_before(&self) -> bool {
        self.maybe_done_before.load(Ordering::Relaxed)
    }

    /// How long to wait before the next attempt; `None` when this outcome is the last.
    pub(crate) fn next_wait<B>(
        &self,
        outcome: &Result<http::Response<B>, TransportError>,
    ) -> Option<Duration> {
        // A 429 was turned away at the door; any other failure may have come after the work was done.
        let (transient, maybe_done) = match outcome {
            Ok(response) => {
                let status = response.status();
                (RetryPolicy::is_transient(status), status != StatusCode::TOO_MANY_REQUESTS)
            }
            Err(error) => (error.is_transient(), !error.nothing_was_sent()),
        };
        if !transient || !self.repeatable {
            return None;
        }
        let headers = outcome.as_ref().ok().map(http::Response::headers);
        let asked = headers.and_then(|headers| retry_after(headers, self.http.clock.now()));
        let random = (self.http.random)();
        let wait = self.http.retry.next_wait(self.made(), self.elapsed(), asked, random)?;
        // A wait past the deadline would only hide what went wrong.
        if self.deadline.is_some_and(|deadline| self.elapsed() + wait >= deadline) {
            return None;
        }
        self.maybe_done_before.fetch_or(maybe_done, Ordering::Relaxed);
        Some(wait)
    }
}

/// One attempt, with the names of OpenTelemetry's conventions for HTTP clients. The path and query stay out.
fn attempt_span(request: &http::Request<Bytes>, made: u32) -> Span {
    tracing::debug_span!(
        "http_attempt",
        http.request.method = request.method().as_str(),
        server.address = request.uri().host().unwrap_or_default(),
        http.request.resend_count = made.saturating_sub(1),
        http.response.status_code = field::Empty,
        error.r#type = field::Empty,
    )
}

/// As much of the body as comes, up to a limit: an error's status counts more than its text.
pub(crate) async fn prefix(mut body: ResponseBody, limit_bytes: usize) -> Bytes {
    use futures::StreamExt;
    let mut all = bytes::BytesMut::new();
    while let Some(Ok(chunk)) = body.next().await {
        let room = limit_bytes - all.len();
        all.extend_from_slice(&chunk[..chunk.len().min(room)]);
        if all.len() == limit_bytes {
            break;
        }
    }
    all.freeze()
}

impl fmt::Debug for Http {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Http")
            .field("transport", &self.transport)
            .field("retry", &self.retry)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
