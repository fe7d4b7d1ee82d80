//! What clients sent: the last requests, for tests to look at.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http::{HeaderMap, Method};
use tokio::sync::watch;

use crate::route::Operation;

/// Requests kept; older ones are forgotten, so that a long-running emulator does not grow.
const KEPT_REQUESTS: usize = 20_000;
/// Body bytes kept of one request.
const KEPT_BODY: usize = 256 * 1024;
/// Body bytes kept in all.
const KEPT_BODIES: usize = 64 * 1024 * 1024;

/// One request as it arrived, secrets included: tests compare them. Its `Debug` form masks them.
#[derive(Clone)]
#[non_exhaustive]
pub struct RecordedRequest {
    /// The method.
    pub method: Method,
    /// The path as sent, still percent-encoded.
    pub path: String,
    /// The query as sent, without its `?`; empty if there was none.
    pub query: String,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, at most its first 256 KiB.
    pub body: Bytes,
    /// What the request asked for, if the emulator knows the route.
    pub operation: Option<Operation>,
    /// The status that was answered; `None` while in progress, and for ever if the connection was reset.
    pub status: Option<u16>,
}

impl RecordedRequest {
    /// The value of one query parameter, decoded; the first if it is repeated.
    #[must_use]
    pub fn query_value(&self, name: &str) -> Option<String> {
        url::form_urlencoded::parse(self.query.as_bytes())
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.into_owned())
    }

    /// The value of one header, if it is there and readable as text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

impl fmt::Debug for RecordedRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let headers: Vec<(&str, &str)> = self
            .headers
            .iter()
            .map(|(name, value)| {
                let secret =
                    matches!(name.as_str(), "authorization" | "x-ms-quantum-api-key" | "x-identity-header");
                (name.as_str(), if secret { "***" } else { value.to_str().unwrap_or("(not text)") })
            })
            .collect();
        f.debug_struct("RecordedRequest")
            .field("method", &self.method)
            .field("path", &self.path)
            .field("query", &masked_query(&self.query))
            .field("headers", &headers)
            // A body may carry a SAS link (`containerUri`), so only its size is shown.
            .field("body_bytes", &self.body.len())
            .field("operation", &self.operation)
            .field("status", &self.status)
            .finish_non_exhaustive()
    }
}

/// The query with the value of `sig` hidden.
pub(crate) fn masked_query(query: &str) -> String {
    query
        .split('&')
        .map(|pair| if pair.starts_with("sig=") { "sig=***" } else { pair })
        .collect::<Vec<_>>()
        .join("&")
}

#[derive(Debug)]
pub(crate) struct RequestLog {
    entries: Mutex<Entries>,
    arrived: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct Entries {
    requests: VecDeque<RecordedRequest>,
    /// The number of the first one in `requests`.
    first: u64,
    body_bytes: usize,
}

impl RequestLog {
    pub(crate) fn new() -> Self {
        Self { entries: Mutex::default(), arrived: watch::Sender::new(0) }
    }

    /// Notes an arrival and returns its number, to be given to [`Self::answered`].
    pub(crate) fn arrived(&self, mut request: RecordedRequest) -> u64 {
        if request.body.len() > KEPT_BODY {
            // A copy, because a slice would keep the whole body alive.
            request.body = Bytes::copy_from_slice(&request.body[..KEPT_BODY]);
        }
        let mut entries = self.lock();
        entries.body_bytes += request.body.len();
        entries.requests.push_back(request);
        let number = entries.first + entries.requests.len() as u64 - 1;
        while entries.requests.len() > KEPT_REQUESTS || entries.body_bytes > KEPT_BODIES {
            let Some(oldest) = entries.requests.pop_front() else { break };
            entries.body_bytes -= oldest.body.len();
            entries.first += 1;
        }
        drop(entries);
        self.arrived.send_modify(|count| *count += 1);
        number
    }

    pub(crate) fn answered(&self, number: u64, status: u16) {
        let mut entries = self.lock();
        let position = number.checked_sub(entries.first).and_then(|position| usize::try_from(position).ok());
        if let Some(request) = position.and_then(|position| entries.requests.get_mut(position)) {
            request.status = Some(status);
        }
    }

    pub(crate) fn requests(&self) -> Vec<RecordedRequest> {
        self.lock().requests.iter().cloned().collect()
    }

    pub(crate) fn clear(&self) {
        let mut entries = self.lock();
        entries.first += entries.requests.len() as u64;
        entries.requests.clear();
        entries.body_bytes = 0;
    }

    /// Waits until `wanted` holds for the requests that have arrived.
    pub(crate) async fn wait_until(&self, wanted: impl Fn(&[RecordedRequest]) -> bool) {
        let mut arrived = self.arrived.subscribe();
        loop {
            arrived.borrow_and_update();
            if wanted(self.lock().requests.make_contiguous()) {
                return;
            }
            // The sender lives in `self`, so this cannot fail while we wait.
            if arrived.changed().await.is_err() {
                return;
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Entries> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(body: usize) -> RecordedRequest {
        let mut headers = HeaderMap::new();
        headers.insert("x-ms-quantum-api-key", "canary-key".parse().unwrap());
        headers.insert("authorization", "Bearer canary-token".parse().unwrap());
        headers.insert("x-identity-header", "canary-header".parse().unwrap());
        RecordedRequest {
            method: Method::GET,
            path: "/x".to_owned(),
            query: "sv=1&sig=canary%2Bsig&se=2".to_owned(),
            headers,
            body: vec![b'c'; body].into(),
            operation: None,
            status: None,
        }
    }

    #[test]
    fn debug_shows_no_secret() {
        let text = format!("{:?}", request(3));
        assert!(!text.contains("canary") && text.contains("sig=***&se=2"), "{text}");
    }

    #[test]
    fn old_requests_are_forgotten_and_late_answers_to_them_are_harmless() {
        let log = RequestLog::new();
        let first = log.arrived(request(KEPT_BODY + 1));
        for _ in 0..KEPT_BODIES / KEPT_BODY {
            log.arrived(request(KEPT_BODY));
        }
        log.answered(first, 200);
        let kept = log.requests();
        assert_eq!(kept.len(), KEPT_BODIES / KEPT_BODY);
        assert!(kept.iter().all(|request| request.status.is_none()));
    }

    #[test]
    fn an_answer_is_noted_on_its_request() {
        let log = RequestLog::new();
        log.arrived(request(0));
        log.clear();
        let number = log.arrived(request(0));
        log.answered(number, 201);
        assert_eq!(log.requests()[0].status, Some(201));
    }
}
