use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
};

use async_trait::async_trait;
use azure_core::{
    error::ErrorKind,
    http::{
        AsyncRawResponse, HttpClient, Request,
        headers::{HeaderName, HeaderValue, Headers},
        request::Body,
    },
};
use bytes::Bytes;
use futures::TryStreamExt;

use crate::{
    Http, ResponseBody, TransportError, TransportErrorKind,
    engine::{Attempts, ERROR_BODY_LIMIT_BYTES, prefix},
};

/// Answers up to this size are read whole within the attempt, so that a cut-off answer is asked for again. It is the
/// size of the pieces in which `azure_storage_blob` transfers; a longer answer is passed on as it arrives.
const WHOLE_ANSWER_BYTES: u64 = 4 << 20;

/// An `azure_core` HTTP client on our engine: same transport, same clock, same retry rules, redacted errors.
///
/// Meant for `azure_storage_blob`, whose operations are all safe to repeat: every request it is given is treated as
/// repeatable. Give the official client `RetryOptions::none()`, so that there is one retry loop and not two.
///
/// What happened underneath is told by the [`TransferLog`]: official clients hide attempts, and keep only the text of
/// an error. Make one adapter a transfer to have a log of just that transfer.
#[derive(Debug, Clone)]
pub struct AzureHttpClient {
    http: Http,
    log: TransferLog,
}

/// What an [`AzureHttpClient`] did so far. Clones share their content.
#[derive(Debug, Clone, Default)]
pub struct TransferLog {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    attempts: AtomicU32,
    maybe_done_before: AtomicBool,
    last_error: Mutex<Option<TransportError>>,
}

impl TransferLog {
    /// Requests sent, repetitions included.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.shared.attempts.load(Ordering::Relaxed)
    }

    /// Whether some request was repeated that may have been carried out the first time: an answer that something
    /// "exists already" may then be about our own work.
    #[must_use]
    pub fn maybe_done_before(&self) -> bool {
        self.shared.maybe_done_before.load(Ordering::Relaxed)
    }

    /// The error that ended the last failed request, taken out of the log.
    #[must_use]
    pub fn take_error(&self) -> Option<TransportError> {
        self.shared.last_error.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn put_error(&self, error: TransportError) {
        *self.shared.last_error.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
    }
}

impl AzureHttpClient {
    /// An adapter with an empty log.
    #[must_use]
    pub fn new(http: Http) -> Self {
        Self { http, log: TransferLog::default() }
    }

    /// The log of this adapter and its clones.
    #[must_use]
    pub fn log(&self) -> TransferLog {
        self.log.clone()
    }

    async fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> Result<http::Response<ResponseBody>, TransportError> {
        let attempts = Attempts::new(&self.http, true, None);
        loop {
            attempts.begin();
            self.log.shared.attempts.fetch_add(1, Ordering::Relaxed);
            let outcome = self.attempt(request.clone()).await;
            let Some(wait) = attempts.next_wait(&outcome) else { return outcome };
            self.log.shared.maybe_done_before.fetch_or(attempts.maybe_done_before(), Ordering::Relaxed);
            self.http.clock().sleep(wait).await;
        }
    }

    async fn attempt(
        &self,
        request: http::Request<Bytes>,
    ) -> Result<http::Response<ResponseBody>, TransportError> {
        let uri = request.uri().clone();
        let (head, body) = self.http.send_once(request).await?.into_parts();
        let length = head.headers.get(http::header::CONTENT_LENGTH);
        let length = length.and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
        let body = if head.status.as_u16() >= 400 {
            ResponseBody::from_bytes(prefix(body, ERROR_BODY_LIMIT_BYTES).await)
        } else if length.is_some_and(|bytes| bytes <= WHOLE_ANSWER_BYTES) {
            ResponseBody::from_bytes(body.collect(usize::MAX, &uri).await?)
        } else {
            body
        };
        Ok(http::Response::from_parts(head, body))
    }
}

