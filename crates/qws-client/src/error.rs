use std::{fmt, time::Duration};

use http::StatusCode;
use qws_auth::AuthError;
use qws_config::{ParseError, SettingsError};
use qws_http::{BoxError, Failure, FailureKind, TransportErrorKind};

use crate::{Continuation, JobId, Operation, models::ServiceError};

/// What went wrong, by cause: what a program can decide on. New causes may come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A value given by the caller cannot be right; nothing was sent.
    InvalidInput,
    /// The credential gave nothing to send.
    Credential,
    /// The service did not accept the key or token.
    Unauthenticated,
    /// The identity is known, and lacks a role.
    Forbidden,
    /// The endpoint is that of another region or kind of workspace.
    WrongEndpoint,
    /// The workspace has no such provider.
    ProviderMissing,
    /// The workspace has no such target.
    TargetMissing,
    /// The target takes no jobs now.
    TargetUnavailable,
    /// The session has ended.
    SessionClosed,
    /// A quota is used up.
    QuotaExceeded,
    /// There is no such thing.
    NotFound,
    /// There is one already, and it is another.
    Conflict,
    /// The service refused the request as wrong.
    InvalidRequest,
    /// The storage account refused: its network rules or its keys.
    StorageRefused,
    /// Too many requests.
    Throttled,
    /// The service is in trouble.
    ServiceFault,
    /// No answer: no connection, or it was lost.
    Network,
    /// The caller's deadline passed.
    Deadline,
    /// An answer that is not what the service promises.
    MalformedAnswer,
    /// A redirect, which is never followed.
    Redirect,
    /// An address to which the credential must not go.
    ForeignOrigin,
    /// The job failed.
    JobFailed,
    /// The job was cancelled.
    JobCancelled,
    /// The job has not ended.
    JobNotFinished,
    /// The results do not hold what was asked for, or not in a readable form.
    Results,
    /// Something else.
    Other,
}

/// Why a call did not do what it should.
///
/// `Display` is one line: the operation, the status and the service's code where there are any, and a text; the causes
/// are in [`std::error::Error::source`]. What to do about it is in [`Error::hint`], apart from the text. None of them
/// holds a secret.
pub struct Error {
    inner: Box<Inner>,
}

