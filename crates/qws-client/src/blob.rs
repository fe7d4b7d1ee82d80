//! Reading and writing blobs by links with a SAS, through the official blob client on our transport.

use std::{num::NonZero, time::Duration};

use azure_core::{
    error::ErrorKind as AzureErrorKind,
    http::{ClientOptions, RequestContent, RetryOptions, Transport},
};
use azure_storage_blob::{
    BlobClient, BlobClientOptions, StorageError,
    models::{BlobClientDownloadOptions, BlobClientUploadOptions},
};
use bytes::{Bytes, BytesMut};
use futures::{
    StreamExt,
    future::{Either, select},
};
use http::StatusCode;
use qws_http::{AzureHttpClient, Http, TransferLog};
use url::Url;

use crate::{BlobUri, Error, ErrorKind, Operation, hint, models::one_line};

/// Pieces under way at once: more would only cost memory (each is 4 MiB).
const PARALLEL: NonZero<usize> = NonZero::new(2).unwrap();

/// One blob, for one transfer.
pub(crate) struct Blob<'a> {
    http: &'a Http,
    url: Url,
    deadline: Option<Duration>,
}

impl<'a> Blob<'a> {
    /// The blob at a link that the service gave. Its link opens it: no credential of ours goes along.
    pub(crate) fn at(
        http: &'a Http,
        uri: &BlobUri,
        local_workspace: bool,
        deadline: Option<Duration>,
    ) -> Result<Self, Error> {
        let url = Url::parse(uri.expose()).map_err(|_| {
            Error::new(ErrorKind::MalformedAnswer, "the service gave a storage link that is no URL")
        })?;
        let fine = match url.scheme() {
            "https" => true,
            "http" => local_workspace && is_loopback(&url),
            _ => false,
        };
        if !fine {
            let text = format!(
                "the storage link leads to {}, and https is needed",
                url.origin().ascii_serialization()
            );
            return Err(Error::new(ErrorKind::ForeignOrigin, text));
        }
        Ok(Self { http, url, deadline })
    }

    /// The blob `name` in the container at a link.
    pub(crate) fn in_container(mut self, name: &str) -> Result<Self, Error> {
        let no_base =
            || Error::new(ErrorKind::MalformedAnswer, "the service gave a storage link without a path");
        self.url.path_segments_mut().map_err(|()| no_base())?.pop_if_empty().push(name);
        Ok(self)
    }

    /// Where it is, without the signature.
    pub(crate) fn public_uri(&self) -> BlobUri {
        let mut url = self.url.clone();
        url.set_query(None);
        BlobUri::new(url)
    }

    /// Writes the blob unless there is one. One that is there already and holds the same bytes counts as written: the
    /// answer to an earlier attempt may have been lost, and the same submission may be made again.
    pub(crate) async fn upload(&self, bytes: Bytes, content_type: &str) -> Result<(), Error> {
        let (client, log) = self.client(Operation::BlobUpload)?;
        let options = BlobClientUploadOptions {
            blob_content_type: Some(content_type.to_owned()),
            parallel: Some(PARALLEL),
            ..Default::default()
        };
        let content = RequestContent::from(bytes.to_vec());
        let written = client.upload(content, Some(options.if_not_exists()));
        let Err(error) = self.bounded(Operation::BlobUpload, &log, written).await? else { return Ok(()) };
        let error = explain(Operation::BlobUpload, error, &log);
        if error.status() != Some(StatusCode::CONFLICT) {
            return Err(error);
        }
        match self.read(bytes.len()).await {
            Ok(Some(there)) if there == bytes => Ok(()),
            Ok(_) => Err(error.with_hint("there is other data under this job id: take another id")),
            Err(_) => Err(error),
        }
    }

    /// Reads the blob, which may have up to `limit_bytes`.
    pub(crate) async fn download(&self, limit_bytes: usize) -> Result<Bytes, Error> {
        self.read(limit_bytes).await?.ok_or_else(|| {
            let text = format!("the blob is longer than {limit_bytes} bytes");
            Error::new(ErrorKind::MalformedAnswer, text).with_operation(Operation::BlobDownload)
        })
    }

    /// Reads the blob; `None` if it is longer than `limit_bytes`.
    async fn read(&self, limit_bytes: usize) -> Result<Option<Bytes>, Error> {
        let (client, log) = self.client(Operation::BlobDownload)?;
        let options = BlobClientDownloadOptions { parallel: Some(PARALLEL), ..Default::default() };
        let read = async {
            let mut body = client.download(Some(options)).await?.body;
            let mut all = BytesMut::new();
            while let Some(chunk) = body.next().await {
                let chunk = chunk?;
                if all.len() + chunk.len() > limit_bytes {
                    return Ok(None);
                }
                all.extend_from_slice(&chunk);
            }
            Ok(Some(all.freeze()))
        };
        let read = self.bounded(Operation::BlobDownload, &log, read).await?;
        read.map_err(|error| explain(Operation::BlobDownload, error, &log))
    }

    /// An official client of this transfer alone, so that its log tells of nothing else.
    fn client(&self, operation: Operation) -> Result<(BlobClient, TransferLog), Error> {
        let adapter = AzureHttpClient::new(self.http.clone());
        let log = adapter.log();
        let client_options = ClientOptions {
            transport: Some(Transport::new(std::sync::Arc::new(adapter))),
            retry: RetryOptions::none(),
            ..Default::default()
        };
        let options = BlobClientOptions { client_options, ..Default::default() };
        // The official error quotes the link, so it is not kept.
        let client = BlobClient::new(self.url.clone(), None, Some(options)).map_err(|_| {
            Error::new(ErrorKind::MalformedAnswer, "the service gave a storage link that names no blob")
                .with_operation(operation)
        })?;
        Ok((client, log))
    }

    async fn bounded<T>(
        &self,
        operation: Operation,
        log: &TransferLog,
        work: impl Future<Output = T>,
    ) -> Result<T, Error> {
        let Some(limit) = self.deadline else { return Ok(work.await) };
        let expired = self.http.clock().expire(limit);
        match select(std::pin::pin!(work), expired).await {
            Either::Left((done, _)) => Ok(done),
            Either::Right(((), _)) => {
                let text = format!("the deadline of {} s passed", limit.as_secs_f64());
                Err(Error::new(ErrorKind::Deadline, text)
                    .with_operation(operation)
                    .with_attempts(log.attempts(), limit))
            }
        }
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
        Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}

/// Our error for an official one, with what the log knows. The official one is not kept: it may quote the link.
fn explain(operation: Operation, error: azure_core::Error, log: &TransferLog) -> Error {
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
