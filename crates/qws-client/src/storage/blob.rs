//! One blob or container by its link, through the official client on our transport.

use std::{sync::Arc, time::Duration};

use azure_core::http::{ClientOptions, RetryOptions, Transport};
use azure_storage_blob::{BlobClient, BlobClientOptions, BlobContainerClient, BlobContainerClientOptions};
use futures::{
    TryStreamExt,
    future::{Either, select},
};
use qws_http::{AzureHttpClient, Http, TransferLog};
use url::Url;

use super::{answer::explain, names::push};
use crate::{Attachment, BlobUri, Error, ErrorKind, Operation};

/// A blob or container, for one transfer.
#[derive(Clone)]
pub(crate) struct Blob<'a> {
    pub(super) http: &'a Http,
    url: Url,
    /// For each request, or each piece of a longer answer.
    pub(super) deadline: Option<Duration>,
}

impl<'a> Blob<'a> {
    pub(super) fn new(http: &'a Http, url: Url, deadline: Option<Duration>) -> Self {
        Self { http, url, deadline }
    }

    /// The blob `name` in this container.
    pub(crate) fn in_container(mut self, name: &str) -> Result<Self, Error> {
        push(&mut self.url, name)?;
        Ok(self)
    }

    /// Where it is, without the signature.
    pub(crate) fn public_uri(&self) -> BlobUri {
        let mut url = self.url.clone();
        url.set_query(None);
        BlobUri::new(url)
    }

    /// The blobs of this container.
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

    /// An official client of this transfer alone, so that its log tells of nothing else.
    pub(super) fn client(&self, operation: Operation) -> Result<(BlobClient, TransferLog), Error> {
        let adapter = AzureHttpClient::new(self.http.clone());
        let log = adapter.log();
        let options = BlobClientOptions { client_options: client_options(adapter), ..Default::default() };
        // The official error quotes the link, so it is not kept.
        let client =
            BlobClient::new(self.url.clone(), None, Some(options)).map_err(|_| no_blob(operation))?;
        Ok((client, log))
    }

    /// The work, unless the deadline of one call passes before it is done.
    pub(super) async fn bounded<T>(
        &self,
        operation: Operation,
        log: &TransferLog,
        work: impl Future<Output = T>,
    ) -> Result<T, Error> {
        // The official client's futures are large, and callers hold several.
        let work = Box::pin(work);
        let Some(limit) = self.deadline else { return Ok(work.await) };
        match select(work, self.http.clock().expire(limit)).await {
            Either::Left((done, _)) => Ok(done),
            Either::Right(((), _)) => Err(too_late(operation, log, limit)),
        }
    }
}

pub(super) fn too_late(operation: Operation, log: &TransferLog, limit: Duration) -> Error {
    Error::new(ErrorKind::Deadline, format!("the deadline of {} s passed", limit.as_secs_f64()))
        .with_operation(operation)
        .with_attempts(log.attempts(), limit)
}

fn client_options(adapter: AzureHttpClient) -> ClientOptions {
    ClientOptions {
        transport: Some(Transport::new(Arc::new(adapter))),
        retry: RetryOptions::none(),
        ..Default::default()
    }
}

fn no_blob(operation: Operation) -> Error {
    Error::new(ErrorKind::MalformedAnswer, "the service gave a storage link that names no blob")
        .with_operation(operation)
}
