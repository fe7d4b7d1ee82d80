//! Files in a job's container, beside its input and output. Always through a fresh link, never the job's own.

use bytes::Bytes;

use crate::{
    Error, Job,
    blob::{Blob, Existing},
};

/// A file in a job's container.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Attachment {
    /// Its name; `inputData` and `outputData` are the job's own.
    pub name: String,
    /// Its size in bytes.
    pub bytes: Option<u64>,
    /// Its media type.
    pub content_type: Option<String>,
}

/// The files of one job; from [`Job::attachments`].
#[derive(Debug, Clone, Copy)]
pub struct Attachments<'a> {
    job: &'a Job,
}

impl<'a> Attachments<'a> {
    pub(crate) fn new(job: &'a Job) -> Self {
        Self { job }
    }

    /// All files of the job, its input and output among them.
    ///
    /// # Errors
    /// [`crate::ErrorKind::StorageRefused`] if the storage account's network rules keep us out.
    pub async fn list(&self) -> Result<Vec<Attachment>, Error> {
        self.container().await?.list().await.map_err(|error| error.with_job(self.job.id()))
    }

    /// Reads a file, up to 1 GiB.
    ///
    /// # Errors
    /// [`Error::is_not_found`] if there is none of that name.
    pub async fn download(&self, name: &str) -> Result<Bytes, Error> {
        let blob = self.container().await?.in_container(name)?;
        blob.download(crate::job::MAX_OUTPUT_BYTES).await.map_err(|error| error.with_job(self.job.id()))
    }

    /// Writes a file.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Conflict`] if there is one of that name with other content, unless `overwrite` is set.
    pub async fn upload(
        &self,
        name: &str,
        bytes: impl Into<Bytes>,
        content_type: &str,
        overwrite: bool,
    ) -> Result<(), Error> {
        let blob = self.container().await?.in_container(name)?;
        let existing = if overwrite { Existing::Replace } else { Existing::Keep };
        let written = blob.upload(bytes.into(), content_type, None, existing).await;
        written.map_err(|error| error.with_job(self.job.id()))
    }

    async fn container(&self) -> Result<Blob<'a>, Error> {
        let client = self.job.workspace().client();
        let name = self.job.container_name();
        let uri =
            client.storage().sas_uri(&name, None).await.map_err(|error| error.with_job(self.job.id()))?;
        // The client is borrowed from the job, which outlives this value.
        let pipeline = client.pipeline();
        Blob::at(pipeline.http(), &uri, client.address().endpoint().is_loopback(), pipeline.deadline())
    }
}
