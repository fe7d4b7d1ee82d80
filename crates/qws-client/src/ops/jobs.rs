use http::{Method, StatusCode};

use super::List;
use crate::{
    Error, ErrorKind, JobDetails, JobId, JobUpdate, JobUpdateResponse, NewJob, Operation, pipeline::Pipeline,
    request::Request,
};

/// Jobs of a workspace.
#[derive(Debug, Clone, Copy)]
pub struct Jobs<'a> {
    pipeline: &'a Pipeline,
}

impl<'a> Jobs<'a> {
    pub(crate) fn new(pipeline: &'a Pipeline) -> Self {
        Self { pipeline }
    }

    /// Submits a job whose input is already in storage. Safe to repeat: the same id is the same job.
    ///
    /// # Errors
    /// Kinds [`ErrorKind::ProviderMissing`], [`ErrorKind::TargetMissing`], [`ErrorKind::TargetUnavailable`] and
    /// [`ErrorKind::InvalidRequest`] are the service's refusals; after [`Error::is_transient`] the job may exist, and
    /// [`Jobs::get`] tells.
    pub async fn create(&self, id: &JobId, job: &NewJob) -> Result<JobDetails, Error> {
        let request = Request::new(Operation::JobsCreate, Method::PUT, ["jobs", id.as_str()]).ok(&[200, 201]);
        self.pipeline.fetch(&request.json(job)?).await.map_err(|error| error.with_job(id))
    }

    /// Fetches a job.
    ///
    /// # Errors
    /// [`Error::is_not_found`] if the workspace has no such job.
    pub async fn get(&self, id: &JobId) -> Result<JobDetails, Error> {
        let request = Request::get(Operation::JobsGet, ["jobs", id.as_str()]);
        self.pipeline.fetch(&request).await.map_err(|error| error.with_job(id))
    }

    /// Jobs of the workspace.
    pub fn list(&self) -> List<JobDetails> {
        List::new(self.pipeline, Request::get(Operation::JobsList, ["jobs"]))
    }

    /// Changes name, priority or tags. What the update does not name stays.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`] for an update that changes nothing; [`Error::is_not_found`].
    pub async fn update(&self, id: &JobId, update: &JobUpdate) -> Result<JobUpdateResponse, Error> {
        if update.is_empty() {
            let text = "the update changes nothing: set or clear a name, priority or tags";
            return Err(Error::new(ErrorKind::InvalidInput, text)
                .with_operation(Operation::JobsUpdate)
                .with_job(id));
        }
        let request = Request::new(Operation::JobsUpdate, Method::PATCH, ["jobs", id.as_str()]);
        self.pipeline.fetch(&request.merge_patch(update)?).await.map_err(|error| error.with_job(id))
    }

    /// Asks for a job to be cancelled. It may still end otherwise; [`Jobs::get`] tells. Never deletes anything.
    ///
    /// # Errors
    /// [`ErrorKind::Conflict`] if it has ended already; [`Error::is_not_found`].
    pub async fn cancel(&self, id: &JobId) -> Result<(), Error> {
        let id_and_verb = format!("{}:cancel", id.as_str());
        // 200 by the specification, 204 by an older habit of the service. The body is not looked at.
        let request = Request::verb(Operation::JobsCancel, ["jobs"], &id_and_verb).ok(&[200, 204]);
        self.pipeline.send(&request).await.map(drop).map_err(|error| error.with_job(id))
    }

    /// Deletes a job for good. It is no way to cancel one. If an answer was lost and the job is gone at the next
    /// attempt, that counts as success.
    ///
    /// # Errors
    /// [`ErrorKind::Conflict`] if it has not ended; [`Error::is_not_found`].
    pub async fn delete(&self, id: &JobId) -> Result<(), Error> {
        let request = Request::new(Operation::JobsDelete, Method::DELETE, ["jobs", id.as_str()]).ok(&[204]);
        match self.pipeline.send(&request).await {
            Ok(_) => Ok(()),
            Err(error) if error.status() == Some(StatusCode::NOT_FOUND) && error.maybe_done_before() => {
                Ok(())
            }
            Err(error) => Err(error.with_job(id)),
        }
    }
}
