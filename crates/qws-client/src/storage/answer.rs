//! Our errors for what the official client tells.

use std::time::Duration;

use azure_core::error::ErrorKind as AzureErrorKind;
use azure_storage_blob::StorageError;
use http::StatusCode;
use qws_http::TransferLog;

use crate::{Error, ErrorKind, Operation, hint, models::one_line};

/// Our error for an official one, with what the log knows. The official one is not kept: it may quote the link.
pub(super) fn explain(operation: Operation, error: azure_core::Error, log: &TransferLog) -> Error {
    let made = match log.take_error() {
        Some(lost) => Error::new(ErrorKind::Network, lost.to_string()),
        None => match error.kind() {
            AzureErrorKind::HttpResponse { status, error_code, .. } => {
                let (status, code) = (u16::from(*status), error_code.clone());
                let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
                return refused(operation, status, code.as_deref(), error)
                    .with_attempts(log.attempts(), Duration::ZERO);
            }
            _ => Error::new(ErrorKind::MalformedAnswer, "storage gave an answer that cannot be read"),
        },
    };
    let hint = hint::advice(made.kind(), false).unwrap_or("try again");
    made.with_operation(operation).with_attempts(log.attempts(), Duration::ZERO).with_hint(hint)
}

fn refused(operation: Operation, status: StatusCode, code: Option<&str>, error: azure_core::Error) -> Error {
    let parsed = StorageError::try_from(error).ok();
    let message = parsed.as_ref().and_then(|error| error.message.as_deref()).map(one_line);
    let request_id = parsed.as_ref().and_then(|error| error.request_id.clone());
    let mut headers = http::HeaderMap::new();
    if let Some(value) = code.and_then(|code| code.parse().ok()) {
        headers.insert("x-ms-error-code", value);
    }
    let body = serde_json::json!({"message": message.unwrap_or_default()}).to_string();
    hint::for_answer(operation, status, &headers, body.as_bytes(), false).with_request_id(request_id)
}
