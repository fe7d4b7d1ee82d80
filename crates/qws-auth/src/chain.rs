use std::{
    fmt,
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use futures::future::{Either, select};
use qws_http::{Clock, SystemClock};

use crate::{
    AuthError, AuthErrorKind, AuthRequest, Authorization, ChainReport, ChainStep, Challenge, Credential,
    StepOutcome, official::official_credential,
};

/// Credentials in an order of the caller's choice; the first that lets a request through is kept for good.
///
/// One that is not set up or not present here is passed over; one that is there but fails ends the search, since going
/// on could mean another identity than the one intended. What was tried and why is in the error's
/// [`AuthError::report`], and in [`Chain::report`] after a success.
///
/// ```
/// use qws_auth::{AzureCli, Chain, ManagedIdentity};
///
/// let credential = Chain::new().then(ManagedIdentity::system()).then(AzureCli::new());
/// ```
///
/// Inside a chain, a machine without a managed identity is recognised within about a second.
#[derive(Clone)]
pub struct Chain {
    steps: Vec<Step>,
    deadline: Duration,
    clock: Arc<dyn Clock>,
    found: Arc<Found>,
}

#[derive(Default)]
struct Found {
    at: OnceLock<usize>,
    report: Mutex<Option<ChainReport>>,
}

#[derive(Clone)]
pub(crate) enum Step {
    /// Any failure that is not "not available" ends the search.
    Try(Arc<dyn Credential>),
    /// A developer's tool: whatever it says, the next one may help.
    TryTool(Arc<dyn Credential>),
    /// Not tried, for this reason.
    Skip(&'static str, String),
}

impl Chain {
    /// A chain without credentials, with 100 s to find one that works: enough for a managed identity whose service is
    /// being updated.
    #[must_use]
    pub fn new() -> Self {
        Self {
            steps: Vec::new(),
            deadline: Duration::from_secs(100),
            clock: Arc::new(SystemClock::new()),
            found: Arc::default(),
        }
    }

    /// Adds a credential at the end.
    #[must_use]
    pub fn then(self, credential: impl Credential + 'static) -> Self {
        self.step(Step::Try(Arc::new(credential)))
    }

    pub(crate) fn step(mut self, step: Step) -> Self {
        self.steps.push(step);
        self.found = Arc::default();
        self
    }

    /// How long the whole search may take. Default 100 s.
    #[must_use]
    pub fn with_deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// Goes by this clock.
    #[must_use]
    pub fn with_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// What the last search did; `None` before the first.
    #[must_use]
    pub fn report(&self) -> Option<ChainReport> {
        self.found.report.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The credential that was found, if one was.
    fn found(&self) -> Option<&Arc<dyn Credential>> {
        match self.steps.get(*self.found.at.get()?)? {
            Step::Try(credential) | Step::TryTool(credential) => Some(credential),
            Step::Skip(..) => None,
        }
    }

    async fn search(&self, request: &AuthRequest) -> Result<Authorization, AuthError> {
        let search = Search { clock: &*self.clock, taken: Mutex::default(), under_way: Mutex::default() };
        let walk = search.walk(&self.steps, request);
        let outcome = match select(std::pin::pin!(walk), self.clock.expire(self.deadline)).await {
            Either::Left((outcome, _)) => outcome,
            Either::Right(((), _)) => {
                let text = format!("the chain's deadline of {} s passed", self.deadline.as_secs_f64());
                Err(AuthError::refused(text)
                    .with_hint("leave out what does not apply here, or raise the deadline"))
            }
        };
        let report = search.report();
        *self.found.report.lock().unwrap_or_else(PoisonError::into_inner) = Some(report.clone());
        let (at, authorization) = outcome.map_err(|error| error.with_report(report))?;
        if self.found.at.set(at).is_ok()
            && let Some(found) = self.found()
        {
            tracing::info!(credential = found.describe(), "signed in; the chain keeps to this credential");
        }
        Ok(authorization)
    }
}

/// One walk along the chain, with what became of each step so far.
struct Search<'a> {
    clock: &'a dyn Clock,
    taken: Mutex<Vec<ChainStep>>,
    under_way: Mutex<Option<(String, Duration)>>,
}

impl Search<'_> {
    async fn walk(&self, steps: &[Step], request: &AuthRequest) -> Result<(usize, Authorization), AuthError> {
        // Alone, a credential has nobody to make way for.
        let tried = steps.iter().filter(|step| !matches!(step, Step::Skip(..))).count();
        let request = if tried > 1 { request.clone().in_chain() } else { request.clone() };
        for (at, step) in steps.iter().enumerate() {
            let (credential, is_tool) = match step {
                Step::Try(credential) => (credential, false),
                Step::TryTool(credential) => (credential, true),
                Step::Skip(name, why) => {
                    self.push((*name).to_owned(), StepOutcome::Skipped(why.clone()), Duration::ZERO);
                    continue;
                }
            };
            let started = self.begin(credential.describe());
            let outcome = credential.authorize(&request).await;
            let elapsed = self.clock.monotonic().saturating_sub(started);
            let name = credential.describe();
            self.under_way.lock().unwrap_or_else(PoisonError::into_inner).take();
            let error = match outcome {
                Ok(authorization) => {
                    self.push(name, StepOutcome::Succeeded, elapsed);
                    return Ok((at, authorization));
                }
                Err(error) => error,
            };
            tracing::debug!(credential = name, %error, "not used");
            if error.is_unavailable() {
                self.push(name, StepOutcome::Unavailable(error.to_string()), elapsed);
                continue;
            }
            self.push(name.clone(), StepOutcome::Failed(error.to_string()), elapsed);
            if !is_tool {
                return Err(stopped(&name, &error));
            }
        }
        Err(self.nothing())
    }

    fn begin(&self, name: String) -> Duration {
        let started = self.clock.monotonic();
        *self.under_way.lock().unwrap_or_else(PoisonError::into_inner) = Some((name, started));
        started
    }

    fn push(&self, credential: String, outcome: StepOutcome, elapsed: Duration) {
        let step = ChainStep { credential, outcome, elapsed };
        self.taken.lock().unwrap_or_else(PoisonError::into_inner).push(step);
    }

    /// The steps so far, the one under way included.
    fn report(&self) -> ChainReport {
        if let Some((name, started)) = self.under_way.lock().unwrap_or_else(PoisonError::into_inner).take() {
            self.push(name, StepOutcome::TimedOut, self.clock.monotonic().saturating_sub(started));
        }
        ChainReport::new(self.taken.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }

    /// Nobody was there.
    fn nothing(&self) -> AuthError {
        let taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let reasons: Vec<String> = taken
            .iter()
            .filter_map(|step| match step.outcome() {
                StepOutcome::Unavailable(why) | StepOutcome::Failed(why) => {
                    Some(format!("{}: {why}", step.credential()))
                }
                _ => None,
            })
            .collect();
        let failed = taken.iter().any(|step| matches!(step.outcome(), StepOutcome::Failed(_)));
        let kind = if failed { AuthErrorKind::Refused } else { AuthErrorKind::Unavailable };
        let text = if reasons.is_empty() {
            "the chain holds no credential that can be tried".to_owned()
        } else {
            format!("no credential of the chain can sign in: {}", reasons.join("; "))
        };
        AuthError::new(kind, text)
            .with_hint("sign in with `az login`, or set up one of the credentials that the text names")
    }
}

fn stopped(name: &str, error: &AuthError) -> AuthError {
    let text = format!("{name} is set up but failed, so no other credential was tried: {error}");
    let mut stopped = AuthError::new(error.kind(), text);
    if let Some(hint) = error.hint() {
        stopped = stopped.with_hint(hint);
    }
    if let Some(code) = error.code() {
        stopped = stopped.with_code(code);
    }
    match std::error::Error::source(error) {
        Some(source) => stopped.with_source(source.to_string()),
        None => stopped,
    }
}

#[async_trait]
impl Credential for Chain {
    fn describe(&self) -> String {
        if let Some(credential) = self.found() {
            return credential.describe();
        }
        let names = self.steps.iter().filter_map(|step| match step {
            Step::Try(credential) | Step::TryTool(credential) => Some(credential.describe()),
            Step::Skip(..) => None,
        });
        format!("chain of {}", names.collect::<Vec<_>>().join(", "))
    }

    async fn authorize(&self, request: &AuthRequest) -> Result<Authorization, AuthError> {
        match self.found() {
            Some(credential) => credential.authorize(request).await,
            None => self.search(request).await,
        }
    }

    async fn refused(
        &self,
        request: &AuthRequest,
        refused: &Authorization,
        challenge: &Challenge,
    ) -> Result<Option<AuthRequest>, AuthError> {
        match self.found() {
            Some(credential) => credential.refused(request, refused, challenge).await,
            None => Ok(None),
        }
    }
}

official_credential!(Chain);

impl Default for Chain {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut steps = f.debug_list();
        for step in &self.steps {
            match step {
                Step::Try(credential) | Step::TryTool(credential) => steps.entry(credential),
                Step::Skip(name, why) => steps.entry(&(name, why)),
            };
        }
        steps.finish()
    }
}

#[cfg(test)]
mod tests;
