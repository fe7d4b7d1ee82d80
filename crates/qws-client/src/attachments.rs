//! Files in a job's container, beside its input and output. Always through a fresh link, never the job's own.

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite};

use crate::{
    Error, Job,
    storage::{Access, Download, Existing, Source, Upload},
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
        let listed = async {
            let container = self.job.workspace().store().open(&self.job.container(), Access::List).await?;
            container.list().await
        };
        listed.await.map_err(|error| error.with_job(self.job.id()))
    }

    /// Reads a file into memory, up to 1 GiB.
    ///
    /// # Errors
    /// [`Error::is_not_found`] if there is none of that name.
    pub async fn download(&self, name: &str) -> Result<Bytes, Error> {
        let read = async { self.open(name).await?.collect(crate::job::MAX_OUTPUT_BYTES).await };
        read.await.map_err(|error| error.with_job(self.job.id()))
    }

    /// Writes a file's content to a writer, however large, as [`Job::output_to`] does; how many bytes that were.
    ///
    /// # Errors
    /// [`Error::is_not_found`] if there is none of that name; [`crate::ErrorKind::Other`] if the writer fails.
    pub async fn download_to(
        &self,
        name: &str,
        mut writer: impl AsyncWrite + Send + Unpin,
    ) -> Result<u64, Error> {
        let written = async { self.open(name).await?.copy_to(&mut writer).await };
        written.await.map_err(|error| error.with_job(self.job.id()))
    }

    /// Writes a file. A `/` in its name makes folders.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Conflict`] if there is one of that name with other content, unless `overwrite` is set;
    /// [`crate::ErrorKind::InvalidInput`] for a name that no file can have: none, `.` or `..`.
    pub async fn upload(
        &self,
        name: &str,
        bytes: impl Into<Bytes>,
        content_type: &str,
        overwrite: bool,
    ) -> Result<(), Error> {
        self.write(name, Source::Bytes(bytes.into()), content_type, overwrite).await
    }

    /// Writes a file with the bytes of a reader, 4 MiB at a time, as [`crate::Submission::send_from`] does.
    ///
    /// # Errors
    /// As [`Attachments::upload`], where any file of that name is a conflict: a stream is not compared.
    /// [`crate::ErrorKind::InvalidInput`] also if the reader fails.
    pub async fn upload_from(
        &self,
        name: &str,
        mut reader: impl AsyncRead + Send + Unpin,
        content_type: &str,
        overwrite: bool,
    ) -> Result<(), Error> {
        self.write(name, Source::Reader(&mut reader), content_type, overwrite).await
    }

    async fn open(&self, name: &str) -> Result<Download<'a>, Error> {
        Download::by_place(self.job.workspace().store(), self.job.container().blob(name)).await
    }

    async fn write(
        &self,
        name: &str,
        mut source: Source<'_>,
        content_type: &str,
        overwrite: bool,
    ) -> Result<(), Error> {
        let existing = if overwrite { Existing::Replace } else { Existing::Keep };
        let upload = Upload { content_type, encoding: None, existing, progress: &|_| () };
        let written = async {
            let place = self.job.container().blob(name);
            let blob = self.job.workspace().store().open(&place, Access::Write).await?;
            blob.upload(&mut source, &upload).await
        };
        written.await.map_err(|error| error.with_job(self.job.id()))
    }
}
