use std::{
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use azure_core::time::OffsetDateTime;
use qws::{
    BlobUri, ClientOptions, ItemType, NewJob, Workspace,
    http::{Clock, ManualClock},
};
use qws_emulator::{Emulator, EmulatorBuilder};

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
        let ours = ManualClock::skipping(emulator.clock().now());
        let clock = DrivenClock { ours, theirs: Arc::new(Mutex::new(emulator.clock())) };
        Self { emulator, clock }
    }

    /// Stops the emulator, does `meanwhile` without it, and starts one made by `builder` in its place: same ports, same
    /// time, same workspaces, jobs and blobs; sign-ins and tokens are gone.
    ///
    /// # Panics
    /// If a port was taken meanwhile.
    #[must_use]
    pub async fn restarted(self, builder: EmulatorBuilder, meanwhile: impl Future<Output = ()>) -> Self {
        let Self { emulator, clock } = self;
        let (port, storage_port, state) = (emulator.port(), emulator.storage_port(), emulator.export());
        emulator.stop().await;
        meanwhile.await;
        let builder = builder.manual_clock_at(clock.now()).port(port).storage_port(storage_port);
        let emulator = builder.start().await.expect("the ports are free again");
        emulator.load(&state).expect("an exported state can be loaded");
        *clock.theirs() = emulator.clock();
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
    theirs: Arc<Mutex<qws_emulator::Clock>>,
}

impl DrivenClock {
    /// Every sleep of the client so far.
    #[must_use]
    pub fn sleeps(&self) -> Vec<Duration> {
        self.ours.sleeps()
    }

    /// How many waits and limits of the client are under way.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.ours.waiting()
    }

    fn theirs(&self) -> std::sync::MutexGuard<'_, qws_emulator::Clock> {
        self.theirs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Moves both clocks on.
    pub fn advance(&self, by: Duration) {
        self.theirs().advance(by);
        self.ours.advance(by);
    }
}

impl Clock for DrivenClock {
    fn now(&self) -> OffsetDateTime {
        self.theirs().now()
    }

    fn monotonic(&self) -> Duration {
        self.ours.monotonic()
    }

    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        self.theirs().advance(duration);
        self.ours.sleep(duration)
    }

    fn expire(&self, limit: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        self.ours.expire(limit)
    }
}

/// A small job as `jobs().create()` takes it, for `ionq.simulator`, whose input would be in this container.
#[must_use]
pub fn new_job(container: &BlobUri) -> NewJob {
    NewJob {
        name: "x".into(),
        container_uri: container.clone(),
        input_data_uri: BlobUri::new(format!("{container}/inputData")),
        input_data_format: "ionq.circuit.v1".into(),
        output_data_format: "ionq.quantum-results.v1".into(),
        provider_id: "ionq".into(),
        target: "ionq.simulator".into(),
        input_params: serde_json::Map::new(),
        item_type: ItemType::Job,
        session_id: None,
        priority: None,
        tags: None,
        metadata: None,
        job_type: None,
        output_data_uri: None,
    }
}
