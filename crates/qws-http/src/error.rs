use std::fmt;

use crate::BoxError;

/// Why no whole answer was received.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum TransportErrorKind {
    /// No connection could be made (name not found, refused, TLS refused). Nothing was sent.
    Connect,
    /// The connection was lost after the request may have been sent.
    Lost,
    /// Nothing arrived for longer than the transport waits.
    Timeout,
    /// The body ended early or could not be read.
    Body,
    /// The body is longer than the caller's limit.
    BodyTooLarge {
        /// The limit that was exceeded, in bytes.
        limit_bytes: usize,
    },
    /// The request is not one this transport may send (plain http to another machine, for example). Nothing was sent.
    Refused,
    /// TLS could not be set up on this machine: no trusted root certificates, or no TLS provider. Nothing was sent.
    TlsSetup,
}

/// A request that got no whole answer.
///
/// Its text names the origin (scheme, host and port) and never the path, query or headers, which may hold secrets.
pub struct TransportError {
    kind: TransportErrorKind,
    origin: Box<str>,
    source: Option<BoxError>,
}

impl TransportError {
    /// An error of `kind` in talking to the origin of `uri`; only scheme, host and port are kept.
    #[must_use]
    pub fn new(kind: TransportErrorKind, uri: &http::Uri) -> Self {
        Self { kind, origin: crate::redact::origin(uri).into(), source: None }
    }

    /// The same error with its cause. The cause's text must not hold secrets: give no URL with a query to it.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<BoxError>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// What went wrong.
    #[must_use]
    pub fn kind(&self) -> TransportErrorKind {
        self.kind
    }

    /// Scheme, host and port of the other side, for example `https://eastus.quantum.azure.com`.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Whether the other side cannot have seen the request.
    #[must_use]
    pub fn nothing_was_sent(&self) -> bool {
        use TransportErrorKind::{Connect, Refused, TlsSetup};
        matches!(self.kind, Connect | Refused | TlsSetup)
    }

    /// Whether the same request may succeed if it is sent again.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        use TransportErrorKind::{Body, Connect, Lost, Timeout};
        matches!(self.kind, Connect | Lost | Timeout | Body)
    }
}

impl fmt::Display for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let origin = &self.origin;
        match self.kind {
            TransportErrorKind::Connect => write!(f, "cannot connect to {origin}"),
            TransportErrorKind::Lost => write!(f, "lost the connection to {origin} before an answer came"),
            TransportErrorKind::Timeout => write!(f, "{origin} did not answer in time"),
            TransportErrorKind::Body => write!(f, "the answer of {origin} was cut off"),
            TransportErrorKind::BodyTooLarge { limit_bytes } => {
                write!(f, "the answer of {origin} is longer than {limit_bytes} bytes")
            }
            TransportErrorKind::Refused => {
                write!(f, "refused to send to {origin}: plain http is for this machine only, use https")
            }
            TransportErrorKind::TlsSetup => write!(f, "cannot set up TLS for {origin}"),
        }
    }
}

impl fmt::Debug for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("TransportError");
        out.field("kind", &self.kind).field("origin", &self.origin);
        if let Some(source) = &self.source {
            // Text, not `Debug`: a foreign error's `Debug` may show more than its message.
            out.field("source", &source.to_string());
        }
        out.finish()
    }
}

impl std::error::Error for TransportError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_names_the_origin_and_nothing_secret() {
        let uri: http::Uri = "https://user:hunter2@example.org:8443/a/b?sig=hunter2".parse().unwrap();
        let error = TransportError::new(TransportErrorKind::Connect, &uri);
        assert_eq!(error.to_string(), "cannot connect to https://example.org:8443");
        assert!(!format!("{error:?}").contains("hunter2"));
    }

    #[test]
    fn only_losses_are_transient() {
        let uri = http::Uri::from_static("http://localhost/");
        let of = |kind| TransportError::new(kind, &uri);
        assert!(of(TransportErrorKind::Lost).is_transient());
        assert!(of(TransportErrorKind::Connect).nothing_was_sent());
        assert!(!of(TransportErrorKind::Lost).nothing_was_sent());
        assert!(!of(TransportErrorKind::TlsSetup).is_transient());
        assert!(!of(TransportErrorKind::BodyTooLarge { limit_bytes: 1 }).is_transient());
    }
}
