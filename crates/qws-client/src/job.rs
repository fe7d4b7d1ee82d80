use std::time::Duration;

use azure_core::time::{OffsetDateTime, parse_rfc3339};
use percent_encoding::percent_decode_str;
use url::Url;

use crate::{
    Attachments, BlobUri, Error, ErrorKind, JobDetails, JobId, JobStatus, JobUpdate, Operation, Results,
    Wait, Workspace, blob::Blob,
};

/// The longest output that is read into memory, in bytes.
pub(crate) const MAX_OUTPUT_BYTES: usize = 1 << 30;

/// A link with less than this left is not used any more.
const SAS_MARGIN: Duration = Duration::from_secs(5 * 60);

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

    /// The job's container: the first segment of its link's path, or the name that the service gives by itself.
    pub(crate) fn container_name(&self) -> String {
        let named = self.details.container_uri.as_ref().and_then(|uri| {
            let url = Url::parse(uri.expose()).ok()?;
            let segment = url.path_segments()?.next().filter(|segment| !segment.is_empty())?;
            Some(percent_decode_str(segment).decode_utf8().ok()?.into_owned())
        });
        named.unwrap_or_else(|| format!("job-{}", self.id()))
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

    /// Reads the output of a job that has ended well.
    ///
    /// # Errors
    /// [`ErrorKind::JobFailed`] with the service's code and message, [`ErrorKind::JobCancelled`], or
    /// [`ErrorKind::JobNotFinished`], going by what the service last told; [`ErrorKind::Results`] if the job names no
    /// output.
    pub async fn results(&self) -> Result<Results, Error> {
        self.try_results().await.map_err(|error| error.with_operation(Operation::Results).with_job(self.id()))
    }

    async fn try_results(&self) -> Result<Results, Error> {
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
        let uri = uri.ok_or_else(|| Error::new(ErrorKind::Results, "the job names no output"))?;
        Ok(Results::new(&self.details, self.read(uri).await?))
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
            Err(error) => Err(error.with_operation(Operation::Results).with_job(self.id())),
        }
    }

    /// Reads a blob of the job by the link in its details, or by a fresh one where that is old or refused.
    async fn read(&self, uri: &BlobUri) -> Result<bytes::Bytes, Error> {
        let client = self.workspace.client();
        let local = client.address().endpoint().is_loopback();
        if is_fresh(uri, client.pipeline().http().clock().now()) {
            let blob = Blob::at(client.pipeline().http(), uri, local, client.pipeline().deadline())?;
            match blob.download(MAX_OUTPUT_BYTES).await {
                Err(error) if error.status() == Some(http::StatusCode::FORBIDDEN) => {}
                done => return done,
            }
        }
        let (container, name) = container_and_name(uri)?;
        let fresh = client.storage().sas_uri(&container, Some(&name)).await?;
        Blob::at(client.pipeline().http(), &fresh, local, client.pipeline().deadline())?
            .download(MAX_OUTPUT_BYTES)
            .await
    }
}

/// Whether the link's SAS is good for a while yet. A missing or unreadable expiry counts as none; a time without zone,
/// or a date alone, is UTC.
fn is_fresh(uri: &BlobUri, now: OffsetDateTime) -> bool {
    let Ok(url) = Url::parse(uri.expose()) else { return false };
    let Some((_, expiry)) = url.query_pairs().find(|(key, _)| key == "se") else { return false };
    let spellings = [expiry.to_string(), format!("{expiry}Z"), format!("{expiry}T00:00:00Z")];
    let expiry = spellings.iter().find_map(|text| parse_rfc3339(text).ok());
    expiry.is_some_and(|expiry| expiry - now > SAS_MARGIN)
}

/// The container (first path segment) and the blob's name (the rest, slashes included) of a link.
fn container_and_name(uri: &BlobUri) -> Result<(String, String), Error> {
    let unclear = || Error::new(ErrorKind::Results, format!("the link {uri} names no container and blob"));
    let url = Url::parse(uri.expose()).map_err(|_| unclear())?;
    let (container, name) = url.path().trim_start_matches('/').split_once('/').ok_or_else(unclear)?;
    let decode = |text: &str| percent_decode_str(text).decode_utf8().map(std::borrow::Cow::into_owned);
    match (decode(container), decode(name)) {
        (Ok(container), Ok(name)) if !container.is_empty() && !name.is_empty() => Ok((container, name)),
        _ => Err(unclear()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_fresh_until_five_minutes_before_its_expiry() {
        let now = parse_rfc3339("2026-02-03T04:00:00Z").unwrap();
        let fresh =
            |expiry: &str| is_fresh(&BlobUri::new(format!("https://s.example/c/b?se={expiry}&sig=x")), now);
        assert!(fresh("2026-02-03T04%3A05%3A01Z") && fresh("2026-02-03T04:05:01") && fresh("2026-02-04"));
        assert!(!fresh("2026-02-03T04:05:00Z") && !fresh("2026-02-03") && !fresh("soon") && !fresh(""));
        assert!(!is_fresh(&BlobUri::new("https://s.example/c/b"), now));
    }

    #[test]
    fn names_with_slashes_and_escapes_are_kept() {
        let parts = |uri: &str| container_and_name(&BlobUri::new(uri));
        let (container, name) = parts("https://s.example:443/job-1/raw/out%20put?sig=hunter2").unwrap();
        assert_eq!((container.as_str(), name.as_str()), ("job-1", "raw/out put"));
        for uri in
            ["https://s.example/", "https://s.example/c", "https://s.example/c/?sig=hunter2", "nonsense"]
        {
            assert!(!parts(uri).unwrap_err().to_string().contains("hunter2"), "{uri}");
        }
    }
}
