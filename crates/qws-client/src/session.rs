use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use azure_core::Uuid;

use crate::{
    Error, ErrorKind, ItemType, JobDetails, List, NewSession, Priority, Program, SessionDetails,
    SessionJobFailurePolicy, SessionStatus, Submission, Target, Workspace,
};

/// How long a session stays open without a job, by the service's documentation, in minutes.
pub const SESSION_IDLE_MINUTES: u64 = 10;

/// Jobs for one target that belong together and run one after the other.
///
/// The service closes a session [`SESSION_IDLE_MINUTES`] after its last job ended. Dropping this handle closes nothing:
/// call [`Session::close`], or leave it to the service.
#[derive(Debug)]
pub struct Session {
    target: Target,
    details: SessionDetails,
    /// Shared with the submissions made from here: none is sent once the session has ended.
    over: Arc<AtomicBool>,
}

/// A session about to be opened. Its id is chosen when this value is made.
#[derive(Debug, Clone)]
#[must_use = "nothing is sent until `open` is called"]
pub struct SessionBuilder {
    target: Target,
    id: String,
    name: Option<String>,
    policy: SessionJobFailurePolicy,
    priority: Option<Priority>,
    tags: Option<Vec<String>>,
}

impl SessionBuilder {
    pub(crate) fn new(target: Target) -> Self {
        let policy = SessionJobFailurePolicy::Abort;
        Self { target, id: Uuid::new_v4().to_string(), name: None, policy, priority: None, tags: None }
    }

    /// The id that the session will have.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Takes this id, a UUID, in place of a random one, for example to open a session again whose answer was lost.
    pub fn with_id(mut self, id: impl Into<String>) -> Self {
        self.id = id.into();
        self
    }

    /// A name for people. Default: `session-` and the id.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// What a failed job does to the session. Default: it ends ([`SessionJobFailurePolicy::Abort`]).
    pub fn on_failure(mut self, policy: SessionJobFailurePolicy) -> Self {
        self.policy = policy;
        self
    }

    /// How soon its jobs are wanted.
    pub fn priority(mut self, priority: Priority) -> Self {
        self.priority = Some(priority);
        self
    }

    /// Tags to find it by.
    pub fn tags<T: Into<String>>(mut self, tags: impl IntoIterator<Item = T>) -> Self {
        self.tags = Some(tags.into_iter().map(Into::into).collect());
        self
    }

    /// Opens it. Safe to repeat: the same id is the same session.
    ///
    /// # Errors
    /// [`ErrorKind::TargetMissing`] and its like.
    pub async fn open(&self) -> Result<Session, Error> {
        let session = NewSession {
            name: self.name.clone().unwrap_or_else(|| format!("session-{}", self.id)),
            target: self.target.id().to_owned(),
            item_type: ItemType::Session,
            provider_id: Some(self.target.provider().to_owned()),
            job_failure_policy: Some(self.policy.clone()),
            priority: self.priority.clone(),
            tags: self.tags.clone(),
        };
        let details = self.workspace().client().sessions().open(&self.id, &session).await?;
        // Opening one again that has ended already tells so.
        let over = details.status.as_ref().is_some_and(SessionStatus::is_terminal);
        Ok(Session { target: self.target.clone(), details, over: Arc::new(over.into()) })
    }

    fn workspace(&self) -> &Workspace {
        self.target.workspace()
    }
}

impl Session {
    /// The id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.details.id
    }

    /// What the service last told.
    #[must_use]
    pub fn details(&self) -> &SessionDetails {
        &self.details
    }

    /// Whether it takes no further jobs, as far as we know.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.over.load(Ordering::Relaxed)
    }

    /// Begins a submission into this session.
    pub fn submit(&self, program: Program) -> Submission {
        self.target.submit(program).in_session(self.id(), self.over.clone())
    }

    /// The session's jobs.
    pub fn jobs(&self) -> List<JobDetails> {
        self.target.workspace().client().sessions().jobs(self.id())
    }

    /// Asks the service about the session; [`SessionStatus::TimedOut`] tells that it was idle for too long.
    ///
    /// # Errors
    /// [`Error::is_not_found`].
    pub async fn refresh(&mut self) -> Result<(), Error> {
        let details = self.target.workspace().client().sessions().get(self.id()).await?;
        self.take(details);
        Ok(())
    }

    /// Closes it: it takes no further jobs, those it has run on. Closing one that has ended already is no error.
    ///
    /// # Errors
    /// Where the service cannot be asked, or will not.
    pub async fn close(&mut self) -> Result<(), Error> {
        if self.is_over() {
            return self.refresh().await;
        }
        match self.target.workspace().client().sessions().close(self.id()).await {
            Ok(details) => self.take(details),
            Err(error) if matches!(error.kind(), ErrorKind::Conflict | ErrorKind::SessionClosed) => {
                self.refresh().await?;
                if !self.is_over() {
                    return Err(error);
                }
            }
            Err(error) => return Err(error),
        }
        self.over.store(true, Ordering::Relaxed);
        Ok(())
    }

    fn take(&mut self, details: SessionDetails) {
        if details.status.as_ref().is_some_and(SessionStatus::is_terminal) {
            self.over.store(true, Ordering::Relaxed);
        }
        self.details = details;
    }
}
