//! The operations on containers and blobs.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use md5::{Digest as _, Md5};
use time::OffsetDateTime;

use super::conditions::Conditions;
use super::store::{Blob, Properties};
use super::{Permit, StorageError, listing, query_value, xml};
use crate::answer::Answer;
use crate::clock;
use crate::incoming::Incoming;
use crate::route::{BlobPath, Operation};
use crate::state::Shared;

/// Bytes of a block's id before it is written in base64.
const MAX_BLOCK_ID: usize = 64;

pub(super) fn perform(
    shared: &Shared,
    request: &Incoming,
    operation: Operation,
    path: &BlobPath,
    permit: Permit,
    now: OffsetDateTime,
) -> Result<Answer, StorageError> {
    let store = &shared.blobs;
    let (container, name) = (path.container.as_str(), path.blob.as_str());
    let conditions = Conditions { new_only: permit.new_only, ..Conditions::of(request) };
    match operation {
        Operation::BlobPut => {
            check_kind(request)?;
            let md5 = check_md5(request)?;
            let mut properties = properties(&request.headers);
            properties.content_md5.get_or_insert_with(|| md5.clone());
            let blob = store.put(container, name, request.body.clone(), properties, &conditions, now)?;
            Ok(written(&blob, StatusCode::CREATED).with("content-md5", &md5))
        }
        Operation::BlockPut => {
            let md5 = check_md5(request)?;
            store.stage(container, name, block_id(request)?, request.body.clone())?;
            Ok(Answer::new(StatusCode::CREATED)
                .with("content-md5", &md5)
                .with("x-ms-request-server-encrypted", "true"))
        }
        Operation::BlockListPut => {
            check_md5(request)?;
            let list = xml::block_list(&request.body)?;
            let properties = Properties {
                // The type of the list itself says nothing about the blob.
                content_type: text(&request.headers, "x-ms-blob-content-type"),
                ..properties(&request.headers)
            };
            let blob = store.commit(container, name, &list, properties, &conditions, now)?;
            Ok(written(&blob, StatusCode::CREATED))
        }
        Operation::BlockListGet => listing::blocks(shared, request, path),
        Operation::BlobMetadataPut => {
            let metadata = metadata(&request.headers);
            let blob = store
                .describe(container, name, &conditions, now, |properties| properties.metadata = metadata)?;
            Ok(written(&blob, StatusCode::OK))
        }
        Operation::BlobPropertiesPut => {
            let given = properties(&request.headers);
            let blob = store.describe(container, name, &conditions, now, |properties| {
                // What is not given is taken away, all but the metadata.
                let metadata = std::mem::take(&mut properties.metadata);
                let content_type = text(&request.headers, "x-ms-blob-content-type");
                *properties = Properties { content_type, metadata, ..given };
            })?;
            Ok(written(&blob, StatusCode::OK))
        }
        Operation::BlobGet | Operation::BlobHead => {
            let blob = store.get(container, name)?;
            conditions.allow_read(&blob)?;
            read(request, &blob, permit)
        }
        Operation::BlobDelete => {
            store.delete(container, name, &conditions)?;
            Ok(Answer::new(StatusCode::ACCEPTED).with("x-ms-delete-type-permanent", "true"))
        }
        Operation::BlobsList => listing::blobs(shared, request, container),
        Operation::ContainersList => listing::containers(shared, request),
        Operation::ContainerCreate => {
            if !store.create_container(container, metadata(&request.headers), now)? {
                return Err(StorageError::container_exists());
            }
            container_answer(shared, container, StatusCode::CREATED)
        }
        Operation::ContainerDelete => {
            store.delete_container(container)?;
            Ok(Answer::new(StatusCode::ACCEPTED))
        }
        Operation::AccountGet => Ok(Answer::new(StatusCode::OK)
            .with("x-ms-sku-name", "Standard_LRS")
            .with("x-ms-account-kind", "StorageV2")
            .with("x-ms-is-hns-enabled", "false")),
        _ => Ok(container_answer(shared, container, StatusCode::OK)?
            .with("x-ms-lease-state", "available")
            .with("x-ms-lease-status", "unlocked")
            .with("x-ms-has-immutability-policy", "false")
            .with("x-ms-has-legal-hold", "false")),
    }
}

fn check_kind(request: &Incoming) -> Result<(), StorageError> {
    let (code, message) = match request.header("x-ms-blob-type") {
        Some("BlockBlob") if request.header("x-ms-copy-source").is_none() => return Ok(()),
        _ if request.header("x-ms-copy-source").is_some() => {
            ("UnsupportedHeader", "This emulator does not copy blobs.")
        }
        Some(_) => {
            ("InvalidHeaderValue", "x-ms-blob-type must be BlockBlob; other kinds of blob are not emulated.")
        }
        None => ("MissingRequiredHeader", "An HTTP header that's mandatory is missing: x-ms-blob-type."),
    };
    Err(StorageError::bad_request(code, message))
}

/// The hash of the body, which must be the one that the client has computed, if it has.
fn check_md5(request: &Incoming) -> Result<String, StorageError> {
    let md5 = STANDARD.encode(Md5::digest(&request.body));
    match request.header("content-md5") {
        Some(given) if given != md5 => Err(StorageError::invalid_md5()),
        _ => Ok(md5),
    }
}

