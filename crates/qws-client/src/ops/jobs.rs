use http::Method;

use crate::{Client, Error, JobDetails, JobId, NewJob, Operation, request::Request};

/// Jobs of a workspace.
#[derive(Debug, Clone, Copy)]
pub struct Jobs<'a> {
    client: &'a Client,
}

impl<'a> Jobs<'a> {
    pub(crate) fn new(client: &'a Client) -> Self {
        Self { client }
    }

    /// Submits a job whose input is already in storage. Safe to repeat: the same id is the same job.
    ///
    /// # Errors
    /// Kinds [`crate::ErrorKind::ProviderMissing`], [`crate::ErrorKind::TargetMissing`],
    /// [`crate::ErrorKind::TargetUnavailable`] and [`crate::ErrorKind::InvalidRequest`] are the service's refusals;
    /// after [`Error::is_transient`] the job may exist, and [`Jobs::get`] tells.
    pub async fn create(&self, id: &JobId, job: &NewJob) -> Result<JobDetails, Error> {
        let request = Request::new(Operation::JobsCreate, Method::PUT, ["jobs", id.as_str()]).ok(&[200, 201]);
        self.client.fetch(&request.json(job)?).await.map_err(|error| error.with_job(id))
    }

    /// Fetches a job.
    ///
    /// # Errors
    /// [`Error::is_not_found`] if the workspace has no such job.
    pub async fn get(&self, id: &JobId) -> Result<JobDetails, Error> {
        let request = Request::get(Operation::JobsGet, ["jobs", id.as_str()]);
        self.client.fetch(&request).await.map_err(|error| error.with_job(id))
    }
}