#[async_trait]
impl HttpClient for AzureHttpClient {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        let request = to_http(request).await?;
        let response = self.send(request).await.map_err(|error| {
            let mapped = to_azure_error(&error);
            self.log.put_error(error);
            mapped
        })?;
        let (head, body) = response.into_parts();
        let headers: HashMap<HeaderName, HeaderValue> = head
            .headers
            .iter()
            .filter_map(|(name, value)| {
                Some((
                    HeaderName::from(name.as_str().to_owned()),
                    HeaderValue::from(value.to_str().ok()?.to_owned()),
                ))
            })
            .collect();
        let log = self.log.clone();
        let body = body.map_err(move |error| {
            let mapped = to_azure_error(&error);
            log.put_error(error);
            mapped
        });
        Ok(AsyncRawResponse::new(head.status.as_u16().into(), Headers::from(headers), Box::pin(body)))
    }
}

/// The request in the types of the `http` crate. A streamed body is read into memory: the official clients send
/// streams in pieces of at most their partition size.
async fn to_http(request: &Request) -> azure_core::Result<http::Request<Bytes>> {
    let body = match request.body() {
        Body::Bytes(bytes) => bytes.clone(),
        Body::SeekableStream(stream) => {
            let mut stream = stream.clone();
            stream.reset().await?;
            let mut all = Vec::new();
            futures::AsyncReadExt::read_to_end(&mut stream, &mut all).await?;
            all.into()
        }
    };
    let mut builder = http::Request::builder().method(request.method().as_ref()).uri(request.url().as_str());
    for (name, value) in request.headers().iter() {
        builder = builder.header(name.as_str(), value.as_str());
    }
    // The source is dropped: it may quote the URL, which may hold a SAS signature.
    builder.body(body).map_err(|_| {
        azure_core::Error::with_message(ErrorKind::Other, "the request cannot be expressed in HTTP")
    })
}

fn to_azure_error(error: &TransportError) -> azure_core::Error {
    let kind = match error.kind() {
        TransportErrorKind::Connect => ErrorKind::Connection,
        TransportErrorKind::Refused | TransportErrorKind::TlsSetup => ErrorKind::Other,
        _ => ErrorKind::Io,
    };
    azure_core::Error::with_message(kind, error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ManualClock, MockTransport};
    use azure_core::http::{Method, Url};

    fn answer(status: u16, length: Option<u64>, body: ResponseBody) -> http::Response<ResponseBody> {
        let mut builder = http::Response::builder().status(status);
        if let Some(length) = length {
            builder = builder.header("content-length", length);
        }
        builder.body(body).unwrap()
    }

    fn adapter(transport: MockTransport) -> AzureHttpClient {
        let start = azure_core::time::parse_rfc3339("2026-02-03T04:05:06Z").unwrap();
        AzureHttpClient::new(
            Http::new(Arc::new(transport)).with_clock(Arc::new(ManualClock::skipping(start))),
        )
    }

    fn get() -> Request {
        Request::new(Url::parse("https://store.example/c/b?sig=hunter2").unwrap(), Method::Get)
    }

    #[tokio::test]
    async fn a_cut_off_answer_is_asked_for_again() {
        let mut transport = MockTransport::new();
        let mut calls = 0;
        transport.expect_send().times(2).returning(move |request| {
            calls += 1;
            let cut = TransportError::new(TransportErrorKind::Body, request.uri());
            Ok(if calls == 1 {
                answer(
                    206,
                    Some(4),
                    ResponseBody::from_stream(futures::stream::iter([Ok("ab".into()), Err(cut)])),
                )
            } else {
                answer(206, Some(4), ResponseBody::from_bytes("abcd"))
            })
        });
        let client = adapter(transport);
        let whole = client.execute_request(&get()).await.unwrap().try_into_raw_response().await.unwrap();
        assert_eq!(whole.body().as_ref(), b"abcd");
        assert_eq!(client.log().attempts(), 2);
        assert!(client.log().maybe_done_before());
    }

    #[tokio::test]
    async fn errors_hold_no_signature_and_stay_in_the_log() {
        let mut transport = MockTransport::new();
        transport
            .expect_send()
            .times(4)
            .returning(|request| Err(TransportError::new(TransportErrorKind::Connect, request.uri())));
        let client = adapter(transport);
        let error = client.execute_request(&get()).await.unwrap_err();
        assert!(!format!("{error} {error:?}").contains("hunter2"));
        assert!(!client.log().maybe_done_before());
        assert_eq!(client.log().take_error().unwrap().kind(), TransportErrorKind::Connect);
    }
}
