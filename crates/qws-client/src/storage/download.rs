//! Reading a blob as a stream that goes on where it was cut off.

use std::{num::NonZero, pin::Pin, time::Duration};

use azure_core::http::{Etag, headers::HeaderName, response::AsyncResponseBody};
use azure_storage_blob::models::BlobClientDownloadOptions;
use bytes::{Bytes, BytesMut};
use futures::{
    StreamExt,
    future::{Either, select},
};
use http::StatusCode;
use qws_http::TransferLog;
use tokio::io::{AsyncWrite, AsyncWriteExt};

use super::{
    PIECE_BYTES,
    access::Access,
    answer::explain,
    blob::{Blob, too_late},
    links::{Place, Store},
};
use crate::{BlobUri, Error, ErrorKind, Operation};

const OPERATION: Operation = Operation::BlobDownload;

/// More than any blob has: the official client then asks for the rest in one request, and passes on what arrives.
const WHOLE: NonZero<usize> = NonZero::new(usize::MAX >> (usize::BITS / 4)).unwrap();

/// A blob on its way here, chunk by chunk. One that is cut off is asked for again from there on, and only if it is still
/// the same; a link that has run out meanwhile is replaced by a fresh one.
pub(crate) struct Download<'a> {
    blob: Blob<'a>,
    /// Where fresh links are had.
    renew: Option<(Store<'a>, Place)>,
    /// Whether the link is fresh and has opened nothing yet: another one would do no better.
    untried: bool,
    etag: Option<Etag>,
    body: Option<Body>,
    at: u64,
    length: Option<u64>,
    cuts: Cuts,
}

/// An answer under way.
struct Body {
    chunks: AsyncResponseBody,
    log: TransferLog,
    /// When the piece that arrives must be here, and where it ends.
    deadline: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
    piece_end: u64,
}

/// How often the stream was cut since it last got on by a piece.
#[derive(Default)]
struct Cuts {
    count: u32,
    at: u64,
    since: Duration,
}

impl<'a> Download<'a> {
    /// By the link, if it is good for a while yet; otherwise by a fresh one.
    pub(crate) async fn by_link(store: Store<'a>, uri: &BlobUri) -> Result<Self, Error> {
        if store.is_fresh(uri) {
            let blob = store.at(uri)?;
            // A link that leads nowhere we know can still be read; only no other can be had.
            let renew = store.blob_place(uri).ok().map(|place| (store, place));
            return Ok(Self { renew, ..Self::new(blob, false) });
        }
        Self::by_place(store, store.blob_place(uri)?).await
    }

    /// By a fresh link.
    pub(crate) async fn by_place(store: Store<'a>, place: Place) -> Result<Self, Error> {
        let blob = store.open(&place, Access::Read).await?;
        Ok(Self { renew: Some((store, place)), ..Self::new(blob, true) })
    }

    /// By this very link.
    pub(super) fn here(blob: Blob<'a>) -> Self {
        Self::new(blob, true)
    }

    fn new(blob: Blob<'a>, untried: bool) -> Self {
        Self {
            blob,
            renew: None,
            untried,
            etag: None,
            body: None,
            at: 0,
            length: None,
            cuts: Cuts::default(),
        }
    }

    /// All of it, in one buffer of its length, which may be up to `limit_bytes`.
    pub(crate) async fn collect(mut self, limit_bytes: usize) -> Result<Bytes, Error> {
        let Some(first) = self.next().await? else { return Ok(Bytes::new()) };
        let length = self.length.map_or(Some(first.len()), |length| usize::try_from(length).ok());
        let too_long = || {
            let text = format!("the blob is longer than {limit_bytes} bytes");
            Error::new(ErrorKind::MalformedAnswer, text)
                .with_operation(OPERATION)
                .with_hint("write it to a file: `output_to` and `download_to` hold little of it in memory")
        };
        let length = length.filter(|length| *length <= limit_bytes).ok_or_else(too_long)?;
        if self.length == Some(self.at) {
            return Ok(first);
        }
        let mut all = BytesMut::with_capacity(length);
        let mut chunk = Some(first);
        while let Some(bytes) = chunk {
            if all.len() + bytes.len() > limit_bytes {
                return Err(too_long());
            }
            all.extend_from_slice(&bytes);
            drop(bytes);
            chunk = self.next().await?;
        }
        Ok(all.freeze())
    }

    /// Writes all of it, holding one chunk at a time; how many bytes that were.
    pub(crate) async fn copy_to(
        mut self,
        writer: &mut (impl AsyncWrite + Send + Unpin),
    ) -> Result<u64, Error> {
        let failed = |error: std::io::Error| {
            Error::new(ErrorKind::Other, "what was read could not be written")
                .with_operation(OPERATION)
                .with_source(error)
        };
        while let Some(chunk) = self.next().await? {
            writer.write_all(&chunk).await.map_err(failed)?;
        }
        writer.flush().await.map_err(failed)?;
        Ok(self.at)
    }

    /// Whether it is these bytes.
    pub(super) async fn equals(mut self, mut bytes: &[u8]) -> Result<bool, Error> {
        while let Some(chunk) = self.next().await? {
            match bytes.strip_prefix(&*chunk) {
                Some(rest) => bytes = rest,
                None => return Ok(false),
            }
        }
        Ok(bytes.is_empty())
    }

