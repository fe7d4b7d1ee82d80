use http::Method;

use super::List;
use crate::{Error, JobDetails, NewSession, Operation, SessionDetails, pipeline::Pipeline, request::Request};

/// Sessions of a workspace: jobs that belong together and run one after the other.
#[derive(Debug, Clone, Copy)]
pub struct Sessions<'a> {
    pipeline: &'a Pipeline,
}

impl<'a> Sessions<'a> {
    pub(crate) fn new(pipeline: &'a Pipeline) -> Self {
        Self { pipeline }
    }

    /// Opens a session under an id of the caller's choice (a UUID). Safe to repeat: the same id is the same session.
    ///
    /// # Errors
    /// [`crate::ErrorKind::TargetMissing`] and its like; [`crate::ErrorKind::Conflict`] for another session with the id.
    pub async fn open(&self, id: &str, session: &NewSession) -> Result<SessionDetails, Error> {
        let request = Request::new(Operation::SessionsOpen, Method::PUT, ["sessions", id]).ok(&[200, 201]);
        self.pipeline.fetch(&request.json(session)?).await
    }

    /// Fetches a session.
    ///
    /// # Errors
    /// [`Error::is_not_found`] if the workspace has no such session.
    pub async fn get(&self, id: &str) -> Result<SessionDetails, Error> {
        self.pipeline.fetch(&Request::get(Operation::SessionsGet, ["sessions", id])).await
    }

    /// Closes a session: it takes no further jobs.
    ///
    /// # Errors
    /// [`Error::is_not_found`]; [`crate::ErrorKind::Conflict`] where the service will not close it.
    pub async fn close(&self, id: &str) -> Result<SessionDetails, Error> {
        let request = Request::verb(Operation::SessionsClose, ["sessions"], &format!("{id}:close"));
        self.pipeline.fetch(&request).await
    }

    /// Sessions of the workspace.
    pub fn list(&self) -> List<SessionDetails> {
        List::new(self.pipeline, Request::get(Operation::SessionsList, ["sessions"]))
    }

    /// Jobs of a session.
    pub fn jobs(&self, id: &str) -> List<JobDetails> {
        List::new(self.pipeline, Request::get(Operation::SessionsJobs, ["sessions", id, "jobs"]))
    }
}
