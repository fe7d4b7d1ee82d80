//! The handle: start, ask, disturb, stop.

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use time::OffsetDateTime;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::clock::Clock;
use crate::fault::Fault;
use crate::identity::Identity;
use crate::log::RecordedRequest;
use crate::seed::{self, SeedError};
use crate::server::{self, Serving, Surface};
use crate::service::{catalog, quotas};
use crate::state::{
    ACCOUNT, Addresses, Settings, Shared, Workspace, WorkspaceKind, WorkspaceSpec, random_key,
};
use crate::token;

/// How an emulator is to start; [`Emulator::builder`] begins one.
#[derive(Clone, Debug)]
#[must_use]
pub struct EmulatorBuilder {
    port: u16,
    storage_port: u16,
    metadata_port: u16,
    address: IpAddr,
    clock: Clock,
    seed: Option<u64>,
    settings: Settings,
    public_names: bool,
    #[cfg(feature = "https")]
    https: bool,
}

impl EmulatorBuilder {
    /// The port of the service on 127.0.0.1; 0, the default, takes a free one.
    pub fn port(self, port: u16) -> Self {
        Self { port, ..self }
    }

    /// The port of the storage account on 127.0.0.1; 0, the default, takes a free one.
    pub fn storage_port(self, storage_port: u16) -> Self {
        Self { storage_port, ..self }
    }

    /// The port of the machine's identity endpoints on 127.0.0.1; 0, the default, takes a free one.
    pub fn metadata_port(self, metadata_port: u16) -> Self {
        Self { metadata_port, ..self }
    }

    /// Listens on this address in place of 127.0.0.1, for clients in containers or on other machines.
    ///
    /// Whoever reaches it can do anything: the control API asks for no credential, and gives out keys and tokens.
    /// An unspecified address (`0.0.0.0`) listens on all, and the emulator still gives out 127.0.0.1.
    pub fn address(self, address: IpAddr) -> Self {
        Self { address, ..self }
    }

    /// Time stands still, at the present, until [`Clock::advance`] moves it.
    ///
    /// It begins at the present and not at a round date because clients compare the expiry of SAS links with their own
    /// clocks; [`Self::manual_clock_at`] chooses another beginning.
    pub fn manual_clock(self) -> Self {
        self.manual_clock_at(OffsetDateTime::now_utc())
    }

    /// Time stands still at `start` until [`Clock::advance`] moves it.
    pub fn manual_clock_at(self, start: OffsetDateTime) -> Self {
        Self { clock: Clock::manual(start), ..self }
    }

    /// Fixes every random choice: samples, keys, request ids. Without it each emulator chooses anew.
    pub fn seed(self, seed: u64) -> Self {
        Self { seed: Some(seed), ..self }
    }

    /// How long a job waits and how long it executes; 150 ms and 250 ms unless set.
    pub fn job_timing(mut self, waiting: Duration, executing: Duration) -> Self {
        (self.settings.waiting, self.settings.executing) = (waiting, executing);
        self
    }

    /// How long SAS links are good; a day unless set.
    pub fn sas_lifetime(mut self, lifetime: Duration) -> Self {
        self.settings.sas_lifetime = lifetime;
        self
    }

    /// The most qubits that are simulated; 20 unless set. Memory doubles with each: 20 take 16 MiB, 25 take 512 MiB.
    pub fn qubit_limit(mut self, qubits: usize) -> Self {
        // Beyond 30 qubits (16 GiB) no allocation would succeed anyway.
        self.settings.qubit_limit = qubits.min(30);
        self
    }

    /// Lets jobs read their input from other machines and write their output there, as their links say.
    ///
    /// Unless set, links that lead elsewhere must lead to this machine; a job with another one fails. Whoever can submit
    /// jobs then chooses which hosts the emulator contacts.
    pub fn allow_remote_storage(mut self) -> Self {
        self.settings.remote_storage = true;
        self
    }

    /// The most bytes that the storage account holds; 2 GiB unless set. Contents and names count, and half a KiB for
    /// each blob, container and uncommitted block. Writing more is refused with `InsufficientStorage`.
    pub fn blob_limit(mut self, bytes: usize) -> Self {
        self.settings.blob_limit = bytes;
        self
    }

    /// The most jobs and sessions that a workspace keeps; 100,000 unless set. Creating more is refused with `InsufficientStorage`
    /// until jobs are deleted.
    pub fn job_limit(mut self, jobs: usize) -> Self {
        self.settings.job_limit = jobs;
        self
    }