    /// The next bytes; `None` at the end.
    async fn next(&mut self) -> Result<Option<Bytes>, Error> {
        loop {
            if self.length == Some(self.at) {
                return Ok(None);
            }
            let Some(mut body) = self.body.take() else {
                self.open().await?;
                continue;
            };
            let limit = self.blob.deadline;
            match body.next(limit).await? {
                Some(Ok(chunk)) => {
                    self.at += chunk.len() as u64;
                    if self.at >= body.piece_end {
                        body.begin_piece(self.at, &self.blob);
                    }
                    self.body = Some(body);
                    return Ok(Some(chunk));
                }
                None if self.length.is_none() => {
                    self.length = Some(self.at);
                    self.body = None;
                }
                Some(Err(error)) => self.pause(explain(OPERATION, error, &body.log)).await?,
                None => {
                    let text = format!("the blob ended after {} bytes, and more were announced", self.at);
                    self.pause(Error::new(ErrorKind::Network, text).with_operation(OPERATION)).await?;
                }
            }
        }
    }

    /// Asks for what is missing, by a fresh link if this one is refused.
    async fn open(&mut self) -> Result<(), Error> {
        match self.ask().await {
            Err(error) if error.status() == Some(StatusCode::FORBIDDEN) && !self.untried => {
                let Some((store, place)) = &self.renew else { return Err(error) };
                self.blob = store.open(place, Access::Read).await?;
                self.untried = true;
                self.ask().await
            }
            done => done,
        }
    }

    async fn ask(&mut self) -> Result<(), Error> {
        let blob = &self.blob;
        let (client, log) = blob.client(OPERATION)?;
        let options = BlobClientDownloadOptions {
            range: (self.at > 0).then(|| (self.at..).into()),
            if_match: self.etag.clone(),
            partition_size: Some(WHOLE),
            parallel: Some(NonZero::<usize>::MIN),
            ..Default::default()
        };
        let answer = blob.bounded(OPERATION, &log, client.download(Some(options))).await?;
        let answer = answer.map_err(|error| explain(OPERATION, error, &log)).map_err(|error| {
            let changed = error.status() == Some(StatusCode::PRECONDITION_FAILED);
            if changed {
                error.with_hint("the blob was written anew while it was read: read it again")
            } else {
                error
            }
        })?;
        let range = answer.headers.get_optional_str(&HeaderName::from_static("content-range"));
        let (begins, length) = match range.and_then(content_range) {
            Some((begins, length)) => (begins, length),
            None => (0, answer.properties.content_length),
        };
        if begins != self.at {
            let text =
                format!("storage was asked for bytes from {} on and gave those from {begins} on", self.at);
            return Err(Error::new(ErrorKind::MalformedAnswer, text).with_operation(OPERATION));
        }
        let mut body = Body { chunks: answer.body, log, deadline: None, piece_end: 0 };
        body.begin_piece(self.at, blob);
        self.body = Some(body);
        self.length = length;
        self.etag = answer.properties.etag;
        self.untried = false;
        Ok(())
    }

    /// Waits before it is asked for again, or gives up with the error.
    async fn pause(&mut self, error: Error) -> Result<(), Error> {
        let http = self.blob.http;
        let now = http.clock().monotonic();
        if self.cuts.count == 0 || self.at - self.cuts.at >= PIECE_BYTES as u64 {
            self.cuts = Cuts { count: 0, at: self.at, since: now };
        }
        self.cuts.count += 1;
        let elapsed = now.saturating_sub(self.cuts.since);
        match http.next_wait(self.cuts.count, elapsed) {
            Some(wait) => http.clock().sleep(wait).await,
            None => return Err(error.with_attempts(self.cuts.count, elapsed)),
        }
        Ok(())
    }
}

impl Body {
    /// The next chunk, unless the piece it belongs to comes too late.
    async fn next(&mut self, limit: Option<Duration>) -> Result<Option<azure_core::Result<Bytes>>, Error> {
        let (Some(deadline), Some(limit)) = (&mut self.deadline, limit) else {
            return Ok(self.chunks.next().await);
        };
        match select(self.chunks.next(), deadline).await {
            Either::Left((chunk, _)) => Ok(chunk),
            Either::Right(((), _)) => Err(too_late(OPERATION, &self.log, limit)),
        }
    }

    fn begin_piece(&mut self, at: u64, blob: &Blob<'_>) {
        self.deadline = blob.deadline.map(|limit| blob.http.clock().expire(limit));
        self.piece_end = at + PIECE_BYTES as u64;
    }
}

/// First byte and total length, of `bytes 0-38/39`; the length may be `*`.
fn content_range(text: &str) -> Option<(u64, Option<u64>)> {
    let (range, length) = text.strip_prefix("bytes ")?.split_once('/')?;
    let (begins, _) = range.split_once('-')?;
    Some((begins.trim().parse().ok()?, length.trim().parse().ok()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_content_range_tells_where_it_begins_and_how_long_the_whole_is() {
        assert_eq!(content_range("bytes 0-38/39"), Some((0, Some(39))));
        assert_eq!(content_range("bytes 5-9/*"), Some((5, None)));
        for odd in ["bytes */39", "0-38/39", "bytes 1/2", ""] {
            assert_eq!(content_range(odd), None, "{odd}");
        }
    }
}
