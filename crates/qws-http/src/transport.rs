use async_trait::async_trait;
use bytes::Bytes;

use crate::{ResponseBody, TransportError};

/// Sends one request and hands back one answer; the only door to the network.
///
/// Object-safe and mockable, so that a program can be tested without a socket, recorded, or sent through a stack of
/// its own. An implementation makes exactly one attempt: it does not retry, follow redirects, decompress, or add
/// credentials.
///
/// ```
/// use async_trait::async_trait;
/// use bytes::Bytes;
/// use qws_http::{ResponseBody, Transport, TransportError};
///
/// /// Answers everything with 204.
/// #[derive(Debug)]
/// struct Nothing;
///
/// #[async_trait]
/// impl Transport for Nothing {
///     async fn send(&self, _: http::Request<Bytes>) -> Result<http::Response<ResponseBody>, TransportError> {
///         let mut answer = http::Response::new(ResponseBody::empty());
///         *answer.status_mut() = http::StatusCode::NO_CONTENT;
///         Ok(answer)
///     }
/// }
/// ```
#[cfg_attr(any(test, feature = "mock"), mockall::automock)]
#[async_trait]
pub trait Transport: Send + Sync + std::fmt::Debug {
    /// Sends `request` and returns as soon as the head of the answer is there; the body follows as a stream.
    ///
    /// # Errors
    /// [`TransportError`] when no head of an answer was received. An answer with an error status is not an error here.
    async fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> Result<http::Response<ResponseBody>, TransportError>;
}