struct Inner {
    kind: ErrorKind,
    operation: Option<Operation>,
    job: Option<JobId>,
    status: Option<StatusCode>,
    code: Option<String>,
    message: String,
    request_id: Option<String>,
    attempts: u32,
    elapsed: Duration,
    maybe_done_before: bool,
    continuation: Option<Continuation>,
    hint: Option<String>,
    source: Option<BoxError>,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            inner: Box::new(Inner {
                kind,
                operation: None,
                job: None,
                status: None,
                code: None,
                message: message.into(),
                request_id: None,
                attempts: 0,
                elapsed: Duration::ZERO,
                maybe_done_before: false,
                continuation: None,
                hint: None,
                source: None,
            }),
        }
    }

    /// A call that got no answer.
    pub(crate) fn from_failure(operation: Operation, failure: Failure) -> Self {
        let (attempts, elapsed) = (failure.attempts, failure.elapsed);
        let message = failure.to_string();
        let error = match failure.kind {
            FailureKind::Authorize(cause) => match cause.downcast::<AuthError>() {
                Ok(error) => Self::from(*error),
                Err(other) => Self::new(ErrorKind::Credential, message).with_source(other),
            },
            FailureKind::Deadline(_) => Self::new(ErrorKind::Deadline, message),
            FailureKind::Transport(error) => {
                let kind = match error.kind() {
                    TransportErrorKind::BodyTooLarge { .. } => ErrorKind::MalformedAnswer,
                    _ => ErrorKind::Network,
                };
                Self::new(kind, message).with_source_chain(std::error::Error::source(&error))
            }
            _ => Self::new(ErrorKind::Other, message),
        };
        error.with_operation(operation).with_attempts(attempts, elapsed)
    }

    pub(crate) fn with_operation(mut self, operation: Operation) -> Self {
        self.inner.operation.get_or_insert(operation);
        self
    }

    pub(crate) fn with_job(mut self, job: &JobId) -> Self {
        self.inner.job.get_or_insert_with(|| job.clone());
        self
    }

    pub(crate) fn with_status(mut self, status: StatusCode) -> Self {
        self.inner.status = Some(status);
        self
    }

    pub(crate) fn with_code(mut self, code: Option<String>) -> Self {
        self.inner.code = code.filter(|code| !code.is_empty());
        self
    }

    pub(crate) fn with_request_id(mut self, id: Option<String>) -> Self {
        self.inner.request_id = id;
        self
    }

    pub(crate) fn with_attempts(mut self, attempts: u32, elapsed: Duration) -> Self {
        self.inner.attempts = attempts;
        self.inner.elapsed = elapsed;
        self
    }

    pub(crate) fn with_maybe_done_before(mut self, maybe: bool) -> Self {
        self.inner.maybe_done_before = maybe;
        self
    }

    pub(crate) fn with_continuation(mut self, from: Option<Continuation>) -> Self {
        self.inner.continuation = from;
        self
    }

    pub(crate) fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.inner.hint = Some(hint.into());
        self
    }

    pub(crate) fn with_source(mut self, source: impl Into<BoxError>) -> Self {
        self.inner.source = Some(source.into());
        self
    }

    /// Keeps the texts of a chain of causes that cannot be kept themselves.
    fn with_source_chain(self, source: Option<&(dyn std::error::Error + 'static)>) -> Self {
        let texts: Vec<String> =
            std::iter::successors(source, |error| error.source()).map(ToString::to_string).collect();
        if texts.is_empty() { self } else { self.with_source(texts.join(": ")) }
    }

    /// A job that ended without a result.
    pub(crate) fn job_failed(job: &JobId, reason: Option<&ServiceError>) -> Self {
        let message = match reason {
            Some(reason) => format!("the job failed: {}", reason.summary()),
            None => "the job failed, and the service gave no reason".to_owned(),
        };
        let code = reason.map(|reason| reason.code.clone());
        let hint = crate::hint::for_failed_job(reason);
        Self::new(ErrorKind::JobFailed, message).with_job(job).with_code(code).with_hint(hint)
    }

    /// The cause.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.inner.kind
    }

    /// What was being done.
    #[must_use]
    pub fn operation(&self) -> Option<Operation> {
        self.inner.operation
    }

    /// The job this is about. Its handle can be had again with [`crate::Workspace::job`].
    #[must_use]
    pub fn job_id(&self) -> Option<&JobId> {
        self.inner.job.as_ref()
    }

    /// The HTTP status, if an answer came.
    #[must_use]
    pub fn status(&self) -> Option<StatusCode> {
        self.inner.status
    }

    /// The short code that the service gave, in the answer's body, in `x-ms-error-code` or in `WWW-Authenticate`.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        self.inner.code.as_deref()
    }

    /// The id under which the service's operators find the request.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        self.inner.request_id.as_deref()
    }

    /// How many requests were sent.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.inner.attempts
    }

    /// How long it took, waits included.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.inner.elapsed
    }

    /// Whether an earlier attempt of the same call may have been carried out, its answer being lost.
    #[must_use]
    pub fn maybe_done_before(&self) -> bool {
        self.inner.maybe_done_before
    }

    /// The place in a list whose page could not be fetched, to go on from with [`crate::List::resume`]; `None` for the
    /// first page.
    #[must_use]
    pub fn continuation(&self) -> Option<&Continuation> {
        self.inner.continuation.as_ref()
    }

    /// One sentence on what to do next, where we know.
    #[must_use]
    pub fn hint(&self) -> Option<&str> {
        self.inner.hint.as_deref()
    }

    /// Whether there is no such job, workspace or blob.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        self.inner.kind == ErrorKind::NotFound
    }

    /// Whether the same call may succeed later, unchanged.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        use ErrorKind::{Deadline, Network, ServiceFault, TargetUnavailable, Throttled};
        matches!(self.inner.kind, Network | Throttled | ServiceFault | Deadline | TargetUnavailable)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { operation, status, code, message, job, attempts, .. } = &*self.inner;
        if let Some(operation) = operation {
            write!(f, "{operation}: ")?;
        }
        if let Some(status) = status {
            write!(f, "{} ", status.as_u16())?;
        }
        match code {
            Some(code) if !message.contains(code.as_str()) => write!(f, "{code}: {message}")?,
            _ => f.write_str(message)?,
        }
        if *attempts > 1 {
            write!(f, " (after {attempts} attempts)")?;
        }
        match job {
            Some(job) => write!(f, " [job {job}]"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &*self.inner;
        f.debug_struct("Error")
            .field("kind", &inner.kind)
            .field("text", &self.to_string())
            .field("hint", &inner.hint)
            .field("request_id", &inner.request_id)
            .field("elapsed", &inner.elapsed)
            .field("source", &inner.source.as_ref().map(ToString::to_string))
            .finish()
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.inner.source.as_deref().map(|source| source as _)
    }
}

impl From<ParseError> for Error {
    fn from(error: ParseError) -> Self {
        let made = Self::new(ErrorKind::InvalidInput, error.to_string());
        match error.hint() {
            Some(hint) => made.with_hint(hint.to_owned()),
            None => made,
        }
        .with_source(error)
    }
}

impl From<AuthError> for Error {
    fn from(error: AuthError) -> Self {
        let made = Self::new(ErrorKind::Credential, error.to_string());
        let made = match error.hint() {
            Some(hint) => made.with_hint(hint.to_owned()),
            None => made,
        };
        made.with_source_chain(std::error::Error::source(&error))
    }
}

impl From<SettingsError> for Error {
    fn from(error: SettingsError) -> Self {
        let made = Self::new(ErrorKind::InvalidInput, error.to_string());
        let made = match error.hint() {
            Some(hint) => made.with_hint(hint.to_owned()),
            None => made,
        };
        made.with_source_chain(std::error::Error::source(&error))
    }
}
