use std::{
    fmt,
    pin::Pin,
    time::{Duration, Instant},
};

use azure_core::time::OffsetDateTime;

/// Time as the SDK sees it: every wait, deadline, expiry and "now" comes from here.
pub trait Clock: Send + Sync + fmt::Debug {
    /// The date and time, UTC, for comparing with times that a service sent.
    fn now(&self) -> OffsetDateTime;

    /// Time since some fixed moment, never going back, for measuring how long things take.
    fn monotonic(&self) -> Duration;

    /// Becomes ready after `duration`. Dropping the future gives up the wait and leaves nothing behind.
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>>;

    /// Becomes ready when `limit` has passed: a bound on other work rather than a wait of its own. A clock that cuts
    /// waits short for tests must not cut this one.
    fn expire(&self, limit: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        self.sleep(limit)
    }
}

/// The machine's own clock, with waits on the Tokio runtime.
#[derive(Debug, Clone, Copy)]
pub struct SystemClock {
    start: Instant,
}

impl SystemClock {
    /// A clock whose monotonic time starts now.
    #[must_use]
    pub fn new() -> Self {
        Self { start: Instant::now() }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    fn now(&self) -> OffsetDateTime {
        OffsetDateTime::now_utc()
    }

    fn monotonic(&self) -> Duration {
        self.start.elapsed()
    }

    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(tokio::time::sleep(duration))
    }
}
