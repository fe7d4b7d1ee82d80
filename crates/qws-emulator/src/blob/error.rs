//! What storage refuses, in its own terms.

use http::StatusCode;
use quick_xml::escape::escape;
use time::OffsetDateTime;

use super::xml;
use crate::answer::Answer;
use crate::clock;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StorageError {
    pub(crate) status: StatusCode,
    pub(crate) code: &'static str,
    pub(crate) message: &'static str,
    /// `AuthenticationErrorDetail`: what about the signature is wrong.
    pub(crate) detail: Option<String>,
}

impl StorageError {
    pub(super) fn new(status: StatusCode, code: &'static str, message: &'static str) -> Self {
        Self { status, code, message, detail: None }
    }

    pub(super) fn no_authentication() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "NoAuthenticationInformation",
            "Server failed to authenticate the request. Please refer to the information in the www-authenticate header.",
        )
    }

    pub(super) fn authentication_failed(detail: &str) -> Self {
        let message = "Server failed to authenticate the request. Make sure the value of Authorization header is formed correctly including the signature.";
        let error = Self::new(StatusCode::FORBIDDEN, "AuthenticationFailed", message);
        Self { detail: Some(detail.to_owned()), ..error }
    }

    pub(super) fn permission_mismatch() -> Self {
        let message = "This request is not authorized to perform this operation using this permission.";
        Self::new(StatusCode::FORBIDDEN, "AuthorizationPermissionMismatch", message)
    }

    pub(super) fn container_not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "ContainerNotFound", "The specified container does not exist.")
    }

    pub(super) fn container_exists() -> Self {
        Self::new(StatusCode::CONFLICT, "ContainerAlreadyExists", "The specified container already exists.")
    }

    pub(super) fn blob_not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "BlobNotFound", "The specified blob does not exist.")
    }

    pub(super) fn blob_exists() -> Self {
        Self::new(StatusCode::CONFLICT, "BlobAlreadyExists", "The specified blob already exists.")
    }

    pub(super) fn condition_not_met() -> Self {
        let message = "The condition specified using HTTP conditional header(s) is not met.";
        Self::new(StatusCode::PRECONDITION_FAILED, "ConditionNotMet", message)
    }

    pub(super) fn invalid_range() -> Self {
        let message = "The range specified is invalid for the current size of the resource.";
        Self::new(StatusCode::RANGE_NOT_SATISFIABLE, "InvalidRange", message)
    }

    pub(super) fn invalid_block() -> Self {
        let message = "The specified blob or block content is invalid.";
        Self::new(StatusCode::BAD_REQUEST, "InvalidBlobOrBlock", message)
    }

    pub(super) fn invalid_block_list() -> Self {
        Self::new(StatusCode::BAD_REQUEST, "InvalidBlockList", "The specified block list is invalid.")
    }

    pub(super) fn invalid_xml() -> Self {
        Self::new(StatusCode::BAD_REQUEST, "InvalidXmlDocument", "XML specified is not syntactically valid.")
    }

    pub(super) fn invalid_md5() -> Self {
        let message = "The MD5 value specified in the request did not match with the MD5 value calculated by the server.";
        Self::bad_request("Md5Mismatch", message)
    }

    /// Our own: the real account has no end that a test would meet.
    pub(super) fn full() -> Self {
        let message = "The emulator holds as many bytes as it may; delete jobs or blobs, or start it with a higher --blob-limit.";
        Self::new(StatusCode::FORBIDDEN, "InsufficientStorage", message)
    }

    pub(super) fn forbidden(code: &'static str, message: &'static str) -> Self {
        Self::new(StatusCode::FORBIDDEN, code, message)
    }

    pub(super) fn bad_request(code: &'static str, message: &'static str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, message)
    }

    pub(super) fn answer(&self, request_id: &str, now: OffsetDateTime) -> Answer {
        let answer = Answer::new(self.status).with("x-ms-error-code", self.code);
        if self.status == StatusCode::NOT_MODIFIED {
            return answer;
        }
        let detail = self.detail.as_ref().map_or_else(String::new, |detail| {
            format!("<AuthenticationErrorDetail>{}</AuthenticationErrorDetail>", escape(detail.as_str()))
        });
        let body = format!(
            "{}<Error><Code>{}</Code><Message>{}\nRequestId:{request_id}\nTime:{}</Message>{detail}</Error>",
            xml::DECLARATION,
            self.code,
            escape(self.message),
            clock::precise_z(now),
        );
        Answer { body: body.into(), ..answer }.with("content-type", "application/xml")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_xml_with_its_code_in_a_header_too() {
        let error = StorageError::authentication_failed("Start [a] & more");
        let answer = error.answer("id-1", OffsetDateTime::UNIX_EPOCH);
        let body = String::from_utf8(answer.body.to_vec()).unwrap();
        assert!(body.starts_with("\u{feff}<?xml"), "{body}");
        assert!(
            body.contains("<Code>AuthenticationFailed</Code>") && body.contains("RequestId:id-1"),
            "{body}"
        );
        assert!(body.contains("Start [a] &amp; more"), "{body}");
        assert_eq!(answer.headers["x-ms-error-code"], "AuthenticationFailed");
    }
}
