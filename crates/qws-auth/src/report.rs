use std::{fmt, time::Duration};

/// What a chain did, one line for each of its credentials in their order.
///
/// It is in the error of a chain that gave nothing ([`crate::AuthError::report`]) and stays with one that succeeded.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ChainReport {
    steps: Vec<ChainStep>,
}

impl ChainReport {
    pub(crate) fn new(steps: Vec<ChainStep>) -> Self {
        Self { steps }
    }

    /// The steps, in the order in which they were taken.
    #[must_use]
    pub fn steps(&self) -> &[ChainStep] {
        &self.steps
    }
}

/// One credential of a chain, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChainStep {
    pub(crate) credential: String,
    pub(crate) outcome: StepOutcome,
    pub(crate) elapsed: Duration,
}

impl ChainStep {
    /// What it is: [`crate::Credential::describe`], or the documented name of a credential that was left out.
    #[must_use]
    pub fn credential(&self) -> &str {
        &self.credential
    }

    /// What became of it.
    #[must_use]
    pub fn outcome(&self) -> &StepOutcome {
        &self.outcome
    }

    /// How long the chain spent on it.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.elapsed
    }
}

/// What became of one credential of a chain.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum StepOutcome {
    /// It let the request through; the chain keeps to it from then on.
    Succeeded,
    /// It is not set up or not present here, for this reason; the chain went on.
    Unavailable(String),
    /// It failed for this reason.
    Failed(String),
    /// It was not tried, for this reason.
    Skipped(String),
    /// It was at work when the chain's deadline passed.
    TimedOut,
}

impl fmt::Display for ChainStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = &self.credential;
        let milliseconds = self.elapsed.as_millis();
        match &self.outcome {
            StepOutcome::Succeeded => write!(f, "{name}: used ({milliseconds} ms)"),
            StepOutcome::Unavailable(why) => write!(f, "{name}: not available: {why} ({milliseconds} ms)"),
            StepOutcome::Failed(why) => write!(f, "{name}: failed: {why} ({milliseconds} ms)"),
            StepOutcome::Skipped(why) => write!(f, "{name}: skipped: {why}"),
            StepOutcome::TimedOut => write!(f, "{name}: no answer in time ({milliseconds} ms)"),
        }
    }
}

/// One line a step.
impl fmt::Display for ChainReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, step) in self.steps.iter().enumerate() {
            if at > 0 {
                f.write_str("\n")?;
            }
            step.fmt(f)?;
        }
        Ok(())
    }
}
