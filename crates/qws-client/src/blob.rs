//! Reading and writing blobs by links with a SAS, through the official blob client on our transport.

use std::{num::NonZero, time::Duration};

use azure_core::{
    error::ErrorKind as AzureErrorKind,
    http::{ClientOptions, RequestContent, RetryOptions, Transport},
};
use azure_storage_blob::{
    BlobClient, BlobClientOptions, BlobContainerClient, BlobContainerClientOptions, StorageError,
    models::{
        BlobClientDownloadOptions, BlobClientUploadOptions, BlockBlobClientCommitBlockListOptions,
        BlockLookupList,
    },
};
use bytes::{Bytes, BytesMut};
use futures::{
    StreamExt, TryStreamExt,
    future::{Either, select},
    stream::FuturesUnordered,
};
use http::StatusCode;
use qws_http::{AzureHttpClient, Http, TransferLog};
use tokio::io::{AsyncRead, AsyncReadExt};
use url::Url;

use crate::{Attachment, BlobUri, Error, ErrorKind, Operation, hint, models::one_line};

/// Pieces under way at once: more would only cost memory.
const PARALLEL: NonZero<usize> = NonZero::new(2).unwrap();

/// The size of a piece. It is what the official client transfers in one request, and what our adapter can repeat whole.
const PIECE_BYTES: usize = 4 << 20;

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

    /// Writes the blob. With [`Existing::Keep`], one that is there already and holds the same bytes counts as written: the
    /// answer to an earlier attempt may have been lost, and the same submission may be made again.
    pub(crate) async fn upload(
        &self,
        bytes: Bytes,
        content_type: &str,
        encoding: Option<&str>,
        existing: Existing,
    ) -> Result<(), Error> {
        let upload = Upload { content_type, encoding, existing, progress: &|_| () };
        self.upload_pieces(&mut Source::Bytes(bytes), &upload).await
    }

    /// Writes the blob piece by piece, so that memory does not grow with it and progress can be told.
    pub(crate) async fn upload_pieces(
        &self,
        source: &mut Source<'_>,
        upload: &Upload<'_>,
    ) -> Result<(), Error> {
        let whole = match source {
            Source::Bytes(bytes) => Some(bytes.clone()),
            Source::Reader(_) => None,
        };
        let (client, log) = self.client(Operation::BlobUpload)?;
        let written = self.bounded(Operation::BlobUpload, &log, write(&client, source, upload)).await?;
        let error = match written {
            Ok(()) => return Ok(()),
            Err(WriteError::Source(error)) => {
                let text = "the input could not be read to its end";
                return Err(Error::new(ErrorKind::InvalidInput, text)
                    .with_operation(Operation::BlobUpload)
                    .with_source(error.to_string()));
            }
            Err(WriteError::Storage(error)) => explain(Operation::BlobUpload, error, &log),
        };
        if error.status() != Some(StatusCode::CONFLICT) || matches!(upload.existing, Existing::Replace) {
            return Err(error);
        }
        let Some(bytes) = whole else {
            return Err(error
                .with_hint("there is data of that name already, and a stream cannot be compared with it"));
        };
        match self.read(bytes.len()).await {
            Ok(Some(there)) if there == bytes => Ok(()),
            Ok(_) => Err(error.with_hint("there is other data there already: take another id or name")),
            Err(_) => Err(error),
        }
    }

    /// The blobs of the container that this link leads to.
    pub(crate) async fn list(&self) -> Result<Vec<Attachment>, Error> {
        const OPERATION: Operation = Operation::BlobList;
        let adapter = AzureHttpClient::new(self.http.clone());
        let log = adapter.log();
        let options =
            BlobContainerClientOptions { client_options: client_options(adapter), ..Default::default() };
        let container = BlobContainerClient::new(self.url.clone(), None, Some(options))
            .map_err(|_| no_blob(OPERATION))?;
        let listed = async {
            let mut blobs = container.list_blobs(None)?;
            let mut all = Vec::new();
            while let Some(blob) = blobs.try_next().await? {
                let properties = blob.properties.unwrap_or_default();
                all.push(Attachment {
                    name: blob.name.unwrap_or_default(),
                    bytes: properties.content_length,
                    content_type: properties.content_type,
                });
            }
            Ok(all)
        };
        let listed: Result<_, azure_core::Error> = self.bounded(OPERATION, &log, listed).await?;
        listed.map_err(|error| explain(OPERATION, error, &log))
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
        let options = BlobClientOptions { client_options: client_options(adapter), ..Default::default() };
        // The official error quotes the link, so it is not kept.
        let client =
            BlobClient::new(self.url.clone(), None, Some(options)).map_err(|_| no_blob(operation))?;
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

/// What to do about a blob that is there already.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Existing {
    /// Leave it, and compare.
    Keep,
    /// Write over it.
    Replace,
}

