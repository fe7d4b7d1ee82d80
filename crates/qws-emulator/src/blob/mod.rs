//! The storage account: the part of Azure Blob Storage that Azure Quantum clients meet.

pub(crate) mod sas;
mod shared_key;
pub(crate) mod store;
mod xml;

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};
use quick_xml::escape::escape;
use time::OffsetDateTime;
use url::form_urlencoded;

use crate::answer::Answer;
use crate::clock;
use crate::route::{BlobPath, Operation};
use crate::server::Incoming;
use crate::state::Shared;
use sas::Overrides;
use store::{Blob, Conditions, Properties};

/// What storage refuses, in its own terms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StorageError {
    pub(crate) status: StatusCode,
    pub(crate) code: &'static str,
    pub(crate) message: &'static str,
    /// `AuthenticationErrorDetail`: what about the signature is wrong.
    pub(crate) detail: Option<String>,
}

impl StorageError {
    fn new(status: StatusCode, code: &'static str, message: &'static str) -> Self {
        Self { status, code, message, detail: None }
    }

    fn no_authentication() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "NoAuthenticationInformation",
            "Server failed to authenticate the request. Please refer to the information in the www-authenticate header.",
        )
    }

    fn authentication_failed(detail: &str) -> Self {
        let message = "Server failed to authenticate the request. Make sure the value of Authorization header is formed correctly including the signature.";
        let error = Self::new(StatusCode::FORBIDDEN, "AuthenticationFailed", message);
        Self { detail: Some(detail.to_owned()), ..error }
    }

    fn permission_mismatch() -> Self {
        let message = "This request is not authorized to perform this operation using this permission.";
        Self::new(StatusCode::FORBIDDEN, "AuthorizationPermissionMismatch", message)
    }

    fn container_not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "ContainerNotFound", "The specified container does not exist.")
    }

    fn container_exists() -> Self {
        Self::new(StatusCode::CONFLICT, "ContainerAlreadyExists", "The specified container already exists.")
    }

    fn blob_not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "BlobNotFound", "The specified blob does not exist.")
    }

    fn blob_exists() -> Self {
        Self::new(StatusCode::CONFLICT, "BlobAlreadyExists", "The specified blob already exists.")
    }

    fn condition_not_met() -> Self {
        let message = "The condition specified using HTTP conditional header(s) is not met.";
        Self::new(StatusCode::PRECONDITION_FAILED, "ConditionNotMet", message)
    }

    fn invalid_range() -> Self {
        let message = "The range specified is invalid for the current size of the resource.";
        Self::new(StatusCode::RANGE_NOT_SATISFIABLE, "InvalidRange", message)
    }

    fn invalid_block() -> Self {
        let message = "The specified blob or block content is invalid.";
        Self::new(StatusCode::BAD_REQUEST, "InvalidBlobOrBlock", message)
    }

    fn invalid_block_list() -> Self {
        Self::new(StatusCode::BAD_REQUEST, "InvalidBlockList", "The specified block list is invalid.")
    }

    fn invalid_xml() -> Self {
        Self::new(StatusCode::BAD_REQUEST, "InvalidXmlDocument", "XML specified is not syntactically valid.")
    }

    fn bad_request(code: &'static str, message: &'static str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, message)
    }

    fn answer(&self, request_id: &str, now: OffsetDateTime) -> Answer {
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

/// Handles a request to the storage account.
pub(crate) fn handle(shared: &Shared, request: &Incoming, request_id: &str) -> Answer {
    let now = shared.clock.now();
    let answer = match (&request.matched, BlobPath::parse(&request.path)) {
        (Ok(matched), Some(path)) => authorise(shared, request, matched.operation, &path, now)
            .and_then(|overrides| perform(shared, request, matched.operation, &path, &overrides, now))
            .unwrap_or_else(|error| error.answer(request_id, now)),
        (matched, _) => {
            if let Err(unknown) = matched {
                tracing::warn!(method = %request.method, path = request.path, %unknown, "unknown storage route");
            }
            let message = "This emulator has no such storage operation.";
            StorageError::bad_request("UnsupportedOperation", message).answer(request_id, now)
        }
    };
    let version = request.header("x-ms-version").unwrap_or("2024-11-04");
    answer.with("x-ms-version", version)
}

fn authorise(
    shared: &Shared,
    request: &Incoming,
    operation: Operation,
    path: &BlobPath,
    now: OffsetDateTime,
) -> Result<Overrides, StorageError> {
    let authorization = request.header("authorization");
    if let Some(signed) = authorization.and_then(|value| value.strip_prefix("SharedKey ")) {
        return shared_key::check(&shared.sas, request, signed, now);
    }
    let needed = match operation {
        Operation::BlobPut | Operation::BlockPut | Operation::BlockListPut | Operation::ContainerCreate => {
            "cw"
        }
        Operation::BlobDelete => "d",
        Operation::BlobsList => "l",
        Operation::ContainerGet => "racwl",
        _ => "r",
    };
    shared.sas.check(path, &request.query, needed, now)
}

fn perform(
    shared: &Shared,
    request: &Incoming,
    operation: Operation,
    path: &BlobPath,
    overrides: &Overrides,
    now: OffsetDateTime,
) -> Result<Answer, StorageError> {
    let store = &shared.blobs;
    let (container, name) = (path.container.as_str(), path.blob.as_str());
    let conditions = Conditions {
        if_match: request.header("if-match").map(str::to_owned),
        if_none_match: request.header("if-none-match").map(str::to_owned),
    };
    let created = |blob: &Blob| {
        Answer::new(StatusCode::CREATED)
            .with("etag", &blob.etag)
            .with("last-modified", &clock::http_date(blob.modified))
            .with("x-ms-request-server-encrypted", "true")
    };
    match operation {
        Operation::BlobPut => {
            if request.header("x-ms-blob-type") != Some("BlockBlob") {
                let message = "x-ms-blob-type must be BlockBlob; other kinds of blob are not emulated.";
                return Err(StorageError::bad_request("InvalidHeaderValue", message));
            }
            let properties = properties(&request.headers);
            let blob = store.put(container, name, request.body.clone(), properties, &conditions, now)?;
            Ok(created(&blob))
        }
        Operation::BlockPut => {
            let block = query_value(&request.query, "blockid").unwrap_or_default();
            if block.is_empty() {
                let message =
                    "A query parameter that's mandatory for this request is not specified: blockid.";
                return Err(StorageError::bad_request("MissingRequiredQueryParameter", message));
            }
            store.stage(container, name, block, request.body.clone())?;
            Ok(Answer::new(StatusCode::CREATED).with("x-ms-request-server-encrypted", "true"))
        }
        Operation::BlockListPut => {
            let list = xml::block_list(&request.body)?;
            let properties = properties(&request.headers);
            Ok(created(&store.commit(container, name, &list, properties, &conditions, now)?))
        }
        Operation::BlobGet | Operation::BlobHead => {
            let blob = store.get(container, name)?;
            conditions.allow_read(&blob.etag)?;
            read(request, &blob, overrides)
        }
        Operation::BlobDelete => {
            store.delete(container, name)?;
            Ok(Answer::new(StatusCode::ACCEPTED).with("x-ms-delete-type-permanent", "true"))
        }
        Operation::BlobsList => list(shared, request, container),
        Operation::ContainerCreate => {
            if !store.create_container(container, now) {
                return Err(StorageError::container_exists());
            }
            container_answer(shared, container, StatusCode::CREATED)
        }
        _ => Ok(container_answer(shared, container, StatusCode::OK)?
            .with("x-ms-lease-state", "available")
            .with("x-ms-lease-status", "unlocked")
            .with("x-ms-has-immutability-policy", "false")
            .with("x-ms-has-legal-hold", "false")),
    }
}

fn container_answer(shared: &Shared, name: &str, status: StatusCode) -> Result<Answer, StorageError> {
    shared.blobs.with_container(name, |container| {
        Answer::new(status)
            .with("etag", &container.etag)
            .with("last-modified", &clock::http_date(container.modified))
    })
}

fn read(request: &Incoming, blob: &Blob, overrides: &Overrides) -> Result<Answer, StorageError> {
    let size = blob.content.len();
    // `x-ms-range` wins over `Range`, as the service documents.
    let range = request.header("x-ms-range").or_else(|| request.header("range"));
    let range = range.filter(|_| request.method == Method::GET).and_then(parse_range);
    let (status, body) = match range {
        Some((start, _)) if start >= size => {
            return Err(StorageError::invalid_range());
        }
        Some((start, end)) => {
            (StatusCode::PARTIAL_CONTENT, blob.content.slice(start..end.saturating_add(1).min(size)))
        }
        None => (StatusCode::OK, blob.content.clone()),
    };
    let length = if request.method == Method::HEAD { size } else { body.len() };
    let properties = &blob.properties;
    let content_type = overrides.content_type.as_ref().or(properties.content_type.as_ref());
    let disposition = overrides.content_disposition.as_ref().or(properties.content_disposition.as_ref());
    let mut answer = Answer { body, ..Answer::new(status) }
        .with("content-length", &length.to_string())
        .with("content-type", content_type.map_or("application/octet-stream", String::as_str))
        .with("etag", &blob.etag)
        .with("last-modified", &clock::http_date(blob.modified))
        .with("accept-ranges", "bytes")
        .with("x-ms-blob-type", "BlockBlob")
        .with("x-ms-creation-time", &clock::http_date(blob.created))
        .with("x-ms-lease-state", "available")
        .with("x-ms-lease-status", "unlocked")
        .with("x-ms-server-encrypted", "true");
    if let Some((start, _)) = range {
        let end = start + length - 1;
        answer = answer.with("content-range", &format!("bytes {start}-{end}/{size}"));
    }
    let whole = range.is_none();
    for (name, value) in [
        ("content-disposition", disposition),
        ("content-encoding", properties.content_encoding.as_ref()),
        ("content-language", properties.content_language.as_ref()),
        ("cache-control", properties.cache_control.as_ref()),
        // The hash is of the whole blob, so a part of it carries the other header.
        ("content-md5", properties.content_md5.as_ref().filter(|_| whole)),
        ("x-ms-blob-content-md5", properties.content_md5.as_ref().filter(|_| !whole)),
    ] {
        if let Some(value) = value {
            answer = answer.with(name, value);
        }
    }
    for (name, value) in &properties.metadata {
        if let (Ok(name), Ok(value)) = (name.parse::<http::HeaderName>(), value.parse()) {
            answer.headers.insert(name, value);
        }
    }
    Ok(answer)
}

/// `bytes=a-b` or `bytes=a-`; anything else is no range, as RFC 9110 asks of what cannot be read.
fn parse_range(text: &str) -> Option<(usize, usize)> {
    let (start, end) = text.strip_prefix("bytes=")?.split_once('-')?;
    let start = start.parse().ok()?;
    let end = if end.is_empty() { usize::MAX } else { end.parse().ok()? };
    (start <= end).then_some((start, end))
}

fn list(shared: &Shared, request: &Incoming, container: &str) -> Result<Answer, StorageError> {
    let prefix = query_value(&request.query, "prefix").unwrap_or_default();
    let marker = query_value(&request.query, "marker").unwrap_or_default();
    let max_results = query_value(&request.query, "maxresults").and_then(|max| max.parse::<usize>().ok());
    let limit = max_results.unwrap_or(5000).clamp(1, 5000);
    let body = shared.blobs.with_container(container, |content| {
        // The marker is the name that the next page begins with.
        let mut rest = content.blobs.range(marker..).filter(|(name, _)| name.starts_with(&prefix));
        let blobs: Vec<_> = rest.by_ref().take(limit).collect();
        let next_marker = rest.next().map(|(name, _)| name.as_str());
        let service = shared.storage_endpoint();
        xml::blobs_page(&xml::BlobsPage {
            service: &service,
            container,
            prefix: &prefix,
            max_results,
            blobs,
            next_marker,
        })
    })?;
    Ok(Answer { body: Bytes::from(body), ..Answer::new(StatusCode::OK) }
        .with("content-type", "application/xml"))
}

fn properties(headers: &HeaderMap) -> Properties {
    let text =
        |name: &str| headers.get(name)?.to_str().ok().filter(|value| !value.is_empty()).map(str::to_owned);
    let metadata = headers
        .iter()
        .filter(|(name, _)| name.as_str().starts_with("x-ms-meta-"))
        .filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned())))
        .collect();
    Properties {
        content_type: text("x-ms-blob-content-type").or_else(|| text("content-type")),
        content_encoding: text("x-ms-blob-content-encoding"),
        content_language: text("x-ms-blob-content-language"),
        content_disposition: text("x-ms-blob-content-disposition"),
        content_md5: text("x-ms-blob-content-md5"),
        cache_control: text("x-ms-blob-cache-control"),
        metadata,
    }
}

fn query_value(query: &str, name: &str) -> Option<String> {
    form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_or_ignored() {
        assert_eq!(parse_range("bytes=0-33554431"), Some((0, 33_554_431)));
        assert_eq!(parse_range("bytes=5-"), Some((5, usize::MAX)));
        for odd in ["bytes=-5", "bytes=7-3", "lines=0-1", "bytes=a-b"] {
            assert_eq!(parse_range(odd), None, "{odd}");
        }
    }

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
