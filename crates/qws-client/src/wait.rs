use std::{future::IntoFuture, pin::Pin, time::Duration};

use futures::{
    StreamExt,
    future::{Either, select},
    stream::{self, BoxStream},
};

use crate::{Error, ErrorKind, Job, JobStatus, Operation};

/// Waits between two questions: 0.2 s at first, half as long again each time, up to this.
const LONGEST_PAUSE: Duration = Duration::from_secs(15);

/// What happens while a job is waited for.
#[derive(Debug)]
#[non_exhaustive]
pub enum JobEvent {
    /// The job is in this state: the first one seen, and each change after it.
    Status(JobStatus),
    /// The service could not be asked, and the wait goes on.
    Interrupted(Error),
}

/// A wait for a job: await it for the end, or take its [`Wait::events`].
///
/// Awaiting gives `Ok` when the job has ended, however it did; [`Job::results`] tells how. A service that cannot be
/// asked for a while does not end the wait (see [`Wait::patience`]).
#[derive(Debug)]
#[must_use = "a wait does nothing until it is awaited or its events are taken"]
pub struct Wait<'a> {
    job: &'a mut Job,
    deadline: Option<Duration>,
    patience: Duration,
}

impl<'a> Wait<'a> {
    pub(crate) fn new(job: &'a mut Job) -> Self {
        Self { job, deadline: None, patience: Duration::from_secs(600) }
    }

    /// Gives up after this time with [`ErrorKind::Deadline`]. Default: none. The job runs on.
    pub fn deadline(mut self, deadline: impl Into<Option<Duration>>) -> Self {
        self.deadline = deadline.into();
        self
    }

    /// For how long in one piece the service may be out of reach before the wait gives up with the last error.
    /// Default: 10 minutes.
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// What happens, as it happens. The stream ends when the job has ended; an error ends it too.
    #[must_use]
    pub fn events(self) -> BoxStream<'a, Result<JobEvent, Error>> {
        let Self { job, deadline, patience } = self;
        let clock = job.workspace().client().pipeline().http().clock().clone();
        let expired = deadline.map(|limit| (limit, clock.expire(limit)));
        let loop_state =
            Loop { job, patience, pause: Duration::from_millis(200), failing_since: None, told: None };
        let events = stream::unfold(Some((loop_state, expired)), |state| async move {
            let (mut waiting, mut expired) = state?;
            let next = match &mut expired {
                None => waiting.next_event().await,
                Some((limit, expired)) => match select(std::pin::pin!(waiting.next_event()), expired).await {
                    Either::Left((next, _)) => next,
                    Either::Right(((), _)) => Some(Err(Error::new(
                        ErrorKind::Deadline,
                        format!("the job did not end within {} s", limit.as_secs_f64()),
                    )
                    .with_hint("it runs on: wait again, or find it later by its id"))),
                },
            };
            match next? {
                Ok(event) => Some((Ok(event), Some((waiting, expired)))),
                Err(error) => {
                    Some((Err(error.with_operation(Operation::Wait).with_job(waiting.job.id())), None))
                }
            }
        });
        events.boxed()
    }
}

impl<'a> IntoFuture for Wait<'a> {
    type Output = Result<(), Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let mut events = self.events();
            while let Some(event) = events.next().await {
                event?;
            }
            Ok(())
        })
    }
}

/// The state of a wait between two events.
struct Loop<'a> {
    job: &'a mut Job,
    patience: Duration,
    pause: Duration,
    /// Since when, on the monotonic clock, the service cannot be asked.
    failing_since: Option<Duration>,
    /// The state that was told last; nothing until the service was first asked.
    told: Option<JobStatus>,
}

impl Loop<'_> {
    /// The next event; `None` when the job has ended and that was told.
    async fn next_event(&mut self) -> Option<Result<JobEvent, Error>> {
        let clock = self.job.workspace().client().pipeline().http().clock().clone();
        loop {
            if self.told.as_ref().is_some_and(JobStatus::is_terminal) {
                return None;
            }
            if self.told.is_some() || self.failing_since.is_some() {
                clock.sleep(self.pause).await;
                self.pause = (self.pause * 3 / 2).min(LONGEST_PAUSE);
            }
            match self.job.refresh().await {
                Ok(()) => self.failing_since = None,
                Err(error) if error.is_transient() => {
                    let now = clock.monotonic();
                    let since = *self.failing_since.get_or_insert(now.saturating_sub(error.elapsed()));
                    let over = now.saturating_sub(since) >= self.patience;
                    return Some(if over { Err(error) } else { Ok(JobEvent::Interrupted(error)) });
                }
                Err(error) => return Some(Err(error)),
            }
            let status = self.job.status().cloned().unwrap_or_else(|| JobStatus::Unknown(String::new()));
            if self.told.as_ref() != Some(&status) {
                self.told = Some(status.clone());
                return Some(Ok(JobEvent::Status(status)));
            }
        }
    }
}