    /// The kind of the workspace; V1 unless set.
    pub fn workspace_kind(mut self, kind: WorkspaceKind) -> Self {
        self.settings.workspace.kind = kind;
        self
    }

    /// The workspace that is there from the start.
    pub fn workspace(mut self, workspace: WorkspaceSpec) -> Self {
        self.settings.workspace = workspace;
        self
    }

    /// Serves HTTPS, with a certificate authority made at start: [`Emulator::ca_pem`] gives it.
    ///
    /// The certificate covers `localhost`, `127.0.0.1` and the names of the real service. The machine's own identity
    /// endpoints stay on plain HTTP, as they are in Azure.
    #[cfg(feature = "https")]
    pub fn https(self) -> Self {
        Self { https: true, ..self }
    }

    /// Gives out the names of the real service: `{location}.quantum.azure.com`, `{account}.blob.core.windows.net` and
    /// `login.microsoftonline.com`.
    ///
    /// For clients that insist on them; their name resolution must be led to this emulator's ports.
    pub fn public_names(self) -> Self {
        Self { public_names: true, ..self }
    }

    /// Opens the ports and serves.
    ///
    /// Must be called within a Tokio runtime whose I/O and time drivers are enabled.
    ///
    /// # Errors
    /// If a port cannot be opened, for example because it is taken.
    pub async fn start(mut self) -> Result<Emulator, io::Error> {
        self.settings.seed = self.seed.unwrap_or_else(|| fastrand::u64(..));
        if !self.address.is_loopback() {
            tracing::warn!(address = %self.address, "whoever reaches this address can do anything with the emulator");
        }
        let service = TcpListener::bind((self.address, self.port)).await?;
        let storage = TcpListener::bind((self.address, self.storage_port)).await?;
        let metadata = TcpListener::bind((self.address, self.metadata_port)).await?;
        let reached = |listener: &TcpListener| {
            listener.local_addr().map(|local| match local.ip() {
                // Every address is no address to connect to.
                all if all.is_unspecified() => SocketAddr::from((Ipv4Addr::LOCALHOST, local.port())),
                _ => local,
            })
        };
        let listeners = [reached(&service)?, reached(&storage)?, reached(&metadata)?];
        let addresses = self.addresses(listeners);
        #[cfg(feature = "https")]
        let tls = if self.https { Some(crate::tls::Tls::generate(&addresses)?) } else { None };
        let shared = Arc::new(Shared::new(self.settings, addresses, self.clock));
        let (stop, stopped) = watch::channel(());
        let surfaces =
            [(service, Surface::Service), (storage, Surface::Storage), (metadata, Surface::Metadata)];
        let tasks = surfaces
            .into_iter()
            .map(|(listener, surface)| {
                let serving = Serving {
                    surface,
                    shared: Arc::clone(&shared),
                    #[cfg(feature = "https")]
                    tls: tls
                        .as_ref()
                        .filter(|_| surface != Surface::Metadata)
                        .map(|tls| tls.acceptor.clone()),
                };
                tokio::spawn(server::serve(listener, serving, stopped.clone()))
            })
            .collect();
        Ok(Emulator {
            shared,
            stop,
            tasks,
            ports: listeners.map(|listener| listener.port()),
            #[cfg(feature = "https")]
            ca_pem: tls.map(|tls| tls.ca_pem),
        })
    }

    fn addresses(&self, [service, storage, metadata]: [SocketAddr; 3]) -> Addresses {
        #[cfg(feature = "https")]
        let scheme = if self.https { "https" } else { "http" };
        #[cfg(not(feature = "https"))]
        let scheme = "http";
        let metadata = format!("http://{metadata}");
        if !self.public_names {
            return Addresses {
                service: format!("{scheme}://{service}"),
                storage: format!("{scheme}://{storage}"),
                storage_port: storage.port(),
                authority: format!("{scheme}://{service}"),
                metadata,
            };
        }
        let workspace = &self.settings.workspace;
        let suffix = match workspace.kind {
            WorkspaceKind::V1 => "",
            WorkspaceKind::V2 => "-v2",
        };
        Addresses {
            service: format!("{scheme}://{}{suffix}.quantum.azure.com", workspace.location),
            storage: format!("{scheme}://{ACCOUNT}.blob.core.windows.net"),
            storage_port: storage.port(),
            authority: format!("{scheme}://login.microsoftonline.com"),
            metadata,
        }
    }
}

