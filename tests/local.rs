use std::{pin::Pin, sync::Arc, time::Duration};

use azure_core::time::OffsetDateTime;
use qws::{
    ClientOptions, Workspace,
    http::{Clock, ManualClock},
};
use qws_emulator::Emulator;

/// An emulator on a clock that stands still until the client waits: each wait of the client moves both.
#[derive(Debug)]
pub struct Local {
    /// The emulator.
    pub emulator: Emulator,
    /// The client's clock, which drives the emulator's.
    pub clock: DrivenClock,
}

impl Local {
    /// A fresh emulator. Jobs wait 10 s and run 10 s.
    ///
    /// # Panics
    /// If no port can be opened.
    pub async fn start() -> Self {
        let second = Duration::from_secs(1);
        let builder = Emulator::builder().manual_clock().seed(7).job_timing(10 * second, 10 * second);
        Self::with(builder.start().await.expect("a loopback port is free"))
    }

    /// An emulator that was started on a manual clock.
    #[must_use]
    pub fn with(emulator: Emulator) -> Self {
        let clock =
            DrivenClock { ours: ManualClock::skipping(emulator.clock().now()), theirs: emulator.clock() };
        Self { emulator, clock }
    }

    /// The client's options: the driven clock, the real transport, retries as usual.
    pub fn options(&self) -> ClientOptions {
        ClientOptions::default().clock(Arc::new(self.clock.clone()))
    }

    /// The workspace by its connection string.
    ///
    /// # Panics
    /// If the emulator's connection string is not one.
    #[must_use]
    pub fn workspace(&self) -> Workspace {
        self.workspace_at(&self.emulator.connection_string())
            .expect("the emulator's connection string is good")
    }

    /// A workspace by any connection string, on the driven clock.
    ///
    /// # Errors
    /// What the SDK says of the string.
    pub fn workspace_at(&self, connection_string: &str) -> Result<Workspace, qws::Error> {
        Workspace::builder().connection_string(connection_string)?.options(self.options()).build()
    }
}

/// The client's clock: every sleep ends at once and moves the emulator's time on by its length.
#[derive(Debug, Clone)]
pub struct DrivenClock {
    ours: ManualClock,
    theirs: qws_emulator::Clock,
}

impl DrivenClock {
    /// Every sleep of the client so far.
    #[must_use]
    pub fn sleeps(&self) -> Vec<Duration> {
        self.ours.sleeps()
    }

    /// Moves both clocks on.
    pub fn advance(&self, by: Duration) {
        self.theirs.advance(by);
        self.ours.advance(by);
    }
}

impl Clock for DrivenClock {
    fn now(&self) -> OffsetDateTime {
        self.theirs.now()
    }

    fn monotonic(&self) -> Duration {
        self.ours.monotonic()
    }

    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        self.theirs.advance(duration);
        self.ours.sleep(duration)
    }

    fn expire(&self, limit: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        self.ours.expire(limit)
    }
}