fn block_id(request: &Incoming) -> Result<String, StorageError> {
    let id = query_value(&request.query, "blockid").unwrap_or_default();
    if id.is_empty() {
        let message = "A query parameter that's mandatory for this request is not specified: blockid.";
        return Err(StorageError::bad_request("MissingRequiredQueryParameter", message));
    }
    match STANDARD.decode(&id) {
        Ok(bytes) if bytes.len() <= MAX_BLOCK_ID => Ok(id),
        Ok(_) => {
            let message = "One of the request inputs is out of range: blockid.";
            Err(StorageError::bad_request("OutOfRangeInput", message))
        }
        Err(_) => {
            let message = "Value for one of the query parameters is invalid: blockid must be base64.";
            Err(StorageError::bad_request("InvalidQueryParameterValue", message))
        }
    }
}

fn written(blob: &Blob, status: StatusCode) -> Answer {
    Answer::new(status)
        .with("etag", &blob.etag)
        .with("last-modified", &clock::http_date(blob.modified))
        .with("x-ms-request-server-encrypted", "true")
}

fn container_answer(shared: &Shared, name: &str, status: StatusCode) -> Result<Answer, StorageError> {
    shared.blobs.with_container(name, |container| {
        let mut answer = Answer::new(status)
            .with("etag", &container.etag)
            .with("last-modified", &clock::http_date(container.modified));
        if status == StatusCode::OK {
            put_metadata(&mut answer, &container.metadata);
        }
        answer
    })
}

fn read(request: &Incoming, blob: &Blob, permit: Permit) -> Result<Answer, StorageError> {
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
    let part_md5 = (range.is_some() && request.header("x-ms-range-get-content-md5") == Some("true"))
        .then(|| STANDARD.encode(Md5::digest(&body)));
    let mut answer = Answer { body, ..Answer::new(status) }
        .with("content-length", &length.to_string())
        .with("content-type", "application/octet-stream")
        .with("etag", &blob.etag)
        .with("last-modified", &clock::http_date(blob.modified))
        .with("accept-ranges", "bytes")
        .with("x-ms-blob-type", "BlockBlob")
        .with("x-ms-creation-time", &clock::http_date(blob.created))
        .with("x-ms-access-tier", "Hot")
        .with("x-ms-access-tier-inferred", "true")
        .with("x-ms-lease-state", "available")
        .with("x-ms-lease-status", "unlocked")
        .with("x-ms-server-encrypted", "true");
    if let Some((start, _)) = range {
        let end = start + length - 1;
        answer = answer.with("content-range", &format!("bytes {start}-{end}/{size}"));
    }
    let properties = &blob.properties;
    let whole = range.is_none();
    for (name, value) in [
        ("content-type", properties.content_type.as_ref()),
        ("content-disposition", properties.content_disposition.as_ref()),
        ("content-encoding", properties.content_encoding.as_ref()),
        ("content-language", properties.content_language.as_ref()),
        ("cache-control", properties.cache_control.as_ref()),
        // The stored hash is of the whole blob, so a part of it carries the other header.
        ("content-md5", if whole { properties.content_md5.as_ref() } else { part_md5.as_ref() }),
        ("x-ms-blob-content-md5", properties.content_md5.as_ref().filter(|_| !whole)),
    ] {
        if let Some(value) = value {
            answer = answer.with(name, value);
        }
    }
    for (name, value) in permit.overrides {
        answer = answer.with(name, &value);
    }
    put_metadata(&mut answer, &properties.metadata);
    Ok(answer)
}

fn put_metadata(answer: &mut Answer, metadata: &[(String, String)]) {
    for (name, value) in metadata {
        if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), value.parse::<HeaderValue>()) {
            answer.headers.insert(name, value);
        }
    }
}

/// `bytes=a-b` or `bytes=a-`; anything else is no range: the service knows no others and gives the whole blob.
fn parse_range(text: &str) -> Option<(usize, usize)> {
    let (start, end) = text.strip_prefix("bytes=")?.split_once('-')?;
    let start = start.parse().ok()?;
    let end = if end.is_empty() { usize::MAX } else { end.parse().ok()? };
    (start <= end).then_some((start, end))
}

fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name)?.to_str().ok().filter(|value| !value.is_empty()).map(str::to_owned)
}

/// HTTP does not tell the case of a header's name, so metadata comes back in lower case.
fn metadata(headers: &HeaderMap) -> Vec<(String, String)> {
    headers
        .iter()
        .filter(|(name, _)| name.as_str().starts_with("x-ms-meta-"))
        .filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned())))
        .collect()
}

fn properties(headers: &HeaderMap) -> Properties {
    Properties {
        content_type: text(headers, "x-ms-blob-content-type").or_else(|| text(headers, "content-type")),
        content_encoding: text(headers, "x-ms-blob-content-encoding"),
        content_language: text(headers, "x-ms-blob-content-language"),
        content_disposition: text(headers, "x-ms-blob-content-disposition"),
        content_md5: text(headers, "x-ms-blob-content-md5"),
        cache_control: text(headers, "x-ms-blob-cache-control"),
        metadata: metadata(headers),
    }
}

/// An answer in XML.
pub(super) fn page(xml: String) -> Answer {
    Answer { body: Bytes::from(xml), ..Answer::new(StatusCode::OK) }.with("content-type", "application/xml")
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
}
