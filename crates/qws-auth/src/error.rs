use std::{error::Error, fmt, sync::Arc};

use crate::ChainReport;

/// What kind of failure an [`AuthError`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum AuthErrorKind {
    /// The credential is not set up or not present here; another one may be.
    Unavailable,
    /// It is set up, and was refused or failed.
    Refused,
    /// A value given to it cannot be right.
    InvalidInput,
    /// It can never do what was asked (an API key for the Resource Manager, for example).
    Unsupported,
}

/// Why a credential gave nothing. One lower-case line in `Display`; what to do about it is in [`AuthError::hint`].
///
/// Cheap to clone: all who waited for one token request are given the same error.
#[derive(Clone)]
pub struct AuthError {
    inner: Arc<Inner>,
}

#[derive(Clone)]
struct Inner {
    kind: AuthErrorKind,
    message: String,
    code: Option<String>,
    hint: Option<String>,
    report: Option<ChainReport>,
    source: Option<Arc<dyn Error + Send + Sync>>,
}

impl AuthError {
    /// An error with its one-line text, which must hold no secret.
    #[must_use]
    pub fn new(kind: AuthErrorKind, message: impl Into<String>) -> Self {
        let message = message.into();
        Self { inner: Arc::new(Inner { kind, message, code: None, hint: None, report: None, source: None }) }
    }

    /// Adds what to do next.
    #[must_use]
    pub fn with_hint(self, hint: impl Into<String>) -> Self {
        self.change(|inner| inner.hint = Some(hint.into()))
    }

    /// Adds the short code of the identity service.
    #[must_use]
    pub fn with_code(self, code: impl Into<String>) -> Self {
        self.change(|inner| inner.code = Some(code.into()))
    }

    /// Adds the cause, whose texts must hold no secret either.
    #[must_use]
    pub fn with_source(self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.change(|inner| inner.source = Some(Arc::from(source.into())))
    }

    pub(crate) fn with_report(self, report: ChainReport) -> Self {
        self.change(|inner| inner.report = Some(report))
    }

    fn change(mut self, change: impl FnOnce(&mut Inner)) -> Self {
        change(Arc::make_mut(&mut self.inner));
        self
    }

    pub(crate) fn unavailable(message: impl Into<String>) -> Self {
        Self::new(AuthErrorKind::Unavailable, message)
    }

    pub(crate) fn refused(message: impl Into<String>) -> Self {
        Self::new(AuthErrorKind::Refused, message)
    }

    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new(AuthErrorKind::InvalidInput, message)
    }

    pub(crate) fn unsupported(message: impl Into<String>) -> Self {
        Self::new(AuthErrorKind::Unsupported, message)
    }

    /// The kind.
    #[must_use]
    pub fn kind(&self) -> AuthErrorKind {
        self.inner.kind
    }

    /// Whether a chain may go on to its next credential.
    #[must_use]
    pub fn is_unavailable(&self) -> bool {
        self.inner.kind == AuthErrorKind::Unavailable
    }

    /// The identity service's own code, such as `AADSTS7000215` or `invalid_request`, where it sent one.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        self.inner.code.as_deref()
    }

    /// One sentence on what to do next, where we know.
    #[must_use]
    pub fn hint(&self) -> Option<&str> {
        self.inner.hint.as_deref()
    }

    /// What a chain tried, step by step, where the error is a chain's.
    #[must_use]
    pub fn report(&self) -> Option<&ChainReport> {
        self.inner.report.as_ref()
    }
}

impl fmt::Display for AuthError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.inner.message)
    }
}

impl fmt::Debug for AuthError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthError")
            .field("kind", &self.inner.kind)
            .field("message", &self.inner.message)
            .field("code", &self.inner.code)
            .field("hint", &self.inner.hint)
            .field("source", &self.inner.source.as_ref().map(ToString::to_string))
            .finish_non_exhaustive()
    }
}

impl Error for AuthError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.inner.source.as_deref().map(|source| source as _)
    }
}