/// A running emulator. Dropping it closes its ports and connections.
pub struct Emulator {
    shared: Arc<Shared>,
    stop: watch::Sender<()>,
    tasks: Vec<JoinHandle<()>>,
    ports: [u16; 3],
    #[cfg(feature = "https")]
    ca_pem: Option<String>,
}

impl Emulator {
    /// Starts an emulator with free ports, on real time, with a random seed.
    ///
    /// # Errors
    /// If no port can be opened.
    pub async fn start() -> Result<Self, io::Error> {
        Self::builder().start().await
    }

    /// Begins to describe an emulator.
    pub fn builder() -> EmulatorBuilder {
        EmulatorBuilder {
            port: 0,
            storage_port: 0,
            metadata_port: 0,
            address: IpAddr::V4(Ipv4Addr::LOCALHOST),
            public_names: false,
            #[cfg(feature = "https")]
            https: false,
            clock: Clock::real(),
            seed: None,
            settings: Settings {
                waiting: Duration::from_millis(150),
                executing: Duration::from_millis(250),
                sas_lifetime: Duration::from_hours(24),
                qubit_limit: 20,
                seed: 0,
                remote_storage: false,
                blob_limit: 2 << 30,
                job_limit: 100_000,
                workspace: WorkspaceSpec::default(),
            },
        }
    }

    /// Stops serving and waits until every port and connection is closed.
    pub async fn stop(mut self) {
        self.stop.send_replace(());
        for task in self.tasks.drain(..) {
            // A task that panicked is stopped, too.
            let _ = task.await;
        }
    }