/// Where the bytes of an upload come from.
pub(crate) enum Source<'a> {
    Bytes(Bytes),
    Reader(&'a mut (dyn AsyncRead + Send + Unpin)),
}

/// How a blob is written.
pub(crate) struct Upload<'a> {
    pub(crate) content_type: &'a str,
    pub(crate) encoding: Option<&'a str>,
    pub(crate) existing: Existing,
    /// Told how many bytes are written, as that number grows.
    pub(crate) progress: &'a (dyn Fn(u64) + Send + Sync),
}

enum WriteError {
    Source(std::io::Error),
    Storage(azure_core::Error),
}

impl From<azure_core::Error> for WriteError {
    fn from(error: azure_core::Error) -> Self {
        Self::Storage(error)
    }
}

impl Source<'_> {
    /// The next piece: full unless it is the last; `None` at the end.
    async fn next(&mut self) -> Result<Option<Bytes>, WriteError> {
        let piece = match self {
            Self::Bytes(bytes) => bytes.split_to(bytes.len().min(PIECE_BYTES)),
            Self::Reader(reader) => {
                let mut piece = BytesMut::with_capacity(PIECE_BYTES);
                while piece.len() < PIECE_BYTES {
                    let mut rest = (&mut *reader).take((PIECE_BYTES - piece.len()) as u64);
                    if rest.read_buf(&mut piece).await.map_err(WriteError::Source)? == 0 {
                        break;
                    }
                }
                piece.freeze()
            }
        };
        Ok((!piece.is_empty()).then_some(piece))
    }
}

/// One request for what fits into one piece; blocks, a few at a time, and their list for more.
async fn write(client: &BlobClient, source: &mut Source<'_>, upload: &Upload<'_>) -> Result<(), WriteError> {
    let first = source.next().await?.unwrap_or_default();
    let second = if first.len() < PIECE_BYTES { None } else { source.next().await? };
    let Some(second) = second else {
        let length = first.len() as u64;
        let mut options = BlobClientUploadOptions {
            blob_content_type: Some(upload.content_type.to_owned()),
            blob_content_encoding: upload.encoding.map(str::to_owned),
            ..Default::default()
        };
        if let Existing::Keep = upload.existing {
            options = options.if_not_exists();
        }
        client.upload(RequestContent::from(first.to_vec()), Some(options)).await?;
        (upload.progress)(length);
        return Ok(());
    };
    let blocks = client.block_blob_client();
    let mut ids = Vec::new();
    let mut written = 0;
    let mut under_way = FuturesUnordered::new();
    let mut next = Some(first);
    let mut after = Some(second);
    loop {
        while let Some(piece) = next.take().filter(|_| under_way.len() < PARALLEL.get()) {
            // All ids of a blob must have the same length.
            let id = format!("{:08}", ids.len()).into_bytes();
            ids.push(id.clone());
            let (blocks, length) = (&blocks, piece.len() as u64);
            under_way.push(async move {
                blocks
                    .stage_block(&id, length, RequestContent::from(piece.to_vec()), None)
                    .await
                    .map(|_| length)
            });
            next = match after.take() {
                Some(piece) => Some(piece),
                None => source.next().await?,
            };
            if under_way.len() >= PARALLEL.get() {
                break;
            }
        }
        match under_way.next().await {
            Some(length) => {
                written += length?;
                (upload.progress)(written);
            }
            None if next.is_none() => break,
            None => {}
        }
    }
    let list = BlockLookupList { latest: Some(ids), ..Default::default() };
    let options = BlockBlobClientCommitBlockListOptions {
        blob_content_type: Some(upload.content_type.to_owned()),
        blob_content_encoding: upload.encoding.map(str::to_owned),
        if_none_match: matches!(upload.existing, Existing::Keep).then(|| "*".into()),
        ..Default::default()
    };
    blocks.commit_block_list(list.try_into()?, Some(options)).await?;
    Ok(())
}

fn client_options(adapter: AzureHttpClient) -> ClientOptions {
    ClientOptions {
        transport: Some(Transport::new(std::sync::Arc::new(adapter))),
        retry: RetryOptions::none(),
        ..Default::default()
    }
}

fn no_blob(operation: Operation) -> Error {
    Error::new(ErrorKind::MalformedAnswer, "the service gave a storage link that names no blob")
        .with_operation(operation)
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
