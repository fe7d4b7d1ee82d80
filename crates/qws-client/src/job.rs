use std::time::Duration;

use tokio::io::AsyncWrite;

use crate::{
    Attachments, BlobUri, Error, ErrorKind, JobDetails, JobId, JobStatus, JobUpdate, Operation, Results,
    Wait, Workspace,
    storage::{Download, Place},
};

/// The longest output that is read into memory, in bytes.
pub(crate) const MAX_OUTPUT_BYTES: usize = 1 << 30;

/// A submitted job: its workspace, and what the service last told of it. Cheap enough to clone.
#[derive(Debug, Clone)]
pub struct Job {
    workspace: Workspace,
    details: JobDetails,
}

impl Job {
    pub(crate) fn new(workspace: Workspace, details: JobDetails) -> Self {
        Self { workspace, details }
    }

    /// The id; [`Workspace::job`] finds the job again by it, from any process.
    #[must_use]
    pub fn id(&self) -> &JobId {
        &self.details.id
    }

    /// What the service last told. [`Job::refresh`] asks again.
    #[must_use]
    pub fn details(&self) -> &JobDetails {
        &self.details
    }

    /// Where the job was when the service was last asked.
    #[must_use]
    pub fn status(&self) -> Option<&JobStatus> {
        self.details.status.as_ref()
    }

    /// Whether the job had ended when the service was last asked.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.status().is_some_and(JobStatus::is_terminal)
    }

    /// The workspace.
    #[must_use]
    pub fn workspace(&self) -> &Workspace {
        &self.workspace
    }

    /// Asks the service about the job.
    ///
    /// # Errors
    /// [`Error::is_not_found`] if it was deleted.
    pub async fn refresh(&mut self) -> Result<(), Error> {
        self.details = self.workspace.client().jobs().get(&self.details.id).await?;
        Ok(())
    }

    /// Asks for the job to be cancelled, then for its state: it may still end otherwise. Cancelling a job that has ended
    /// is an error of the service.
    ///
    /// # Errors
    /// [`ErrorKind::Conflict`] if it has ended; [`Error::is_not_found`].
    pub async fn cancel(&mut self) -> Result<(), Error> {
        self.workspace.client().jobs().cancel(&self.details.id).await?;
        self.refresh().await
    }

    /// Changes name, priority or tags, then asks for its state.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`] for an update that changes nothing; [`Error::is_not_found`].
    pub async fn update(&mut self, update: &JobUpdate) -> Result<(), Error> {
        self.workspace.client().jobs().update(&self.details.id, update).await?;
        self.refresh().await
    }

    /// Deletes the job for good; to stop one, [`Job::cancel`] it.
    ///
    /// # Errors
    /// [`ErrorKind::Conflict`] if it has not ended; the handle is in the error's way then, so keep a clone.
    pub async fn delete(self) -> Result<(), Error> {
        self.workspace.client().jobs().delete(&self.details.id).await
    }

    /// Waits for the job to end: await it, or take its events. Without [`Wait::deadline`] it waits as long as it takes.
    ///
    /// The handle is only borrowed, and knows the job's last state afterwards, whatever happened.
    pub fn wait(&mut self) -> Wait<'_> {
        Wait::new(self)
    }

    /// The files in the job's container: input, output, and whatever was put beside them.
    #[must_use]
    pub fn attachments(&self) -> Attachments<'_> {
        Attachments::new(self)
    }

    /// The job's container: where its link leads, or the one that the service makes by itself.
    pub(crate) fn container(&self) -> Place {
        let store = self.workspace.store();
        let named = self.details.container_uri.as_ref().and_then(|uri| store.place(uri));
        named.unwrap_or_else(|| store.container(format!("job-{}", self.id())))
    }

    /// How long the job waited, once it has begun to run.
    #[must_use]
    pub fn waited(&self) -> Option<Duration> {
        (self.details.begin_execution_time? - self.details.creation_time?).try_into().ok()
    }

    /// How long the job ran, once it has ended.
    #[must_use]
    pub fn ran(&self) -> Option<Duration> {
        (self.details.end_execution_time? - self.details.begin_execution_time?).try_into().ok()
    }

    /// Reads the output of a job that has ended well, up to 1 GiB.
    ///
    /// It is held in memory once, and what is read from it beside it: shots as bits.
    ///
    /// # Errors
    /// [`ErrorKind::JobFailed`] with the service's code and message, [`ErrorKind::JobCancelled`], or
    /// [`ErrorKind::JobNotFinished`], going by what the service last told; [`ErrorKind::Results`] if the job names no
    /// output.
    pub async fn results(&self) -> Result<Results, Error> {
        let read = async { Ok(Results::new(&self.details, self.read(self.output()?).await?)) };
        read.await.map_err(|error| self.of_results(error))
    }

    /// Writes the output of a job that has ended well as the provider wrote it, however large; how many bytes that were.
    ///
    /// No more than 4 MiB of it are held in memory. A connection that is cut is made again and goes on where it was. After an
    /// error the writer has the beginning of the output.
    ///
    /// # Errors
    /// As [`Job::results`]; [`ErrorKind::Other`] if the writer fails.
    pub async fn output_to(&self, mut writer: impl AsyncWrite + Send + Unpin) -> Result<u64, Error> {
        let written = async {
            let download = Download::by_link(self.workspace.store(), self.output()?).await?;
            download.copy_to(&mut writer).await
        };
        written.await.map_err(|error| self.of_results(error))
    }

    /// The link to the output, if there is one to read.
    fn output(&self) -> Result<&BlobUri, Error> {
        match self.status() {
            Some(status) if status.is_success() => {}
            Some(JobStatus::Failed) => {
                return Err(Error::job_failed(self.id(), self.details.error_data.as_ref()));
            }
            Some(JobStatus::Cancelled) => {
                return Err(Error::new(ErrorKind::JobCancelled, "the job was cancelled and has no results"));
            }
            other => {
                let status = other.map_or("unknown", JobStatus::as_str);
                let text = format!("the job has not ended: it was `{status}` when last asked");
                return Err(Error::new(ErrorKind::JobNotFinished, text).with_hint("`wait()` for it first"));
            }
        }
        let uri = self.details.output_data_uri.as_ref();
        uri.ok_or_else(|| Error::new(ErrorKind::Results, "the job names no output"))
    }

    fn of_results(&self, error: Error) -> Error {
        error.with_operation(Operation::Results).with_job(self.id())
    }

    /// Reads what a job that failed or was cancelled left as output: partial results, or a report of what went wrong.
    /// `None` if it left nothing, as most do, or did not fail. Why it failed is in [`JobDetails::error_data`].
    ///
    /// # Errors
    /// As any read from storage; an output that is named and not there is `None`.
    pub async fn failed_output(&self) -> Result<Option<Results>, Error> {
        let (Some(JobStatus::Failed | JobStatus::Cancelled), Some(uri)) =
            (self.status(), &self.details.output_data_uri)
        else {
            return Ok(None);
        };
        match self.read(uri).await {
            Ok(bytes) if bytes.is_empty() => Ok(None),
            Ok(bytes) => Ok(Some(Results::new(&self.details, bytes))),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(self.of_results(error)),
        }
    }

    /// Reads a blob of the job by the link in its details, or by a fresh one where that is old or refused.
    async fn read(&self, uri: &BlobUri) -> Result<bytes::Bytes, Error> {
        Download::by_link(self.workspace.store(), uri).await?.collect(MAX_OUTPUT_BYTES).await
    }
}