    /// Where the data plane is: `http://127.0.0.1:PORT/`.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("{}/", self.shared.addresses.service)
    }

    /// Where the storage account is: `http://127.0.0.1:PORT/`, containers right below.
    #[must_use]
    pub fn storage_endpoint(&self) -> String {
        self.shared.storage_endpoint()
    }

    /// What a storage client needs to connect with the account's key, as the `storage` of Python's `Workspace` takes it.
    ///
    /// [`Self::expire_sas`] changes the key.
    #[must_use]
    pub fn storage_connection_string(&self) -> String {
        self.shared.sas.connection_string(&format!("{}/", self.shared.addresses.storage))
    }

    /// The port of the service, whatever name [`Self::endpoint`] has.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.ports[0]
    }

    /// The port of the storage account.
    #[must_use]
    pub fn storage_port(&self) -> u16 {
        self.ports[1]
    }

    /// Who may sign in, and how: Entra ID and the identity endpoints of machines and apps in Azure.
    #[must_use]
    pub fn identity(&self) -> Identity {
        Identity::new(Arc::clone(&self.shared))
    }

    /// The certificate authority that clients must trust, in PEM; `None` over plain HTTP.
    #[cfg(feature = "https")]
    #[must_use]
    pub fn ca_pem(&self) -> Option<&str> {
        self.ca_pem.as_deref()
    }

    /// What a client needs to connect with the access key.
    #[must_use]
    pub fn connection_string(&self) -> String {
        let endpoint = self.endpoint();
        self.workspace(|workspace| workspace.connection_string(&endpoint, &workspace.primary_key))
    }

    /// The primary access key.
    #[must_use]
    pub fn api_key(&self) -> String {
        self.workspace(|workspace| workspace.primary_key.clone())
    }

    /// The resource id of the workspace.
    #[must_use]
    pub fn resource_id(&self) -> String {
        self.workspace(|workspace| workspace.resource_id())
    }

    /// The subscription of the workspace.
    #[must_use]
    pub fn subscription_id(&self) -> String {
        self.workspace(|workspace| workspace.subscription.clone())
    }

    /// The resource group of the workspace.
    #[must_use]
    pub fn resource_group(&self) -> String {
        self.workspace(|workspace| workspace.group.clone())
    }

    /// The name of the workspace.
    #[must_use]
    pub fn workspace_name(&self) -> String {
        self.workspace(|workspace| workspace.name.clone())
    }

    /// The location of the workspace.
    #[must_use]
    pub fn location(&self) -> String {
        self.workspace(|workspace| workspace.location.clone())
    }

    /// A token that the data plane accepts for an hour of the emulator's clock.
    #[must_use]
    pub fn bearer_token(&self) -> String {
        self.shared.tokens.issue(token::DATA_PLANE, None, self.shared.clock.now(), token::LIFETIME)
    }

    /// A token that Azure Resource Manager and Resource Graph accept for an hour of the emulator's clock.
    #[must_use]
    pub fn management_token(&self) -> String {
        self.shared.tokens.issue(token::MANAGEMENT, None, self.shared.clock.now(), token::LIFETIME)
    }

    /// Adds a workspace beside the one that was there from the start, which keeps being the one of this handle.
    pub fn add_workspace(&self, workspace: WorkspaceSpec) {
        let mut state = self.shared.state();
        let workspace = Workspace::new(workspace, &mut state.random, self.shared.clock.now());
        state.workspaces.push(workspace);
    }

    /// The clock that everything here runs on.
    #[must_use]
    pub fn clock(&self) -> Clock {
        self.shared.clock.clone()
    }

    /// Switches access keys off: from now on every key is refused.
    pub fn disable_access_keys(&self) {
        self.workspace(|workspace| workspace.keys_enabled = false);
    }

    /// Switches access keys on again.
    pub fn enable_access_keys(&self) {
        self.workspace(|workspace| workspace.keys_enabled = true);
    }

    /// Sets what the service says of a target: `Available`, `Degraded`, `Unavailable` or any other text.
    pub fn set_target_availability(&self, target: &str, availability: &str) {
        let known = catalog::PROVIDERS.iter().flat_map(|provider| provider.targets);
        if !known.into_iter().any(|known| known.id == target) {
            tracing::warn!(target, "no such target; setting its availability has no effect");
        }
        self.workspace(|workspace| {
            workspace.availability.insert(target.to_owned(), availability.to_owned());
        });
    }

    /// Sets how much of a quota the workspace has: `qgs`, `hqc` or `ehqc` in V1, `StandardMinutesLifetime` or
    /// `HighMinutesLifetime` of each target in V2. A dimension it does not have is left alone.
    pub fn set_quota_limit(&self, dimension: &str, limit: f64) {
        self.workspace(|workspace| quotas::set_limit(workspace, dimension, limit));
    }

    /// Makes every SAS link issued so far count as expired.
    pub fn expire_sas(&self) {
        let key = random_key(&mut self.shared.state().random);
        self.shared.sas.expire_all(key);
    }

    /// Makes every bearer token issued so far worthless.
    pub fn revoke_bearer_tokens(&self) {
        self.shared.tokens.revoke();
    }

    /// Lets something go wrong.
    pub fn inject(&self, fault: Fault) {
        self.shared.faults.inject(fault);
    }

    /// Adds workspaces, jobs, sessions and blobs from the JSON description that [`Self::export`] gives.
    ///
    /// A workspace that is there already keeps what it has and gets the rest beside it.
    ///
    /// # Errors
    /// If the description has another shape, names an unknown status, or gives a time that is none; nothing is added then.
    pub fn load(&self, description: &serde_json::Value) -> Result<(), SeedError> {
        seed::load(&self.shared, description)
    }

    /// Everything that [`Self::load`] can bring back: workspaces, jobs, sessions and blobs, without keys.
    #[must_use]
    pub fn export(&self) -> serde_json::Value {
        seed::export(&self.shared)
    }

    /// The bytes that count towards [`EmulatorBuilder::blob_limit`].
    #[must_use]
    pub fn stored_bytes(&self) -> usize {
        self.shared.blobs.bytes()
    }

    /// Forgets the faults that have not happened yet.
    pub fn clear_faults(&self) {
        self.shared.faults.clear();
    }

    /// The requests so far, in order of arrival: the last 20,000, and of each body at most 256 KiB.
    #[must_use]
    pub fn requests(&self) -> Vec<RecordedRequest> {
        self.shared.log.requests()
    }

    /// Forgets the requests so far.
    pub fn clear_requests(&self) {
        self.shared.log.clear();
    }

    /// Waits until `wanted` holds for the requests that have arrived, without polling.
    pub async fn wait_for_requests(&self, wanted: impl Fn(&[RecordedRequest]) -> bool) {
        self.shared.log.wait_until(wanted).await;
    }

    fn workspace<T>(&self, look: impl FnOnce(&mut Workspace) -> T) -> T {
        // The first workspace is there from the start and is never taken away.
        look(&mut self.shared.state().workspaces[0])
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

impl fmt::Debug for Emulator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Emulator").field("addresses", &self.shared.addresses).finish_non_exhaustive()
    }
}
