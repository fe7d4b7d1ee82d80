//! Watching many jobs by pages of the workspace's list, not by one question a job.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use futures::{
    StreamExt, TryStreamExt,
    stream::{self, BoxStream},
};

use crate::{Error, Filter, Job, JobDetails, JobId, JobStatus, Operation, Order, Property, Workspace};

/// Jobs a page: the most that the service sends.
const PAGE: u64 = 100;

/// Waits between two rounds: 1 s at first, half as long again each time nothing ended, up to this.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Jobs that are watched together. A round asks for as many pages of the workspace's list as the open jobs reach back,
/// a hundred jobs a page.
#[derive(Debug)]
pub struct JobSet {
    workspace: Workspace,
    open: BTreeMap<String, JobDetails>,
    patience: Duration,
}

/// What a [`JobSet`] saw.
#[derive(Debug)]
#[non_exhaustive]
pub enum JobSetEvent {
    /// A job changed its state.
    Changed(JobId, JobStatus),
    /// A job ended; this is its last state.
    Ended(Box<Job>),
    /// A job is not in the list any more: it was deleted.
    Gone(JobId),
    /// The service could not be asked, and watching goes on.
    Interrupted(Error),
}

impl JobSet {
    /// Watches these jobs, which must be of one workspace. Jobs that have ended already are told in the first round.
    #[must_use]
    pub fn new(workspace: &Workspace, jobs: impl IntoIterator<Item = Job>) -> Self {
        let open =
            jobs.into_iter().map(|job| (job.id().as_str().to_owned(), job.details().clone())).collect();
        Self { workspace: workspace.clone(), open, patience: Duration::from_secs(600) }
    }

    /// For how long in one piece the service may be out of reach. Default: 10 minutes.
    #[must_use]
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// How many jobs have not ended, as far as we know.
    #[must_use]
    pub fn open(&self) -> usize {
        self.open.len()
    }

    /// What happens, as it happens. The stream ends when all jobs have ended.
    #[must_use]
    pub fn events(self) -> BoxStream<'static, Result<JobSetEvent, Error>> {
        let state = Watch {
            set: self,
            told: VecDeque::new(),
            pause: Duration::from_secs(1),
            first: true,
            failing_since: None,
        };
        stream::unfold(Some(state), |state| async move {
            let mut state = state?;
            match state.next().await? {
                Ok(event) => Some((Ok(event), Some(state))),
                Err(error) => Some((Err(error.with_operation(Operation::Wait)), None)),
            }
        })
        .boxed()
    }

    /// Waits for all jobs to end, and gives them in their last state, those that were deleted left out.
    ///
    /// # Errors
    /// When the service is out of reach for longer than the patience.
    pub async fn wait(self) -> Result<Vec<Job>, Error> {
        let mut ended = Vec::new();
        let mut events = self.events();
        while let Some(event) = events.try_next().await? {
            if let JobSetEvent::Ended(job) = event {
                ended.push(*job);
            }
        }
        Ok(ended)
    }
}

struct Watch {
    set: JobSet,
    told: VecDeque<JobSetEvent>,
    pause: Duration,
    first: bool,
    failing_since: Option<Duration>,
}

impl Watch {
    async fn next(&mut self) -> Option<Result<JobSetEvent, Error>> {
        let clock = self.set.workspace.client().pipeline().http().clock().clone();
        loop {
            if let Some(event) = self.told.pop_front() {
                return Some(Ok(event));
            }
            if self.set.open.is_empty() {
                return None;
            }
            if !std::mem::take(&mut self.first) {
                clock.sleep(self.pause).await;
            }
            match self.round().await {
                Ok(()) => self.failing_since = None,
                Err(error) if error.is_transient() => {
                    let now = clock.monotonic();
                    let since = *self.failing_since.get_or_insert(now.saturating_sub(error.elapsed()));
                    if now.saturating_sub(since) >= self.set.patience {
                        return Some(Err(error));
                    }
                    self.told.push_back(JobSetEvent::Interrupted(error));
                }
                Err(error) => return Some(Err(error)),
            }
            let ended = self.told.iter().any(|event| matches!(event, JobSetEvent::Ended(_)));
            self.pause = if ended { Duration::from_secs(1) } else { (self.pause * 3 / 2).min(LONGEST_PAUSE) };
        }
    }

    /// Reads the list from its newest job back to the oldest that is open, and notes what changed.
    async fn round(&mut self) -> Result<(), Error> {
        let mut filter = Filter::new();
        let oldest = self.set.open.values().map(|job| job.creation_time).min().flatten();
        if let Some(oldest) = oldest {
            filter = filter.created_after(oldest);
        }
        let workspace = self.set.workspace.clone();
        let jobs = workspace.client().jobs();
        let list =
            jobs.list().filter(&filter).order_by(Order::descending(Property::CreationTime)).page_size(PAGE);
        let mut pages = list.pages();
        let mut unseen: Vec<String> = self.set.open.keys().cloned().collect();
        while let Some(page) = pages.try_next().await? {
            for job in page.items {
                if let Ok(at) = unseen.binary_search(&job.id.as_str().to_owned()) {
                    unseen.remove(at);
                    self.note(job);
                }
            }
            if unseen.is_empty() {
                return Ok(());
            }
        }
        // Not in the list: the list may lag behind a fresh job, so each is asked for before it counts as deleted.
        for id in unseen {
            let id: JobId = id.parse()?;
            match jobs.get(&id).await {
                Ok(job) => self.note(job),
                Err(error) if error.is_not_found() => {
                    self.set.open.remove(id.as_str());
                    self.told.push_back(JobSetEvent::Gone(id));
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn note(&mut self, job: JobDetails) {
        let Some(known) = self.set.open.get_mut(job.id.as_str()) else { return };
        if job.status.as_ref().is_some_and(JobStatus::is_terminal) {
            self.set.open.remove(job.id.as_str());
            self.told.push_back(JobSetEvent::Ended(Box::new(Job::new(self.set.workspace.clone(), job))));
            return;
        }
        if let Some(status) = job.status.clone().filter(|status| known.status.as_ref() != Some(status)) {
            self.told.push_back(JobSetEvent::Changed(job.id.clone(), status));
        }
        *known = job;
    }
}
