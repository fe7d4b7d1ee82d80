use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::{Bytes, BytesMut};
use futures::{Stream, StreamExt, stream};
use http::Uri;

use crate::{TransportError, TransportErrorKind};

type Chunks = Pin<Box<dyn Stream<Item = Result<Bytes, TransportError>> + Send>>;

/// The body of an answer, as a stream of chunks in order.
pub struct ResponseBody {
    chunks: Chunks,
    /// Set while the body is one chunk in memory, so that collecting it costs nothing.
    whole: Option<Bytes>,
}

impl ResponseBody {
    /// A body that arrives over time.
    #[must_use]
    pub fn from_stream(chunks: impl Stream<Item = Result<Bytes, TransportError>> + Send + 'static) -> Self {
        Self { chunks: Box::pin(chunks), whole: None }
    }

    /// A body that is already here.
    #[must_use]
    pub fn from_bytes(bytes: impl Into<Bytes>) -> Self {
        Self { chunks: Box::pin(stream::empty()), whole: Some(bytes.into()) }
    }

    /// No body.
    #[must_use]
    pub fn empty() -> Self {
        Self::from_bytes(Bytes::new())
    }

    /// Reads the body to its end, up to `limit_bytes`. `uri` names the other side in errors.
    ///
    /// # Errors
    /// [`TransportErrorKind::BodyTooLarge`] as soon as more than the limit has arrived; the transport's error if the
    /// body ends early.
    pub async fn collect(mut self, limit_bytes: usize, uri: &Uri) -> Result<Bytes, TransportError> {
        let too_large = || TransportError::new(TransportErrorKind::BodyTooLarge { limit_bytes }, uri);
        let Some(first) = self.next().await.transpose()? else { return Ok(Bytes::new()) };
        let Some(second) = self.next().await.transpose()? else {
            return if first.len() > limit_bytes { Err(too_large()) } else { Ok(first) };
        };
        let mut all = BytesMut::with_capacity((first.len() + second.len()).min(limit_bytes));
        let mut chunk = Some(first);
        let mut next = Some(second);
        while let Some(bytes) = chunk {
            if all.len() + bytes.len() > limit_bytes {
                return Err(too_large());
            }
            all.extend_from_slice(&bytes);
            chunk = match next.take() {
                Some(bytes) => Some(bytes),
                None => self.next().await.transpose()?,
            };
        }
        Ok(all.freeze())
    }
}

impl Stream for ResponseBody {
    type Item = Result<Bytes, TransportError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        match self.whole.take() {
            Some(bytes) if !bytes.is_empty() => Poll::Ready(Some(Ok(bytes))),
            _ => self.chunks.as_mut().poll_next(cx),
        }
    }
}

impl fmt::Debug for ResponseBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Never the bytes: they may hold a SAS link or a token.
        match &self.whole {
            Some(bytes) => write!(f, "ResponseBody({} bytes)", bytes.len()),
            None => f.write_str("ResponseBody(stream)"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const URI: &str = "http://localhost/";

    fn chunks(parts: &'static [&'static str]) -> ResponseBody {
        ResponseBody::from_stream(stream::iter(
            parts.iter().map(|part| Ok(Bytes::from_static(part.as_bytes()))),
        ))
    }

    #[tokio::test]
    async fn collects_in_order_up_to_the_limit() {
        let uri = Uri::from_static(URI);
        assert_eq!(chunks(&["ab", "cd", "ef"]).collect(6, &uri).await.unwrap(), "abcdef");
        assert_eq!(ResponseBody::from_bytes("ab").collect(2, &uri).await.unwrap(), "ab");
        assert_eq!(ResponseBody::empty().collect(0, &uri).await.unwrap(), "");
        for body in [chunks(&["ab", "cd", "ef"]), chunks(&["abcdef"]), ResponseBody::from_bytes("abcdef")] {
            let error = body.collect(5, &uri).await.unwrap_err();
            assert_eq!(error.kind(), TransportErrorKind::BodyTooLarge { limit_bytes: 5 });
        }
    }
}
