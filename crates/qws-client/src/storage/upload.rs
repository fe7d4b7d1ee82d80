//! Writing a blob piece by piece, so that memory does not grow with it and progress can be told.

use azure_storage_blob::{
    BlobClient,
    models::{BlobClientUploadOptions, BlockBlobClientCommitBlockListOptions, BlockLookupList},
};
use bytes::{Bytes, BytesMut};
use futures::{StreamExt, stream::FuturesUnordered};
use http::StatusCode;
use qws_http::TransferLog;
use tokio::io::{AsyncRead, AsyncReadExt};

use super::{PIECE_BYTES, answer::explain, blob::Blob, download::Download};
use crate::{Error, ErrorKind, Operation};

const OPERATION: Operation = Operation::BlobUpload;

/// Blocks under way at once: more would only cost memory.
const PARALLEL: usize = 2;

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

impl Blob<'_> {
    /// Writes the blob. With [`Existing::Keep`], one that is there already and holds the same bytes counts as written: the
    /// answer to an earlier attempt may have been lost, and the same submission may be made again.
    pub(crate) async fn upload(&self, source: &mut Source<'_>, upload: &Upload<'_>) -> Result<(), Error> {
        let whole = match source {
            Source::Bytes(bytes) => Some(bytes.clone()),
            Source::Reader(_) => None,
        };
        let (client, log) = self.client(OPERATION)?;
        let writing = Writing { blob: self, client, log, upload };
        let Err(error) = writing.write(source).await else { return Ok(()) };
        if error.status() != Some(StatusCode::CONFLICT) || matches!(upload.existing, Existing::Replace) {
            return Err(error);
        }
        let Some(bytes) = whole else {
            return Err(error
                .with_hint("there is data of that name already, and a stream cannot be compared with it"));
        };
        match Download::here(self.clone()).equals(&bytes).await {
            Ok(true) => Ok(()),
            Ok(false) => Err(error.with_hint("there is other data there already: take another id or name")),
            Err(_) => Err(error),
        }
    }
}

impl Source<'_> {
    /// The next piece: full unless it is the last; `None` at the end.
    async fn next(&mut self) -> Result<Option<Bytes>, Error> {
        let piece = match self {
            Self::Bytes(bytes) => bytes.split_to(bytes.len().min(PIECE_BYTES)),
            Self::Reader(reader) => {
                let mut piece = BytesMut::with_capacity(PIECE_BYTES);
                while piece.len() < PIECE_BYTES {
                    let mut rest = (&mut *reader).take((PIECE_BYTES - piece.len()) as u64);
                    if rest.read_buf(&mut piece).await.map_err(|error| unreadable(&error))? == 0 {
                        break;
                    }
                }
                piece.freeze()
            }
        };
        Ok((!piece.is_empty()).then_some(piece))
    }
}

fn unreadable(error: &std::io::Error) -> Error {
    Error::new(ErrorKind::InvalidInput, "the input could not be read to its end")
        .with_operation(OPERATION)
        .with_source(error.to_string())
}

/// One upload under way.
struct Writing<'a> {
    blob: &'a Blob<'a>,
    client: BlobClient,
    log: TransferLog,
    upload: &'a Upload<'a>,
}

impl Writing<'_> {
    /// One request for what fits into one piece; blocks, a few at a time, and their list for more.
    async fn write(&self, source: &mut Source<'_>) -> Result<(), Error> {
        let first = source.next().await?.unwrap_or_default();
        let second = if first.len() < PIECE_BYTES { None } else { source.next().await? };
        match second {
            None => self.put(first).await,
            Some(second) => {
                let ids = self.stage([first, second], source).await?;
                self.commit(ids).await
            }
        }
    }

    async fn put(&self, bytes: Bytes) -> Result<(), Error> {
        let length = bytes.len() as u64;
        let mut options = BlobClientUploadOptions {
            blob_content_type: Some(self.upload.content_type.to_owned()),
            blob_content_encoding: self.upload.encoding.map(str::to_owned),
            ..Default::default()
        };
        if let Existing::Keep = self.upload.existing {
            options = options.if_not_exists();
        }
        self.request(self.client.upload(bytes.into(), Some(options))).await?;
        (self.upload.progress)(length);
        Ok(())
    }

    /// Sends the first pieces and the rest of the source as blocks; their ids in order.
    async fn stage(&self, first: [Bytes; 2], source: &mut Source<'_>) -> Result<Vec<Vec<u8>>, Error> {
        let blocks = self.client.block_blob_client();
        let mut ready = first.into_iter();
        let (mut ids, mut written, mut at_end) = (Vec::new(), 0, false);
        let mut under_way = FuturesUnordered::new();
        loop {
            while !at_end && under_way.len() < PARALLEL {
                let piece = match ready.next() {
                    Some(piece) => Some(piece),
                    None => source.next().await?,
                };
                let Some(piece) = piece else {
                    at_end = true;
                    break;
                };
                // All ids of a blob must have the same length.
                let id = format!("{:08}", ids.len()).into_bytes();
                ids.push(id.clone());
                let (blocks, length) = (&blocks, piece.len() as u64);
                under_way.push(async move {
                    let staged = blocks.stage_block(&id, length, piece.into(), None);
                    self.request(staged).await.map(|_| length)
                });
            }
            let Some(length) = under_way.next().await else { return Ok(ids) };
            written += length?;
            (self.upload.progress)(written);
        }
    }

    async fn commit(&self, ids: Vec<Vec<u8>>) -> Result<(), Error> {
        let list = BlockLookupList { latest: Some(ids), ..Default::default() };
        let list = list.try_into().map_err(|error| explain(OPERATION, error, &self.log))?;
        let options = BlockBlobClientCommitBlockListOptions {
            blob_content_type: Some(self.upload.content_type.to_owned()),
            blob_content_encoding: self.upload.encoding.map(str::to_owned),
            if_none_match: matches!(self.upload.existing, Existing::Keep).then(|| "*".into()),
            ..Default::default()
        };
        let blocks = self.client.block_blob_client();
        self.request(blocks.commit_block_list(list, Some(options))).await.map(drop)
    }

    async fn request<T>(&self, request: impl Future<Output = azure_core::Result<T>>) -> Result<T, Error> {
        let sent = self.blob.bounded(OPERATION, &self.log, request).await?;
        sent.map_err(|error| explain(OPERATION, error, &self.log))
    }
}
