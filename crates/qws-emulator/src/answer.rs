//! Answers and error answers, before a fault may spoil them.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde::Serialize;
use serde_json::json;

/// A whole answer in memory.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    pub(crate) fn new(status: StatusCode) -> Self {
        Self { status, headers: HeaderMap::new(), body: Bytes::new() }
    }

    pub(crate) fn json(status: StatusCode, value: &impl Serialize) -> Self {
        match serde_json::to_vec(value) {
            Ok(body) => Self { body: body.into(), ..Self::new(status) }
                .with("content-type", "application/json; charset=utf-8"),
            // Our wire structs have text keys and finite numbers only; should that change, say so.
            Err(error) => {
                ServiceError::new(StatusCode::INTERNAL_SERVER_ERROR, "InternalError", error.to_string())
                    .into()
            }
        }
    }

    /// Sets a header; a value that no header can hold is left out, as the real service's gateway does.
    pub(crate) fn with(mut self, name: &'static str, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.insert(HeaderName::from_static(name), value);
        }
        self
    }
}

/// What the service refuses, in its own terms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ServiceError {
    pub(crate) status: StatusCode,
    pub(crate) code: &'static str,
    pub(crate) message: String,
}

impl ServiceError {
    pub(crate) fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into() }
    }

    pub(crate) fn bad_request(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, message)
    }

    pub(crate) fn not_found(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, code, message)
    }

    pub(crate) fn conflict(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, code, message)
    }
}

impl From<ServiceError> for Answer {
    fn from(error: ServiceError) -> Self {
        let body = json!({ "error": { "code": error.code, "message": error.message } });
        Answer::json(error.status, &body).with("x-ms-error-code", error.code)
    }
}

impl<E: Into<Answer>> From<Result<Answer, E>> for Answer {
    fn from(result: Result<Answer, E>) -> Self {
        result.unwrap_or_else(Into::into)
    }
}
